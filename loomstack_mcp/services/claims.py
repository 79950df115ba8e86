"""Claims: grant, refuse, renew and release paths."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.claims import (
    Blocker,
    Claim,
    ClaimResult,
    Mode,
    ReleaseResult,
    Waiter,
    few_listed,
    instead,
)
from loomstack_mcp.core.errors import LeaseLost, NotFound, Unauthorized
from loomstack_mcp.core.events import EventKind
from loomstack_mcp.core.limits import (
    BLOCKERS_MAX,
    LEASE_MINUTES_MAX,
    MINUTE_MS,
    SECOND_MS,
    SENTENCE_CHARS_MAX,
    WAIT_SECONDS_MAX,
    WAITER_GRACE_MS,
)
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.runs import Caller, Run, acts_for
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, path_index, waiters
from loomstack_mcp.services.acting import acting_run, entered_run, named_run, saved_lease
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.gone import seen_gone
from loomstack_mcp.services.grants import grant_claim, renewed_claim
from loomstack_mcp.services.requests import Met, in_the_way, meet_ahead, met, near_of
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_How = Literal["released", "expired", "revoked"]
_ENDS: dict[_How, EventKind] = {"released": "claim.released", "expired": "claim.expired", "revoked": "claim.revoked"}


class ClaimService:
    """What runs hold. All of it ends by time, and nothing has to run for that."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim_paths(
        self,
        caller: Caller,
        run_id: str,
        *,
        patterns: Sequence[str],
        intent: str,
        mode: Mode,
        ttl_ms: int,
        wait_ms: int = 0,
    ) -> ClaimResult:
        """Grant all patterns or none.

        A refusal names the blockers. With `wait_ms` it keeps a place in the queue until a minute
        after the wait: call again once the repo's cursor has moved or a blocker's time is up.
        Claiming the same patterns again renews the same claim, with the same fencing token. Raises Invalid or
        LimitExceeded for what is out of bounds, and what `acting_run` raises.
        """
        intent = bounded("intent", intent, chars_max=SENTENCE_CHARS_MAX, required=True)
        path_index.refuse_many_paths(patterns, least=1)
        within("minutes", -(-ttl_ms // MINUTE_MS), least=1, most=LEASE_MINUTES_MAX)  # rounded up
        within("wait_seconds", wait_ms // SECOND_MS, least=0, most=WAIT_SECONDS_MAX)
        near = near_of(patterns)
        with entered_run(self._store, caller, run_id, ahead=lambda tx, run: meet_ahead(tx, run, near)) as (tx, run):
            place_until_ms = tx.now_ms + wait_ms + WAITER_GRACE_MS if wait_ms else 0
            wanted = replace(_wanted(run, patterns, mode=mode), intent=intent, place_until_ms=place_until_ms)
            here = met(tx, wanted, near)
            result = _answered(tx, run, wanted, here, ttl_ms=ttl_ms)
            if here.has_alerts:
                result = replace(result, alerts=events.delivered(tx, run.id))
        if result.claim is None or not here.is_told:
            return result
        # Here, for what reads landed changes is a third of all that a claim loads, and most claims need none of it.
        from loomstack_mcp.services.path_warnings import path_warnings

        with self._store.read() as tx:  # what is only read keeps nobody at the gate
            return replace(result, warnings=path_warnings(tx, run, result.claim.patterns))

    def withdraw(self, caller: Caller, run_id: str, *, patterns: Sequence[str], mode: Mode) -> None:
        """Whoever asked for these paths waits no longer: its place in the queue is free at once."""
        with self._store.read() as tx:
            run = named_run(tx, caller, run_id)
        if not acts_for(caller, run):
            return
        with self._store.write(run.repo_id) as tx:
            before = waiters.refused_before(tx, _wanted(run, patterns, mode=mode))
            waiters.withdraw_waiters(tx, [before] if before else [])

    def release_paths(self, caller: Caller, run_id: str, *, claims: Sequence[str] = ()) -> ReleaseResult:
        """End these claims of the run, or all of them, and tell those who were refused.

        Raises LeaseLost for a claim that has ended already, NotFound or Unauthorized for one that
        is not the run's; then nothing is released.
        """
        with acting_run(self._store, caller, run_id) as (tx, run):
            found = tx.all(CLAIMS["held_by_run"], run_id=run.id)
            held = rows.as_records(Claim, found)
            for claim_id in set(claims) - {claim.id for claim in held}:
                raise _not_held(tx, run, claim_id)
            ending = [claim for claim in held if not claims or claim.id in claims]
            return ReleaseResult(
                run=run.id,
                released=tuple(claim.id for claim in ending),
                now_free_for=end_claims(tx, ending, "released", is_awaited=bool(found and found[0]["is_awaited"])),
                alerts=events.delivered(tx, run.id) if not found or found[0]["has_alerts"] else (),
            )

    def held(self, repo_id: str, *, limit: int) -> tuple[tuple[Claim, ...], int]:
        """What is held now in a repo, newest first. And the time, in milliseconds."""
        with self._store.read() as tx:
            found = tx.all(CLAIMS["held"], repo_id=repo_id, now_ms=tx.now_ms, limit=limit)
            return rows.as_records(Claim, found), tx.now_ms


def held_by(tx: Tx, run_id: str) -> tuple[Claim, ...]:
    """What a run holds, lapsed claims that nobody took over included."""
    return rows.as_records(Claim, tx.all(CLAIMS["held_by_run"], run_id=run_id))


def end_claims(
    tx: Tx,
    claims: Sequence[Claim],
    how: _How,
    *,
    granted_to: Run | None = None,
    why: str = "",
    is_awaited: bool = True,
) -> tuple[str, ...]:
    """End claims, each held as this transaction read it; returns the runs that can now have what they were refused.

    A holder whose claim ends by time is alerted: it may still believe that it holds the paths. Who never asked for it
    believes nothing. `why` are the words of a person who ends them; `is_awaited` is False where nobody waits there.
    """
    if not claims:
        return ()
    ids = rows.json_column([claim.id for claim in claims])
    tx.later(CLAIMS["end"], ids=ids, now_ms=tx.now_ms, how=how, why=why)
    path_index.unindex_paths(tx, [claim.id for claim in claims])
    for claim in claims:
        payload = {"fence": claim.fence, "patterns": claim.patterns, **({"why": why} if why else {})}
        seq = events.append(tx, claim.repo_id, _ENDS[how], about=claim.id, run_id=claim.run_id, payload=payload)
        if how == "expired" and claim.origin == "asked":
            _alert_expired(tx, claim, seq, granted_to)
    return waiters.alert_freed(tx, claims) if is_awaited and not granted_to else ()


def _alert_expired(tx: Tx, claim: Claim, seq: int, granted_to: Run | None) -> None:
    taken = f" and {granted_to.id} was granted it" if granted_to else ""
    text = f"your lease on {few_listed(claim.patterns)} ended{taken}: stop editing there, claim again"
    events.alert(tx, claim.run_id, "expired", seq=seq, about=claim.id, text=text)


def end_passing(tx: Tx, ending: Sequence[Claim], *, granted_to: Run) -> None:
    """End claims over which another is granted: lapsed ones, and automatic ones that give way."""
    lapsed = [claim for claim in ending if claim.expires_at_ms <= tx.now_ms]
    end_claims(tx, lapsed, "expired", granted_to=granted_to)
    end_claims(tx, [claim for claim in ending if claim not in lapsed], "released", granted_to=granted_to)


def _answered(tx: Tx, run: Run, wanted: Waiter, here: Met, *, ttl_ms: int) -> ClaimResult:
    if here.may_renew(wanted) and (mine := renewed_claim(tx, run, wanted, ttl_ms=ttl_ms)):
        return _granted(tx, run, mine)
    before = waiters.refused_before(tx, wanted) if here.was_refused else None
    found, ending = in_the_way(tx, wanted, here, before=before)
    if found:
        found = seen_gone(tx, found)
        waiters.keep_waiter(tx, wanted, before=before, blocker=found[0])
        events.wake(tx, run.session)
        return _refused(tx, saved_lease(tx, run), found, waited=wanted.place_until_ms > 0)
    end_passing(tx, ending, granted_to=run)
    if here.was_refused:
        waiters.settle_waiters(tx, wanted)
    claim = grant_claim(tx, run, wanted, fresh_id=here.fresh_id, ttl_ms=ttl_ms, longest_ms=here.longest_ms)
    return _granted(tx, run, claim)


def _wanted(run: Run, patterns: Sequence[str], *, mode: Mode) -> Waiter:
    return Waiter(
        id="",
        repo_id=run.repo_id,
        run_id=run.id,
        seq=0,
        mode=mode,
        intent="",
        patterns=tuple(sorted(set(patterns))),
        place_until_ms=0,
    )


def _granted(tx: Tx, run: Run, claim: Claim) -> ClaimResult:
    return ClaimResult(run=run.id, repo_id=run.repo_id, claim=claim, now_ms=tx.now_ms)


def _refused(tx: Tx, run: Run, found: Sequence[Blocker], *, waited: bool) -> ClaimResult:
    return ClaimResult(
        run=run.id,
        repo_id=run.repo_id,
        blockers=tuple(found[:BLOCKERS_MAX]),
        blockers_more=len(found[BLOCKERS_MAX:]),
        position=1 + sum(not blocker.claim for blocker in found) if waited else 0,
        instead=instead(found, waited=waited),
        now_ms=tx.now_ms,
        cursor=path_index.cursor(tx, run.repo_id),
    )


def _not_held(tx: Tx, run: Run, claim_id: str) -> Exception:
    found = rows.as_records(Claim, tx.all(CLAIMS["get"], id=claim_id))
    if not found:
        return NotFound(f"claim {claim_id} is unknown; leave claims empty to release all of {run.id}")
    [claim] = found
    if claim.run_id != run.id:
        return Unauthorized(f"claim {claim_id} belongs to {claim.run_id}, not to {run.id}; nothing was released")
    ago = age(tx.now_ms - (claim.ended_at_ms or tx.now_ms))
    return LeaseLost(f"claim {claim_id} ended {ago} ago ({claim.ended_how}); nothing was released")
