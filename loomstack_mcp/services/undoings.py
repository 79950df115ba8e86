"""Undoings told before they are written: an edit against what landed on purpose on its file."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.services import landed, repos
from loomstack_mcp.services.ledger import LedgerService
from loomstack_mcp.services.proposals import conflicts_of
from loomstack_mcp.services.sessions import session_run
from loomstack_mcp.store.base import Store


class UndoingService:
    """What the ledger has of a file, compared with what an edit would make of it. Nothing is filled nor recorded."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def key(self, checkout: Checkout) -> bytes:
        """The key under which the lines of the checkout's repo are hashed."""
        return LedgerService(self._store).key(checkout)

    def undone_by(
        self,
        caller: Caller,
        checkout: Checkout,
        file: FileChange,
        landings: Sequence[tuple[str, tuple[str, ...]]],
        *,
        window_ms: int,
        target: str,
    ) -> tuple[tuple[Conflict, ...], int]:
        """What landed that this change of a file takes back and nobody agreed to, as landing will say. And the time.

        `landings` are the commits that changed the file, each with those of them that it was made on, which come first.
        """
        repo_id = repos.recorded_repo_id(self._store, checkout)
        with self._store.write(repo_id) as tx:
            run = session_run(tx, caller, repo_id, checkout)
        with self._store.read() as tx:
            known = landed.at_paths(tx, repo_id, [file.path])
            history = tuple(replace(known[sha], files=(), parents=on) for sha, on in landings if sha in known)
            on = (history[-1].sha,) if history else ()
            mine = Change(sha="", parents=on, at_ms=tx.now_ms, written_ms=tx.now_ms, files=(file,))
            proposal = Proposal(changes=(mine,), history=history, window_ms=window_ms, target=target)
            found = conflicts_of(tx, repo_id, proposal, run=run)
            return tuple(one for one in found.conflicts if one.verdict == "stop" and one.kind != "intent"), tx.now_ms
