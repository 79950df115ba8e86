"""A claim granted, or renewed: its row, its place in the index, its event, and the one lease of its run."""

from dataclasses import replace

from loomstack_mcp.core.claims import Claim, Waiter
from loomstack_mcp.core.limits import AUTO_LEASE_MS
from loomstack_mcp.core.runs import Run, renewed
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.acting import saved_lease
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx

_COLUMNS = (
    *("id", "repo_id", "run_id", "fence", "mode", "intent", "patterns", "ttl_ms", "granted_at_ms"),
    *("origin", "worktree"),
)


def renewed_claim(tx: Tx, run: Run, wanted: Waiter, *, ttl_ms: int) -> Claim | None:
    """The claim that the run already has on exactly these patterns, under its old fencing token; None without one.

    With its new intent, and the run's lease renewed.
    """
    patterns, intent = rows.json_column(wanted.patterns), wanted.intent
    found = tx.all(CLAIMS["same"], run_id=wanted.run_id, mode=wanted.mode, patterns=patterns)
    if not found:
        return None
    mine = rows.as_record(Claim, found[0])
    tx.later(CLAIMS["renew"], id=mine.id, intent=intent, ttl_ms=ttl_ms)
    run = _leased(tx, run, max(ttl_ms, found[0]["others_ms"]))
    events.append(tx, run.repo_id, "claim.renewed", about=mine.id, run_id=run.id, payload={"intent": intent})
    return replace(mine, intent=intent, ttl_ms=ttl_ms, expires_at_ms=run.expires_at_ms)


def grant_claim(tx: Tx, run: Run, wanted: Waiter, *, fresh_id: str, ttl_ms: int, longest_ms: int) -> Claim:
    """A new claim of the run, under the next fencing token, with the run's lease renewed.

    `longest_ms` is the longest lease that the run asked for with what it holds already; no claim has `fresh_id`.
    """
    claim = _recorded(tx, _drafted(tx, run, wanted, fresh_id=fresh_id, ttl_ms=ttl_ms))
    return replace(claim, expires_at_ms=_leased(tx, run, max(ttl_ms, longest_ms)).expires_at_ms)


def hold_file(tx: Tx, run: Run, wanted: Waiter, *, fresh_id: str, worktree: str) -> Claim:
    """An automatic claim of the run on a file that is edited in a worktree, by a lease of its own."""
    until_ms = tx.now_ms + AUTO_LEASE_MS
    draft = _drafted(tx, run, wanted, fresh_id=fresh_id, ttl_ms=AUTO_LEASE_MS)
    draft = replace(draft, origin="auto", worktree=worktree)
    return replace(_recorded(tx, draft, own_until_ms=until_ms), expires_at_ms=min(until_ms, run.expires_at_ms))


def _drafted(tx: Tx, run: Run, wanted: Waiter, *, fresh_id: str, ttl_ms: int) -> Claim:
    return Claim(
        id=fresh_id,
        repo_id=run.repo_id,
        run_id=run.id,
        fence=tx.next_seq(run.repo_id),
        mode=wanted.mode,
        intent=wanted.intent,
        patterns=wanted.patterns,
        ttl_ms=ttl_ms,
        granted_at_ms=tx.now_ms,
        expires_at_ms=0,
        loop=run.loop,
        principal=run.principal,
    )


def _recorded(tx: Tx, claim: Claim, *, own_until_ms: int | None = None) -> Claim:
    """The claim in the store, the index and the log."""
    tx.later(CLAIMS["insert"], **rows.row(claim, only=_COLUMNS), own_until_ms=own_until_ms)
    path_index.index_paths(tx, claim.repo_id, "claim", claim.id, claim.patterns)
    payload = {"patterns": claim.patterns, "mode": claim.mode, "intent": claim.intent}
    if claim.origin == "auto":
        payload["origin"] = claim.origin
    events.append(
        tx, claim.repo_id, "claim.granted", about=claim.id, run_id=claim.run_id, payload=payload, seq=claim.fence
    )
    return claim


def _leased(tx: Tx, run: Run, longest_ms: int) -> Run:
    """One lease for all claims of a run: the longest that any of them asked for."""
    return saved_lease(tx, renewed(run, now_ms=tx.now_ms, ttl_ms=longest_ms))
