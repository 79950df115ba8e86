"""Claims: grant, refuse, renew and release paths."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.claims import (
    Claim,
    ClaimResult,
    Mode,
    PathWarning,
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
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.runs import Caller, Run, renewed
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, ledger, path_index, waiters
from loomstack_mcp.services.acting import entered, lineage, saved
from loomstack_mcp.services.blockers import CLAIMS, in_the_way
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

NOTES = queries.load("notes")

_WARNINGS_MAX = 3
_ENDS: dict[Literal["released", "expired"], EventKind] = {"released": "claim.released", "expired": "claim.expired"}
_WARNING_CANDIDATES_MAX = 200


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
        Claiming the same patterns again renews the same claim, with the same fencing token.
        """
        intent = bounded("intent", intent, chars_max=SENTENCE_CHARS_MAX, required=True)
        path_index.few(patterns, least=1)
        within("minutes", -(-ttl_ms // MINUTE_MS), least=1, most=LEASE_MINUTES_MAX)  # rounded up
        within("wait_seconds", wait_ms // SECOND_MS, least=0, most=WAIT_SECONDS_MAX)
        with entered(self._store, caller, run_id) as (tx, run):
            wanted = Waiter(
                id="",
                repo_id=run.repo_id,
                run_id=run.id,
                seq=0,
                mode=mode,
                intent=intent,
                patterns=tuple(sorted(set(patterns))),
                place_until_ms=tx.now_ms + wait_ms + WAITER_GRACE_MS if wait_ms else 0,
            )
            if mine := _same(tx, wanted):
                return _granted(tx, run, _renewed(tx, run, mine, intent=intent, ttl_ms=ttl_ms))
            before = waiters.refused_before(tx, wanted)
            found, lapsed = in_the_way(tx, wanted, before=before)
            if found:
                waiters.remember(tx, wanted, before=before, blocker=found[0])
                return ClaimResult(
                    run=run.id,
                    repo_id=run.repo_id,
                    blockers=tuple(found[:BLOCKERS_MAX]),
                    blockers_more=len(found[BLOCKERS_MAX:]),
                    position=1 + sum(not blocker.claim for blocker in found) if wait_ms else 0,
                    instead=instead(found, waited=wait_ms > 0),
                    now_ms=tx.now_ms,
                    cursor=path_index.cursor(tx, run.repo_id),
                    alerts=events.delivered(tx, run.id),
                )
            end(tx, lapsed, "expired", granted_to=run)
            waiters.settle(tx, before)
            return _granted(tx, run, _grant(tx, run, wanted, ttl_ms=ttl_ms))

    def release_paths(self, caller: Caller, run_id: str, *, claims: Sequence[str] = ()) -> ReleaseResult:
        """End these claims of the run, or all of them, and tell those who were refused.

        Raises LeaseLost for a claim that has ended already, NotFound or Unauthorized for one that
        is not the run's; then nothing is released.
        """
        with entered(self._store, caller, run_id) as (tx, run):
            held = held_by(tx, run.id)
            for claim_id in set(claims) - {claim.id for claim in held}:
                raise _not_held(tx, run, claim_id)
            ending = [claim for claim in held if not claims or claim.id in claims]
            return ReleaseResult(
                run=run.id,
                released=tuple(claim.id for claim in ending),
                now_free_for=end(tx, ending, "released"),
                alerts=events.delivered(tx, run.id),
            )

    def held(self, repo_id: str, *, limit: int) -> tuple[tuple[Claim, ...], int]:
        """What is held now in a repo, newest first. And the time, in milliseconds."""
        with self._store.read() as tx:
            found = tx.all(CLAIMS["held"], repo_id=repo_id, now_ms=tx.now_ms, limit=limit)
            return rows.records(Claim, found), tx.now_ms


def held_by(tx: Tx, run_id: str) -> tuple[Claim, ...]:
    """What a run holds, lapsed claims that nobody took over included."""
    return rows.records(Claim, tx.all(CLAIMS["held_by_run"], run_id=run_id))


def end(
    tx: Tx, claims: Sequence[Claim], how: Literal["released", "expired"], *, granted_to: Run | None = None
) -> tuple[str, ...]:
    """End claims; returns the runs that can now have what they were refused.

    A holder whose claim ends by time is alerted: it may still believe that it holds the paths.
    """
    if not claims:
        return ()
    ids = [claim.id for claim in claims]
    tx.run(CLAIMS["end"], ids=rows.text(ids), now_ms=tx.now_ms, how=how)
    path_index.lift(tx, ids)
    for claim in claims:
        payload = {"fence": claim.fence, "patterns": claim.patterns}
        seq = events.append(tx, claim.repo_id, _ENDS[how], about=claim.id, run_id=claim.run_id, payload=payload)
        if how == "expired":
            taken = f" and {granted_to.id} was granted it" if granted_to else ""
            text = f"your lease on {few_listed(claim.patterns)} ended{taken}: stop editing there, claim again"
            events.alert(tx, claim.run_id, "expired", seq=seq, about=claim.id, text=text)
    return () if granted_to else waiters.told_free(tx, claims)


def warnings(tx: Tx, run: Run, wanted: Sequence[str]) -> tuple[PathWarning, ...]:
    """What others mean to keep on these paths: their live intents and warnings, and what they landed on purpose."""
    if not wanted:
        return ()
    ignore_case = path_index.folds(tx, run.repo_id)
    family = lineage(tx, run.id)
    nearby = path_index.near(tx, run.repo_id, "note", wanted, limit=_WARNING_CANDIDATES_MAX)
    notes = rows.records(Note, tx.all(NOTES["by_ids"], ids=rows.text(nearby), now_ms=tx.now_ms))
    told = [
        PathWarning(note=note.id, text=note.text, who=note.author, age_ms=tx.now_ms - note.shared_at_ms)
        for note in notes
        if note.kind in ("intent", "warning")
        and note.run_id != run.id
        and first_overlap(wanted, note.paths, ignore_case=ignore_case)
    ]
    landed = ledger.on_purpose(tx, run.repo_id, wanted, limit=_WARNING_CANDIDATES_MAX)
    told += [
        PathWarning(commit=change.sha, text=intent.text, who=change.author, age_ms=max(0, tx.now_ms - change.at_ms))
        for change in landed
        if change.run not in family
        and change.author != run.who
        and (intent := ledger.claim_on(tx, change.run, wanted, ignore_case=ignore_case))
    ]
    return tuple(told[:_WARNINGS_MAX])


def _same(tx: Tx, wanted: Waiter) -> Claim | None:
    """The claim that the run already has on exactly these patterns."""
    patterns = rows.text(wanted.patterns)
    found = tx.all(CLAIMS["same"], run_id=wanted.run_id, mode=wanted.mode, patterns=patterns)
    return rows.record(Claim, found[0]) if found else None


def _grant(tx: Tx, run: Run, wanted: Waiter, *, ttl_ms: int) -> Claim:
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
    columns = {name: value for name, value in rows.row(claim).items() if name in _COLUMNS}
    claim = replace(claim, id=events.drawn("claim", lambda id: tx.run(CLAIMS["insert"], id=id, **columns)))  # noqa: A006
    path_index.lay(tx, run.repo_id, "claim", claim.id, claim.patterns)
    payload = {"patterns": claim.patterns, "mode": claim.mode, "intent": claim.intent}
    events.append(tx, run.repo_id, "claim.granted", about=claim.id, run_id=run.id, payload=payload, seq=fence)
    return replace(claim, expires_at_ms=_leased(tx, run).expires_at_ms)


def _renewed(tx: Tx, run: Run, mine: Claim, *, intent: str, ttl_ms: int) -> Claim:
    tx.run(CLAIMS["renew"], id=mine.id, intent=intent, ttl_ms=ttl_ms)
    run = _leased(tx, run)
    events.append(tx, run.repo_id, "claim.renewed", about=mine.id, run_id=run.id, payload={"intent": intent})
    return replace(mine, intent=intent, ttl_ms=ttl_ms, expires_at_ms=run.expires_at_ms)


def _leased(tx: Tx, run: Run) -> Run:
    """One lease for all claims of a run: the longest that any of them asked for."""
    [longest] = tx.all(CLAIMS["longest"], run_id=run.id)
    return saved(tx, renewed(run, now_ms=tx.now_ms, ttl_ms=longest["ttl_ms"]))


def _granted(tx: Tx, run: Run, claim: Claim) -> ClaimResult:
    return ClaimResult(
        run=run.id,
        repo_id=run.repo_id,
        claim=claim,
        warnings=warnings(tx, run, claim.patterns),
        now_ms=tx.now_ms,
        alerts=events.delivered(tx, run.id),
    )


def _not_held(tx: Tx, run: Run, claim_id: str) -> Exception:
    found = rows.records(Claim, tx.all(CLAIMS["get"], id=claim_id))
    if not found:
        return NotFound(f"claim {claim_id} is unknown; leave claims empty to release all of {run.id}")
    [claim] = found
    if claim.run_id != run.id:
        return Unauthorized(f"claim {claim_id} belongs to {claim.run_id}, not to {run.id}; nothing was released")
    ago = age(tx.now_ms - (claim.ended_at_ms or tx.now_ms))
    return LeaseLost(f"claim {claim_id} ended {ago} ago ({claim.ended_how}); nothing was released")


_COLUMNS = ("repo_id", "run_id", "fence", "mode", "intent", "patterns", "ttl_ms", "granted_at_ms")
