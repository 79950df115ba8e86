"""A claim granted, or renewed: its row, its place in the index, its event, and the one lease of its run."""

from dataclasses import replace

from loomstack_mcp.core.claims import Claim, Waiter
from loomstack_mcp.core.runs import Run, renewed
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.acting import saved_lease
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_COLUMNS = ("repo_id", "run_id", "fence", "mode", "intent", "patterns", "ttl_ms", "granted_at_ms")


def same_claim(tx: Tx, wanted: Waiter) -> Claim | None:
    """The claim that the run already has on exactly these patterns."""
    patterns = rows.json_column(wanted.patterns)
    found = tx.all(CLAIMS["same"], run_id=wanted.run_id, mode=wanted.mode, patterns=patterns)
    return rows.record(Claim, found[0]) if found else None


def grant_claim(tx: Tx, run: Run, wanted: Waiter, *, ttl_ms: int, longest_ms: int) -> Claim:
    """A new claim of the run, under the next fencing token, with the run's lease renewed.

    `longest_ms` is the longest lease that the run asked for with what it holds already.
    """
    fence = events.next_seq(tx, run.repo_id)
    claim = Claim(
        id="",
        repo_id=run.repo_id,
        run_id=run.id,
        fence=fence,
        mode=wanted.mode,
        intent=wanted.intent,
        patterns=wanted.patterns,
        ttl_ms=ttl_ms,
        granted_at_ms=tx.now_ms,
        expires_at_ms=0,
        loop=run.loop,
        principal=run.principal,
    )
    columns = rows.row(claim, only=_COLUMNS)
    claim = replace(claim, id=events.drawn("claim", lambda id: tx.run(CLAIMS["insert"], id=id, **columns)))  # noqa: A006
    path_index.index_paths(tx, run.repo_id, "claim", claim.id, claim.patterns)
    payload = {"patterns": claim.patterns, "mode": claim.mode, "intent": claim.intent}
    events.append(tx, run.repo_id, "claim.granted", about=claim.id, run_id=run.id, payload=payload, seq=fence)
    return replace(claim, expires_at_ms=_leased(tx, run, max(ttl_ms, longest_ms)).expires_at_ms)


def renew_claim(tx: Tx, run: Run, mine: Claim, *, intent: str, ttl_ms: int) -> Claim:
    """The claim under its old fencing token, with its new intent, and the run's lease renewed."""
    tx.run(CLAIMS["renew"], id=mine.id, intent=intent, ttl_ms=ttl_ms)
    [longest] = tx.all(CLAIMS["longest"], run_id=run.id)
    run = _leased(tx, run, longest["ttl_ms"])
    events.append(tx, run.repo_id, "claim.renewed", about=mine.id, run_id=run.id, payload={"intent": intent})
    return replace(mine, intent=intent, ttl_ms=ttl_ms, expires_at_ms=run.expires_at_ms)


def _leased(tx: Tx, run: Run, longest_ms: int) -> Run:
    """One lease for all claims of a run: the longest that any of them asked for."""
    return saved_lease(tx, renewed(run, now_ms=tx.now_ms, ttl_ms=longest_ms))
