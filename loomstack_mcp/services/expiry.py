"""Ends what time has ended, for those who read: nothing depends on it."""

from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.runs import Run, is_lost
from loomstack_mcp.services import claims, events, path_index, waiters
from loomstack_mcp.services.acting import RUNS, saved_run
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.conflict_states import void_conflicts
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_RUNS_MAX = 50
"""One call settles this many lapsed runs, and automatic claims; the next call settles more."""


def swept(tx: Tx, repo_id: str) -> None:
    """End the claims of lapsed runs that were given up as lost, and automatic ones that lapsed; say so in the log.

    A run that only lapsed keeps what nobody else was granted: its next call renews it all.
    """
    [found] = tx.all(RUNS["any_lapsed"], repo_id=repo_id, now_ms=tx.now_ms)
    if not (found["has_runs"] or found["has_claims"]):
        return
    lapsed = tx.all(RUNS["lapsed"], repo_id=repo_id, now_ms=tx.now_ms, limit=_RUNS_MAX)
    for run in rows.as_records(Run, lapsed):
        if is_lost(run, now_ms=tx.now_ms):
            over(tx, replace(run, state="lost"), "run.lost")
    edited = tx.all(CLAIMS["auto_lapsed"], repo_id=repo_id, now_ms=tx.now_ms, limit=_RUNS_MAX)
    claims.end_claims(tx, rows.as_records(Claim, edited), "expired")


def over(tx: Tx, run: Run, how: Literal["run.ended", "run.lost"]) -> tuple[str, ...]:
    """A run is ended or lost: its claims end and it waits for nothing. Returns the claims that ended."""
    waiters.forget_waiters(tx, run.id)
    saved_run(tx, replace(run, ended_at_ms=tx.now_ms))
    events.append(tx, run.repo_id, how, about=run.id, run_id=run.id, payload={"status": run.status})
    void_conflicts(tx, run, "the run was lost" if how == "run.lost" else f"the run ended ({run.status})")
    path_index.unindex_paths(tx, [run.id])
    held = claims.held_by(tx, run.id)
    claims.end_claims(tx, held, "expired" if how == "run.lost" else "released")
    return tuple(claim.id for claim in held)
