"""Commits, as git's own hooks see them made: by which run, and what becomes of that when they are rewritten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from loomstack_mcp.core.changes.trailers import committing_agent
from loomstack_mcp.core.claims import Blocker
from loomstack_mcp.core.limits import LIST_MAX, PATHS_MAX, PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.globs import first_overlap, literal
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run, acts_for
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import events, path_index, repos
from loomstack_mcp.services.acting import RUNS, own_runs, used_run
from loomstack_mcp.services.blockers import CLAIMS, EditService
from loomstack_mcp.services.sessions import session_run
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

CHANGES = queries.statements("changes")
_BOUND_AT_ONCE = 500
"""Commits of one statement, which holds each against each."""


class CommitService:
    """What git's hooks ask and tell of the commits that they see made."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def has_several_agents(self, caller: Caller, checkout: Checkout) -> bool:
        """Whether what is committed has to tell which of the caller's agents makes it."""
        if caller.certain:
            return False
        with self._store.read() as tx:
            return any(run.agent for run in _own(tx, caller, repos.repo_id_of(tx, checkout)).values())

    def committing_run(self, caller: Caller, checkout: Checkout, paths: Sequence[str]) -> str:
        """The run that commits these paths in the checkout, its lease renewed.

        Of an agent the newest that it asked for, else its session's, which is started where there is none. Raises
        Invalid where the client names no session.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            return _committing_run(tx, caller, repo_id, checkout, paths).id

    def held_by_others(
        self, caller: Caller, checkout: Checkout, paths: Sequence[str]
    ) -> tuple[tuple[Blocker, ...], int]:
        """What other sessions, or other people, hold exclusively of these paths; and the time.

        A session's agents commit what one another wrote.
        """
        edits, found = EditService(self._store), dict[str, Blocker]()
        wanted, now_ms = list(_literals(paths)), 0
        for start in range(0, max(1, len(wanted)), PATHS_MAX):
            some, now_ms = edits.blockers(caller, checkout, wanted[start : start + PATHS_MAX])
            found |= {one.claim: one for one in some}
        with self._store.read() as tx:
            own = {run.id for run in own_runs(tx, replace(caller, certain=False))} if caller.session else set()
        return tuple(one for one in found.values() if one.run not in own), now_ms

    def bind_commit(
        self, caller: Caller, checkout: Checkout, sha: str, *, named: Sequence[str], paths: Sequence[str]
    ) -> tuple[str, ...]:
        """A commit was made: it is that of the caller's runs that its message names; where it names none, of the one
        that commits these paths. Returns whose it is; nobody's where the message names others' alone.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            known = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(list(named)))) if named else ()
            makers = [run.id for run in known if run.repo_id == repo_id and acts_for(caller, run)]
            if not named:
                makers = [_committing_run(tx, caller, repo_id, checkout, paths).id]
            for run_id in makers:
                _bind(tx, repo_id, run_id, [sha])
        return tuple(makers)

    def rebind_commits(self, checkout: Checkout, rewritten: Sequence[tuple[str, str]]) -> None:
        """Commits were rewritten, each old one as a new one: what was a run's still is."""
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            made = [
                (row["run_id"], new)
                for old, new in rewritten
                for row in tx.all(CHANGES["makers"], repo_id=repo_id, sha=old)
            ]
        by_run: dict[str, list[str]] = {}
        for run_id, new in made:
            by_run.setdefault(run_id, []).append(new)
        if not by_run:
            return
        with self._store.write(repo_id) as tx:
            for run_id, shas in by_run.items():
                _bind(tx, repo_id, run_id, list(dict.fromkeys(shas)))


def _committing_run(tx: Tx, caller: Caller, repo_id: str, checkout: Checkout, paths: Sequence[str]) -> Run:
    own = _own(tx, caller, repo_id)
    is_told = caller.certain or not any(run.agent for run in own.values())
    agent = caller.agent if is_told else _committing_agent(tx, repo_id, own, checkout, paths)
    who = replace(caller, agent=agent, certain=True)
    makers = {run.id: run for run in own.values() if run.agent == agent and _may_commit(run)}
    if not makers:
        return session_run(tx, who, repo_id, checkout)
    found = _holders(tx, repo_id, makers, paths) if len(makers) > 1 else {}
    holding = {run_id for runs in found.values() for run_id in runs} or makers
    return used_run(tx, who, next(run for run in makers.values() if run.id in holding))


def _may_commit(run: Run) -> bool:
    """Whether it was asked for, and not to check another: who checks makes nothing."""
    return run.origin == "asked" and not run.checks_run


def _own(tx: Tx, caller: Caller, repo_id: str) -> dict[str, Run]:
    """The caller's live runs in a repo, newest first."""
    return {run.id: run for run in own_runs(tx, caller) if run.repo_id == repo_id}


def _committing_agent(tx: Tx, repo_id: str, own: Mapping[str, Run], checkout: Checkout, paths: Sequence[str]) -> str:
    worktrees: dict[str, set[str]] = {}
    for run in own.values():
        worktrees.setdefault(run.agent, set()).add(run.worktree)
    found = _holders(tx, repo_id, own, paths)
    holders = {pattern: {own[run_id].agent for run_id in runs} for pattern, runs in found.items()}
    return committing_agent(holders, worktrees, paths=list(holders), here=encodable(checkout.worktree))


def _holders(tx: Tx, repo_id: str, own: Mapping[str, Run], paths: Sequence[str]) -> dict[str, set[str]]:
    """Which of these runs hold each of the paths, by the pattern of the path."""
    ignore_case = path_index.folds(tx, repo_id)
    found: dict[str, set[str]] = {}
    for pattern in islice(_literals(paths), LIST_MAX):
        for page in path_index.overlapping(tx, repo_id, "claim", [pattern], ignore_case=ignore_case):
            for row in tx.all(CLAIMS["held_by_ids"], ids=rows.json_column(page)):
                run = own.get(str(row["run_id"]))
                if run and first_overlap([pattern], rows.list_column(row["patterns"]), ignore_case=ignore_case):
                    found.setdefault(pattern, set()).add(run.id)
    return found


def _literals(paths: Sequence[str]) -> Iterator[str]:
    """Files as patterns, without those whose names are too long to be claimed."""
    return (pattern for pattern in map(literal, map(encodable, paths)) if len(pattern) <= PATTERN_CHARS_MAX)


def _bind(tx: Tx, repo_id: str, run_id: str, shas: Sequence[str]) -> None:
    """Git saw that run make these, just now. What landed under one of these ids is bound when it is taken in."""
    for at in range(0, len(shas), _BOUND_AT_ONCE):
        some = shas[at : at + _BOUND_AT_ONCE]
        columns = {"shas": rows.json_column(some), "made": rows.json_column([tx.now_ms] * len(some))}
        tx.later(CHANGES["bind"], repo_id=repo_id, run_id=run_id, bound_by="commit", seen=1, **columns)
    for sha in shas:
        events.append(tx, repo_id, "commit.made", about=sha, run_id=run_id)
