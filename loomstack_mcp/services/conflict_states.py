"""The states of a conflict, open, settled and void, and how one ends."""

from typing import Literal

from loomstack_mcp.core.changes.conflict_records import Conflict, Verdict
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.runs import Run
from loomstack_mcp.services import events
from loomstack_mcp.services.notices import settle_notices
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Tx

CONFLICTS = queries.statements("conflicts")


def open_conflicts(tx: Tx, repo_id: str, *, limit: int, verdict: Verdict | None = None) -> tuple[Conflict, ...]:
    """Those neither settled nor void, newest first: all, or those of one verdict."""
    asked = {"repo_id": repo_id, "verdict": verdict or "", "limit": limit}
    return rows.as_records(Conflict, tx.all(CONFLICTS["open"], **asked))


def conflict_of_id(tx: Tx, repo_id: str, conflict_id: str) -> Conflict:
    """The conflict of that id, in whatever state. Raises NotFound where the repo has none."""
    found = rows.as_records(Conflict, tx.all(CONFLICTS["get"], id=conflict_id))
    if not found or found[0].repo_id != repo_id:
        raise NotFound(
            f"conflict {conflict_id[:100]} is unknown here; `loomstack-mcp conflicts list` shows those there are"
        )
    return found[0]


def end_conflict(
    tx: Tx, conflict: Conflict, state: Literal["settled", "void"], how: str, *, agreed_by: str = ""
) -> None:
    """It is open no longer; `agreed_by` is the note, or the person, that agreed to it."""
    tx.later(CONFLICTS["end"], id=conflict.id, state=state, how=how, agreed_by=agreed_by, now_ms=tx.now_ms)
    settle_notices(tx, conflict.id)
    payload = {"state": state, "how": how, "agreed_by": agreed_by}
    events.append(tx, conflict.repo_id, "conflict.ended", about=conflict.id, run_id=conflict.run_id, payload=payload)


def void_conflicts(tx: Tx, run: Run, how: str) -> None:
    """The run is over: what it would have changed is nobody's any more."""
    for conflict in rows.as_records(Conflict, tx.all(CONFLICTS["of_run"], run_id=run.id)):
        end_conflict(tx, conflict, "void", how)
