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
    *("repo_id", "run_id", "fence", "mode", "intent", "patterns", "ttl_ms", "granted_at_ms"),
    *("origin", "worktree"),
)


def same_claim(tx: Tx, wanted: Waiter) -> Claim | None:
    """The claim that the run already has on exactly these patterns."""
    patterns = rows.json_column(wanted.patterns)
    found = tx.all(CLAIMS["same"], run_id=wanted.run_id, mode=wanted.mode, patterns=patterns)
    return rows.as_record(Claim, found[0]) if found else None


def grant_claim(tx: Tx, run: Run, wanted: Waiter, *, ttl_ms: int, longest_ms: int) -> Claim:
    """A new claim of the run, under the next fencing token, with the run's lease renewed.

    `longest_ms` is the longest lease that the run asked for with what it holds already.
    """
    claim = _recorded(tx, _drafted(tx, run, wanted, ttl_ms=ttl_ms))
    return replace(claim, expires_at_ms=_leased(tx, run, max(ttl_ms, longest_ms)).expires_at_ms)


def hold_file(tx: Tx, run: Run, wanted: Waiter, *, worktree: str) -> Claim:
    """An automatic claim of the run on a file that is edited in a worktree, by a lease of its own."""
    until_ms = tx.now_ms + AUTO_LEASE_MS
    draft = replace(_drafted(tx, run, wanted, ttl_ms=AUTO_LEASE_MS), origin="auto", worktree=worktree)
    return replace(_recorded(tx, draft, own_until_ms=until_ms), expires_at_ms=min(until_ms, run.expires_at_ms))


def _drafted(tx: Tx, run: Run, wanted: Waiter, *, ttl_ms: int) -> Claim:
    return Claim(
        id="",
        repo_id=run.repo_id,
        run_id=run.id,
        fence=events.next_seq(tx, run.repo_id),
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
    """The claim with its id, in the store, the index and the log."""
    columns = {**rows.row(claim, only=_COLUMNS), "own_until_ms": own_until_ms}
    claim = replace(claim, id=events.drawn("claim", lambda id: tx.run(CLAIMS["insert"], id=id, **columns)))  # noqa: A006
    path_index.index_paths(tx, claim.repo_id, "claim", claim.id, claim.patterns)
    payload = {"patterns": claim.patterns, "mode": claim.mode, "intent": claim.intent}
    if claim.origin == "auto":
        payload["origin"] = claim.origin
    events.append(
        tx, claim.repo_id, "claim.granted", about=claim.id, run_id=claim.run_id, payload=payload, seq=claim.fence
    )
    return claim


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
