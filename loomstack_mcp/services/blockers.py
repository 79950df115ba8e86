"""What stands in the way of a request: held claims, and earlier requests that keep their place."""

from collections.abc import Collection, Iterable, Sequence

from loomstack_mcp.core.claims import Blocker, Claim, Waiter, blockers
from loomstack_mcp.core.limits import BLOCKERS_MAX
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run, acts_for
from loomstack_mcp.services import repos
from loomstack_mcp.services.acting import RUNS, lineage, own_runs
from loomstack_mcp.services.path_index import folds, overlapping
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

CLAIMS = queries.statements("claims")
WAITERS = queries.statements("waiters")


class EditService:
    """What stands in the way of an edit, for a hook: nothing that it does not need is imported here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def blockers(self, caller: Caller, checkout: Checkout, patterns: Sequence[str]) -> tuple[tuple[Blocker, ...], int]:
        """Who holds, exclusively, what a caller is about to edit. And the time.

        Its own runs stand not in its way, nor do those that they descend from and those of the session's own agent.
        """
        with self._store.read() as tx:
            edit = Waiter(
                id="",
                repo_id=repos.repo_id_of(tx, checkout),
                run_id="",
                seq=0,
                mode="shared",  # so that only what is held exclusively stands in its way
                intent="",
                patterns=tuple(patterns),
                place_until_ms=0,
            )
            who = {"principal": caller.principal, "session": caller.session, "agent": caller.agent}
            # Runs that were started over HTTP have no session: they may be this one's.
            family = {run_id for run in tx.all(RUNS["of_agents"], **who) for run_id in lineage(tx, run["id"])}
            ignore_case = folds(tx, edit.repo_id)
            pages = overlapping(tx, edit.repo_id, "claim", edit.patterns, ignore_case=ignore_case)
            return tuple(held_against(tx, edit, family, pages, ignore_case=ignore_case)[0]), tx.now_ms

    def check_of(self, caller: Caller) -> tuple[str, str] | None:
        """The run under which a sub-agent now checks another's, and that other; None for whoever makes something.

        Of a session's own agent nothing is said: without a hook's word its sub-agents' runs count as its own.
        """
        if not caller.agent:
            return None
        with self._store.read() as tx:
            for run in own_runs(tx, caller):
                if run.origin == "session":
                    continue
                if not run.checks_run:
                    return None
                if not _is_made_by(tx, caller, run.checks_run):
                    return run.id, run.checks_run
        return None


def _is_made_by(tx: Tx, caller: Caller, run_id: str) -> bool:
    return any(acts_for(caller, run) for run in rows.records(Run, tx.all(RUNS["get"], id=run_id)))


def held_against(
    tx: Tx, wanted: Waiter, family: Collection[str], pages: Iterable[Sequence[str]], /, *, ignore_case: bool
) -> tuple[list[Blocker], list[Claim]]:
    """The live claims that forbid a request, until there are enough, and the lapsed ones that would.

    `pages` are the ids of the claims that overlap it.
    """
    found: list[Blocker] = []
    lapsed: list[Claim] = []
    for page in pages:
        claims = rows.records(Claim, tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page)))
        live = [claim for claim in claims if claim.expires_at_ms > tx.now_ms]
        found += blockers(wanted, live, lineage=family, ignore_case=ignore_case)
        lapsed += [claim for claim in claims if claim.expires_at_ms <= tx.now_ms and _forbids(claim, wanted, family)]
        if len(found) >= BLOCKERS_MAX:
            break
    return found, lapsed


def _forbids(lapsed: Claim, wanted: Waiter, family: Collection[str]) -> bool:
    """Whether a lapsed claim would forbid the grant, were it live; then the grant has to end it."""
    return lapsed.run_id not in family and "exclusive" in (lapsed.mode, wanted.mode)
