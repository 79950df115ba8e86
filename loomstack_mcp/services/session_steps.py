"""What a client's hooks tell of a session: its start, with what it should know; what it left open; its end."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from loomstack_mcp.core.briefing.closing import OpenWork
from loomstack_mcp.core.briefing.opening import SessionOpening
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.limits import LIST_MAX, NAME_CHARS_MAX
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap, literal
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.sessions import SESSION_ENDED, session_goal
from loomstack_mcp.core.texts import encodable, redacted
from loomstack_mcp.services import events, path_index, repos
from loomstack_mcp.services.acting import RUNS, own_runs
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.note_index import NOTES
from loomstack_mcp.services.recorded import OUTCOMES
from loomstack_mcp.services.sessions import resumed_session, run_for_session
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_NOTES_MAX = 20
_AMONG_NOTES = 200


class SessionService:
    """What a client's hooks tell of a session: it starts, in this worktree, and it ends."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self, caller: Caller, checkout: Checkout, *, changed: Sequence[str] = ()) -> SessionOpening:
        """The run of the session, or of its sub-agent, goes on where it stands now; and what it should know.

        `changed` is what its branch and worktree changed, as patterns. Raises Invalid where no client names a session.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            run = _moved(tx, resumed_session(tx, caller, repo_id, checkout), checkout)
        with self._store.read() as tx:
            own = own_runs(tx, replace(caller, certain=False))
            mine = {one.id for one in own}
            return SessionOpening(
                run=run,
                own=tuple(one for one in own if one.origin == "asked" and one.agent == caller.agent),
                claims=tuple(one for one in _held(tx, repo_id, changed) if one.run_id not in mine),
                notes=_said(tx, repo_id, mine),
                changed=tuple(changed),
                ignore_case=path_index.folds(tx, repo_id),
                now_ms=tx.now_ms,
            )

    def run_of(self, caller: Caller, checkout: Checkout) -> tuple[Run, int] | None:
        """The run that stands for an agent in a repo, as long as it is not over, and for how long it has been there."""
        with self._store.read() as tx:
            run = run_for_session(tx, caller, repos.repo_id_of(tx, checkout))
            return (run, max(0, tx.now_ms - run.started_at_ms)) if run and run.state == "live" else None

    def open_work(self, caller: Caller, run: Run, *, files: Sequence[str], commits: int) -> OpenWork:
        """What is open of a session: of files that were written, those that no other session holds."""
        with self._store.read() as tx:
            own = own_runs(tx, replace(caller, certain=False))
            mine = {one.id for one in own}
            ignore_case = path_index.folds(tx, run.repo_id)
            others = [one for one in _held(tx, run.repo_id, _literals(files)) if one.run_id not in mine]
            held = [text for one in others if one.mode == "exclusive" for text in one.patterns]
            asked = [one for one in own if one.origin == "asked" and one.agent == caller.agent]
            return OpenWork(
                files=tuple(one for one in files if not first_overlap([literal(one)], held, ignore_case=ignore_case)),
                commits=commits,
                runs=tuple(one for one in asked if not tx.all(OUTCOMES["about"], about_run=one.id)),
            )

    def remind(self, run: Run, mark: str) -> bool:
        """Whether a session is told now of what it leaves open: never twice of the same."""
        with self._store.write(run.repo_id) as tx:
            if tx.all(events.EVENTS["reminded"], run_id=run.id, mark=mark):
                return False
            events.append(tx, run.repo_id, "session.reminded", about=run.id, run_id=run.id, payload={"mark": mark})
        return True

    def end(self, caller: Caller) -> tuple[str, ...]:
        """The session is over, or its sub-agent alone: its own runs end, and nothing of it waits. Returns those runs.

        What an agent asked for goes on: its lease ends it. What it only edited is free.
        """
        from loomstack_mcp.services import expiry, waiters  # what only an end needs
        from loomstack_mcp.services.edits import EditClaims

        with self._store.read() as tx:
            ending = _standing(tx, caller)
        for repo_id in dict.fromkeys(run.repo_id for run in ending):
            with self._store.write(repo_id) as tx:
                for run in (one for one in _standing(tx, caller) if one.repo_id == repo_id):
                    expiry.over(tx, replace(run, state="ended", status=SESSION_ENDED), "run.ended")
        EditClaims(self._store).leave(caller)
        own = replace(caller, certain=bool(caller.agent))
        with self._store.read() as tx:
            left = own_runs(tx, own)
        for run in left:
            with self._store.write(run.repo_id) as tx:
                waiters.leave_queues(tx, run.id)
        return tuple(run.id for run in ending)


def _moved(tx: Tx, run: Run, checkout: Checkout) -> Run:
    branch, worktree = encodable(checkout.branch), encodable(checkout.worktree)
    if (run.branch, run.worktree) == (branch, worktree):
        return run
    goal = session_goal(run.session, run.agent, branch=redacted(branch, chars_max=NAME_CHARS_MAX))
    tx.later(RUNS["move"], id=run.id, branch=branch, worktree=worktree, goal=goal)
    return replace(run, branch=branch, worktree=worktree, goal=goal)


def _literals(files: Sequence[str]) -> list[str]:
    return [literal(name) for name in files[:LIST_MAX]]


def _held(tx: Tx, repo_id: str, changed: Sequence[str]) -> tuple[Claim, ...]:
    """What is held where something was changed, and what was claimed last; newest first."""
    near = path_index.all_overlapping(tx, repo_id, "claim", changed, ignore_case=path_index.folds(tx, repo_id)).ids
    found = [
        *(tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(list(near))) if near else ()),
        *tx.all(CLAIMS["held"], repo_id=repo_id, now_ms=tx.now_ms, limit=LIST_MAX),
    ]
    once = {claim.id: claim for claim in rows.as_records(Claim, found) if claim.expires_at_ms > tx.now_ms}
    return tuple(sorted(once.values(), key=lambda claim: -claim.fence))


def _said(tx: Tx, repo_id: str, mine: Collection[str]) -> tuple[Note, ...]:
    """What people said, and then what other loops lately meant to keep."""
    asked = {"repo_id": repo_id, "now_ms": tx.now_ms, "limit": _NOTES_MAX}
    of_people = rows.as_records(Note, tx.all(NOTES["latest_of_people"], **asked))
    meant = rows.as_records(Note, tx.all(NOTES["lately_meant"], among=_AMONG_NOTES, **asked))
    return (*of_people, *(note for note in meant if note.run_id not in mine))


def _standing(tx: Tx, caller: Caller) -> tuple[Run, ...]:
    who = {"principal": caller.principal, "session": caller.session, "agent": caller.agent}
    return rows.as_records(Run, tx.all(RUNS["for_sessions"], **who))
