"""Glances, and the closer look: what a hook has to know of an edit, each as one question."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.edits import CloserLook
from loomstack_mcp.core.limits import ALERT_DELIVERIES, GLANCED_PATHS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import repos
from loomstack_mcp.services.acting import own_runs
from loomstack_mcp.services.alerts import due_alerts, unheard_ends
from loomstack_mcp.services.blockers import CLAIMS, EditService, may_be_meant
from loomstack_mcp.services.path_index import folds, overlapping
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


class GlanceService:
    """The few facts without which no edit goes on silently. Nothing is written; False is no answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_unalerted(self, caller: Caller) -> bool:
        """Whether this agent has nothing to hear."""
        with self._store.read() as tx:
            return not due_alerts(tx, caller, deliveries=ALERT_DELIVERIES, limit=1)

    def is_clear(self, caller: Caller, checkout: Checkout, patterns: Sequence[str], *, claim_edits: str) -> bool:
        """Whether an edit of these files, each a literal pattern, stands in nobody's way, and the caller has to hear
        nothing; where `claim_edits` is not off, also whether it holds each of them for a while yet.
        """
        if len(patterns) > GLANCED_PATHS_MAX or not self._is_free(caller, checkout, patterns):
            return False  # each pattern is held against each that is held
        return claim_edits == "off" or self._holds_all(caller, checkout, patterns)

    def hold_clear(self, caller: Caller, checkout: Checkout, patterns: Sequence[str]) -> bool:
        """The same of files that the caller edits for the first time, where nothing was meant with them: held now.

        In a repo that its run is in already: a closer look knows more of the worktree, and begins one.
        """
        if len(patterns) > GLANCED_PATHS_MAX or not self._is_free(caller, checkout, patterns):
            return False
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            is_begun = any((run.repo_id, run.agent) == (repo_id, caller.agent) for run in own_runs(tx, caller))
            if not is_begun or any(may_be_meant(tx, repo_id, pattern) for pattern in patterns):
                return False
            if unheard_ends(tx, caller, patterns):
                return False
        if self._holds_all(caller, checkout, patterns):
            return True
        from loomstack_mcp.services.edits import EditClaims  # grants, which no hook loads whose edit is refused

        held = EditClaims(self._store).hold(caller, checkout, patterns)
        return not (held.blockers or held.unclaimed)

    def closer_look(
        self, caller: Caller, checkout: Checkout, patterns: Sequence[str], *, files: Sequence[str] = ()
    ) -> CloserLook:
        """What stands in the way of an edit of all this, and which of it, literal `files`, may be made on purpose."""
        edits = EditService(self._store)
        check = edits.check_of(caller)
        found, now_ms = edits.blockers(caller, checkout, patterns)
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            return CloserLook(
                check=check,
                blockers=found,
                now_ms=now_ms,
                meant=tuple(file for file in files if may_be_meant(tx, repo_id, file)),
                ends=unheard_ends(tx, caller, patterns),
            )

    def _is_free(self, caller: Caller, checkout: Checkout, patterns: Sequence[str]) -> bool:
        edits = EditService(self._store)
        with self._store.read() as tx:
            # A repo that goes by another name has to be told with all its names.
            is_named = repos.is_named_repo(tx, checkout.identity)
            if not is_named or due_alerts(tx, caller, deliveries=ALERT_DELIVERIES, limit=1):
                return False
        return not (edits.check_of(caller) or edits.blockers(caller, checkout, patterns)[0])

    def _holds_all(self, caller: Caller, checkout: Checkout, patterns: Sequence[str]) -> bool:
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            own = {run.id: run for run in own_runs(tx, caller) if run.repo_id == repo_id and run.agent == caller.agent}
            ignore_case = folds(tx, repo_id)
            held = list(_held(tx, own, checkout, overlapping(tx, repo_id, "claim", patterns, ignore_case=ignore_case)))
        return all(any(first_overlap([one], text, ignore_case=ignore_case) for text in held) for one in patterns)


def _held(
    tx: Tx, own: Mapping[str, Run], checkout: Checkout, pages: Iterable[Sequence[str]]
) -> Iterator[tuple[str, ...]]:
    """The patterns of what these runs hold, for half of the lease at least; what is edited, in this worktree."""
    for page in pages:
        for claim in rows.as_records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page))):
            run = own.get(claim.run_id)
            is_here = claim.origin == "asked" or claim.worktree == encodable(checkout.worktree)
            if run and is_here and _is_long(run, tx.now_ms) and _is_long(claim, tx.now_ms):
                yield claim.patterns


def _is_long(leased: Run | Claim, now_ms: int) -> bool:
    return leased.expires_at_ms - leased.ttl_ms // 2 >= now_ms
