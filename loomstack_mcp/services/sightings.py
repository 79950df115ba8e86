"""Sightings: what hooks saw of agents, for a server that is not told who calls it, nor from where."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from loomstack_mcp.adapters.system import client_process
from loomstack_mcp.core.limits import CALL_SEEN_FOR_MS, EDIT_SEEN_FOR_MS
from loomstack_mcp.core.repos import Bearing, Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import repos
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

BEARINGS = queries.statements("bearings")
SIGHTINGS = queries.statements("sightings")
_UNCLAIMED = "unclaimed:"
"""Before a file, in the place of a call's id: an agent was told to claim it."""


class SightingService:
    """What a hook is told of an agent, kept until somebody needs it."""

    def __init__(self, store: Store, *, is_memory: bool = False) -> None:
        """A memory is one person's, beside a hub that has the runs."""
        self._store = store
        self._is_memory = is_memory

    def saw_call(self, caller: Caller, tool_use: str) -> None:
        """The caller is about to call a tool of ours, from its folder. What nobody can meet again is not kept."""
        if not (caller.session and tool_use):
            return
        with self._store.append() as tx:
            until_ms = tx.now_ms + CALL_SEEN_FOR_MS
            _noted(tx, caller, tool_use=tool_use, folder=caller.folder, until_ms=until_ms)

    def saw_edits(
        self, caller: Caller, checkout: Checkout, worktrees: Mapping[str, str], *, claim_edits: str = ""
    ) -> None:
        """The caller is about to edit in these worktrees, whose settings are as their stamps say.

        `claim_edits` is one of these settings, "" where it is not only theirs. Nothing is written where all of that is
        known.
        """
        if not caller.session:
            return
        with self._store.read() as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            known = _edited(tx, caller, repo_id)
        stamps = {encodable(top): stamp for top, stamp in worktrees.items()}
        if not (news := {top: stamp for top, stamp in stamps.items() if known.get(top) != (stamp, claim_edits)}):
            return
        with self._store.append() as tx:
            until_ms = tx.now_ms + EDIT_SEEN_FOR_MS
            for top, stamp in news.items():
                what = {"folder": top, "repo_id": repo_id, "stamp": stamp, "claim_edits": claim_edits}
                _noted(tx, caller, tool_use="", until_ms=until_ms, **what)

    def bearing_of(self, worktree: str) -> Bearing | None:
        """What git said of a worktree when it was last asked; whether that still holds its stamp tells."""
        with self._store.read() as tx:
            found = tx.all(BEARINGS["of_worktree"], folder=encodable(worktree))
        return rows.as_record(Bearing, found[0]) if found else None

    def keep_bearing(self, worktree: str, bearing: Bearing) -> None:
        """What git said of a worktree just now."""
        with self._store.append() as tx:
            tx.later(BEARINGS["end"], now_ms=tx.now_ms)
            until_ms = tx.now_ms + EDIT_SEEN_FOR_MS
            tx.later(BEARINGS["put"], folder=encodable(worktree), expires_at_ms=until_ms, **rows.row(bearing))

    def known_caller(self, caller: Caller, tool_use: str) -> Caller:
        """The caller with its agent and its folder, where a hook saw this call.

        And with the session that it is of by now: Claude Code goes on in another one after `/clear`, with the server
        that it had started for the first (run on 2.1.330).
        """
        if not (caller.session and tool_use):
            return caller
        process = client_process(caller.process)
        with self._store.read() as tx:
            found = tx.all(SIGHTINGS["call"], session=caller.session, tool_use=tool_use)
            if not found and self._is_memory:
                found = tx.all(SIGHTINGS["call_of_tool"], tool_use=tool_use)
            elif not found and process:
                asked = {"principal": caller.principal, "process": process, "tool_use": tool_use}
                found = tx.all(SIGHTINGS["call_of_process"], **asked)
        if not found:
            return caller
        told = {name: str(found[0][name]) for name in ("session", "agent", "folder")}
        return replace(caller, certain=True, **told)

    def edited(self, caller: Caller, checkout: Checkout) -> tuple[str, ...]:
        """The worktrees of its repo in which hooks saw the caller edit, and which were not looked at since."""
        with self._store.read() as tx:
            return tuple(_edited(tx, caller, repos.repo_id_of(tx, checkout)))

    def looked_at(self, caller: Caller, worktree: str) -> None:
        """What the caller did in a worktree so far was looked at."""
        with self._store.append() as tx:
            tx.later(
                SIGHTINGS["forget"],
                session=caller.session,
                agent=caller.agent,
                every_agent=int(not caller.certain),
                folder=encodable(worktree),
            )


def unclaimed_news(tx: Tx, caller: Caller, worktree: str, patterns: Sequence[str]) -> tuple[str, ...]:
    """Of files in a worktree that an agent did not claim, those of which it was not told so; now it is."""
    who = {"session": caller.session, "agent": caller.agent, "folder": worktree}
    news = [text for text in patterns if not tx.all(SIGHTINGS["known"], tool_use=f"{_UNCLAIMED}{text}", **who)]
    for text in news:
        _noted(tx, caller, tool_use=f"{_UNCLAIMED}{text}", folder=worktree, until_ms=tx.now_ms + EDIT_SEEN_FOR_MS)
    return tuple(news)


def _edited(tx: Tx, caller: Caller, repo_id: str) -> dict[str, tuple[str, str]]:
    """What is known of each worktree. Where it is not certain which agent calls, it may be any of its session."""
    found = tx.all(SIGHTINGS["edits"], session=caller.session, repo_id=repo_id)
    mine = [row for row in found if row["agent"] == caller.agent or not caller.certain]
    return {str(row["folder"]): (str(row["stamp"]), str(row["claim_edits"])) for row in mine}


def _noted(
    tx: Tx, caller: Caller, *, tool_use: str, folder: str, until_ms: int,
    repo_id: str = "", stamp: str = "", claim_edits: str = "",
) -> None:  # fmt: skip
    tx.later(SIGHTINGS["sweep"], now_ms=tx.now_ms)
    who = {"session": caller.session, "agent": caller.agent}
    what = {"tool_use": tool_use, "folder": folder, "repo_id": repo_id, "stamp": stamp, "claim_edits": claim_edits}
    tx.later(SIGHTINGS["insert"], **who, **what, expires_at_ms=until_ms)
