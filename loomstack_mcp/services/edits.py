"""Edits: a file is held for the run of whoever edits it, from its first edit on, though nobody claimed it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from loomstack_mcp.core.claim_edits import ClaimEdits
from loomstack_mcp.core.claims import Claim, Waiter
from loomstack_mcp.core.edits import EditHold, Editor, HoldResult, edit_hold, edited_by
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import ALERT_DELIVERIES, ALERTS_MAX, AUTO_HELD_MAX, HELD_AT_ONCE_MAX
from loomstack_mcp.core.patterns.globs import literal_path
from loomstack_mcp.core.patterns.typed import file_pattern
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import PROCESS_SESSION, Caller, Run
from loomstack_mcp.core.texts import encodable, within
from loomstack_mcp.services import events, path_index, repos, waiters
from loomstack_mcp.services.acting import RUNS, used_run
from loomstack_mcp.services.alerts import due_alerts
from loomstack_mcp.services.blockers import CLAIMS, kin
from loomstack_mcp.services.claims import end_claims, end_passing
from loomstack_mcp.services.grants import hold_file
from loomstack_mcp.services.requests import Met, met, pages_met, waiters_ahead
from loomstack_mcp.services.sessions import session_run
from loomstack_mcp.services.sightings import unclaimed_news
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


class EditClaims:
    """Automatic claims: exclusive, each on one file, by a lease of its own that edits of the file renew.

    They say that somebody is at a file, and nothing of what is meant with it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def hold(
        self, caller: Caller, checkout: Checkout, patterns: Sequence[str], *, claim_edits: ClaimEdits = "auto"
    ) -> HoldResult:
        """Hold files that are about to be edited, each a literal pattern, for the run in which this agent works.

        All of them or none: then it says who is in the way, or, with "ask", what the agent is to claim itself, of which
        it is told once. What it claimed itself, and what others share, stays as it is. Nothing is held for whom no
        client names. Raises LimitExceeded.
        """
        within("the number of files", len(patterns), least=0, most=HELD_AT_ONCE_MAX)
        found = HoldResult()
        if not caller.session or caller.session.startswith(PROCESS_SESSION):
            return found
        repo_ids: list[str] = []

        def repo_id(tx: Tx) -> str:
            repo_ids[:] = [repos.recorded_in(tx, checkout)]
            return repo_ids[0]

        for start in range(0, len(patterns), AUTO_HELD_MAX):
            with self._store.write(repo_id) as tx:
                run = session_run(tx, caller, repo_ids[0], checkout)
                edit = _Edit(tx, caller, run, worktree=encodable(checkout.worktree))
                found = edit.held(patterns[start : start + AUTO_HELD_MAX], claim_edits=claim_edits)
            if found.blockers or found.unclaimed:
                return found
        with self._store.read() as tx:
            return replace(found, due=due_alerts(tx, caller, deliveries=ALERT_DELIVERIES, limit=ALERTS_MAX))

    def edited_in(self, checkout: Checkout) -> tuple[str, ...]:
        """The files that are held in a worktree because somebody edits them, by their paths there."""
        with self._store.read() as tx:
            repo_id, worktree = repos.repo_id_of(tx, checkout), encodable(checkout.worktree)
            found = rows.as_records(Claim, tx.all(CLAIMS["auto_of_worktree"], repo_id=repo_id, worktree=worktree))
        return tuple(literal_path(claim.patterns[0]) for claim in found)

    def settle(
        self, caller: Caller | None, checkout: Checkout, paths: Sequence[str], *, who: str = ""
    ) -> tuple[str, ...]:
        """These files of a worktree, by their paths there, are as they were or committed: nobody is at them any more.

        Ends the caller's automatic claims on them, and those of the agents below it; with None everybody's who edits
        them in this worktree, as a commit takes in what lies there: over a hub those of `who` asks, for a worktree of
        another is what anybody can name. Returns the ids of the claims.
        """
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            if not list(_settled(tx, caller, repo_id, checkout, paths, who=who)):
                return ()
        with self._store.write(repo_id) as tx:
            ending = list(_settled(tx, caller, repo_id, checkout, paths, who=who))
            end_claims(tx, ending, "released")
            return tuple(claim.id for claim in ending)

    def leave(self, caller: Caller) -> tuple[str, ...]:
        """The caller, or its whole session, is over: nobody of it is at any file any more, whatever it goes on with.

        Ends its automatic claims, and those of the agents below it, in every repo. Returns their ids.
        """
        with self._store.read() as tx:
            repo_ids = dict.fromkeys(claim.repo_id for claim in _of_kin(tx, caller))
        ended: list[str] = []
        for repo_id in repo_ids:
            with self._store.write(repo_id) as tx:
                ending = [claim for claim in _of_kin(tx, caller) if claim.repo_id == repo_id]
                end_claims(tx, ending, "released")
                ended += [claim.id for claim in ending]
        return tuple(ended)


class _Edit:
    """An edit by an agent, within the transaction in which its files are held."""

    def __init__(self, tx: Tx, caller: Caller, run: Run, *, worktree: str) -> None:
        self._tx = tx
        self._caller = caller
        self._run = run
        self._worktree = worktree
        self._passed: set[str] = set()
        """The claims that ended for its sake: one may lie over several of its files."""
        related = tx.all(CLAIMS["related"], principal=caller.principal, session=caller.session, agent=caller.agent)
        self._editor = Editor(
            own={str(row["id"]) for row in related if row["is_own"]},
            family={run.id, *(str(row["id"]) for row in related if row["is_family"])},
            kin={str(row["id"]) for row in related if row["is_kin"]},
        )

    def held(self, patterns: Sequence[str], *, claim_edits: ClaimEdits) -> HoldResult:
        wanted = list(map(self._wanted, patterns))
        here = [met(self._tx, each) for each in wanted]
        holds = list(map(self._hold, wanted, here))
        now_ms = self._tx.now_ms
        if found := tuple(blocker for hold in holds for blocker in hold.blockers):
            return HoldResult(blockers=found, now_ms=now_ms)
        free = [each.patterns[0] for each, hold in zip(wanted, holds, strict=True) if hold.is_free]
        if claim_edits == "ask" and (news := unclaimed_news(self._tx, self._caller, self._worktree, free)):
            return HoldResult(unclaimed=news, now_ms=now_ms)
        for each, near, hold in zip(wanted, here, holds, strict=True):
            self._keep(each, near, hold)
        return HoldResult(now_ms=now_ms)

    def _wanted(self, pattern: str) -> Waiter:
        return Waiter(
            id="",
            repo_id=self._run.repo_id,
            run_id=self._run.id,
            seq=0,
            mode="exclusive",
            intent=edited_by(self._caller.session),
            patterns=(pattern,),
            place_until_ms=0,
        )

    def _hold(self, wanted: Waiter, here: Met) -> EditHold:
        """What the edit of a file comes to, among all that lies there."""
        near: list[Claim | Waiter] = []
        for page in pages_met(self._tx, wanted, here, "claim"):
            near += rows.as_records(Claim, self._tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page)))
        for page in pages_met(self._tx, wanted, here, "waiter"):
            near += waiters_ahead(self._tx, page, before=None)
        return edit_hold(wanted, near, editor=self._editor, now_ms=self._tx.now_ms, ignore_case=here.ignore_case)

    def _keep(self, wanted: Waiter, here: Met, hold: EditHold) -> None:
        """Do what the edit of a file comes to."""
        tx, run = self._tx, self._run
        if hold.mine and tx.run(CLAIMS["edited"], id=hold.mine, now_ms=tx.now_ms, worktree=self._worktree):
            events.append(tx, run.repo_id, "claim.renewed", about=hold.mine, run_id=run.id)
        if hold.covered_by and hold.covered_by != run.id:
            [holder] = rows.as_records(Run, tx.all(RUNS["get"], id=hold.covered_by))
            used_run(tx, self._caller, holder)
        if hold.is_free:
            end_passing(tx, [claim for claim in hold.passing if claim.id not in self._passed], granted_to=run)
            self._passed.update(claim.id for claim in hold.passing)
            hold_file(tx, run, wanted, fresh_id=here.fresh_id, worktree=self._worktree)
            if here.was_refused:
                waiters.settle_waiters(tx, wanted)


def _of_kin(tx: Tx, caller: Caller) -> tuple[Claim, ...]:
    return rows.as_records(Claim, tx.all(CLAIMS["auto_of_runs"], runs=rows.json_column(sorted(kin(tx, caller)))))


def _settled(
    tx: Tx, caller: Caller | None, repo_id: str, checkout: Checkout, paths: Sequence[str], *, who: str
) -> Iterator[Claim]:
    fold = str.casefold if path_index.folds(tx, repo_id) else str
    names = set(map(fold, _patterns(paths)))
    mine = kin(tx, caller) if caller else None
    worktree = encodable(checkout.worktree)
    for claim in rows.as_records(Claim, tx.all(CLAIMS["auto_of_worktree"], repo_id=repo_id, worktree=worktree)):
        if fold(claim.patterns[0]) in names and (mine is None or claim.run_id in mine) and _is_of(tx, claim, who):
            yield claim


def _is_of(tx: Tx, claim: Claim, who: str) -> bool:
    """Whether a claim is somebody's, where somebody is named."""
    return not who or any(row["principal"] == who for row in tx.all(RUNS["get"], id=claim.run_id))


def _patterns(paths: Sequence[str]) -> Iterator[str]:
    """Files as patterns; what cannot be claimed is held by nobody."""
    for path in paths:
        with suppress(LoomError):
            yield file_pattern(path)
