"""claim_paths and release_paths."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypedDict

from loomstack_mcp.core.claims import Blocker, ClaimResult, Mode, ReleaseResult
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import CHARS_PER_TOKEN, MINUTE_MS, SECOND_MS, WAIT_SECONDS_MAX
from loomstack_mcp.core.phrases import lean
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call

_WAIT_S_MAX = 1_000_000_000
"""Refused, as is all above 45; more is more than a float holds."""


_REFUSAL_TOKENS_MAX = 200
_INTENT_CHARS_MAX = 100


class ClaimAnswer(TypedDict, total=False):
    granted: bool
    claim: str
    fence: int
    expires_in_s: int
    warnings: answers.Items
    blockers: answers.Items
    more: int
    position: int
    instead: str
    alerts: answers.Items


class ReleaseAnswer(TypedDict, total=False):
    released: list[str]
    now_free_for: list[str]
    alerts: answers.Items


def claim_paths(
    call: Call,
    *,
    run: str = "",
    paths: list[str],
    intent: str,
    mode: Mode = "exclusive",
    minutes: int = 30,
    wait_seconds: int = 0,
) -> ClaimAnswer:
    """Claim (lock, reserve) files, folders or globs before editing them; intent says why, to others.
    granted=false names who is editing there and what to do instead: do not edit there. wait_seconds ≤ 45
    queues. Your calls keep the lease alive."""
    until = time.monotonic() + max(0, min(wait_seconds, _WAIT_S_MAX))
    asked: list[tuple[str, ...]] = []

    def patterns(caller: Caller) -> tuple[str, ...]:
        """What the paths meant when they were asked for: a file that appears in the meantime changes nothing."""
        if not asked:
            asked.append(call.face.patterns(caller, paths))
        return asked[0]

    def attempt() -> ClaimResult:
        wait_ms = min(wait_seconds, _WAIT_S_MAX) * SECOND_MS
        # Rounded up, so that the last attempt, at the very end of the wait, still keeps its place.
        if 0 < wait_seconds <= WAIT_SECONDS_MAX:
            wait_ms = max(1, round((until - time.monotonic()) * SECOND_MS))
        return call.service(
            lambda caller: call.face.loom.claims.claim_paths(
                caller,
                run,
                patterns=patterns(caller),
                intent=intent,
                mode=mode,
                ttl_ms=minutes * MINUTE_MS,
                wait_ms=wait_ms,
            )
        )

    heard = False
    try:
        with call.face.told_of_end(call.stopped):
            result = attempt()
            while result.claim is None and time.monotonic() < until and not call.stopped.is_set():
                _await_change(call, result, until)
                result = attempt()
            heard = result.claim is not None or not call.stopped.is_set() or call.face.is_ending
    finally:
        if wait_seconds > 0 and asked and not heard:  # cancelled, or the client is gone: nobody will call again
            _withdraw(call, run, asked[0], mode)
    return claim_answer(result)


def release_paths(call: Call, *, run: str = "", claims: list[str] | None = None) -> ReleaseAnswer:
    """Release (unlock) claims as soon as you are done with them; none named: all of the run's."""

    def release(caller: Caller) -> ReleaseResult:
        return call.face.loom.claims.release_paths(caller, run, claims=claims or [])

    return release_answer(call.service(release))


def _withdraw(call: Call, run: str, patterns: Sequence[str], mode: Mode) -> None:
    """Leave the queue. A call that failed by itself has nothing there, which is no news."""
    with suppress(LoomError):
        call.service(lambda caller: call.face.loom.claims.withdraw(caller, run, patterns=patterns, mode=mode))


def _await_change(call: Call, refused: ClaimResult, until: float) -> None:
    """Sleep until something happened in the repo, a blocker's time is up, the call is stopped, or the wait is over."""
    lapse_s = min(blocker.until_ms for blocker in refused.blockers) - refused.now_ms
    until = min(until, time.monotonic() + lapse_s / SECOND_MS)
    call.face.waits.await_change(refused.repo_id, refused.cursor, until_s=until, stopped=call.stopped)


def claim_answer(result: ClaimResult) -> ClaimAnswer:
    """A grant, or a refusal of at most 200 tokens that names as many blockers as fit."""
    if result.claim:
        return {
            "granted": True,
            "claim": result.claim.id,
            "fence": result.claim.fence,
            "expires_in_s": (result.claim.expires_at_ms - result.now_ms) // SECOND_MS,
            "warnings": answers.warning_items(result.warnings),
            "alerts": answers.alert_items(result.alerts),
        }
    shown = [_blocker(blocker, result.now_ms) for blocker in result.blockers]
    fits = (
        count for count in range(len(shown), 1, -1) if _tokens(_refusal(result, shown[:count])) <= _REFUSAL_TOKENS_MAX
    )
    return {**_refusal(result, shown[: next(fits, 1)]), "alerts": answers.alert_items(result.alerts)}


def release_answer(result: ReleaseResult) -> ReleaseAnswer:
    """What is free now, and for whom."""
    return {
        "released": list(result.released),
        "now_free_for": list(result.now_free_for),
        "alerts": answers.alert_items(result.alerts),
    }


def _refusal(result: ClaimResult, shown: answers.Items) -> ClaimAnswer:
    refusal: ClaimAnswer = {"granted": False, "blockers": shown}
    if result.position:
        refusal["position"] = result.position
    refusal["instead"] = result.instead
    if more := len(result.blockers) - len(shown) + result.blockers_more:
        refusal["more"] = more
    return refusal


def _tokens(refusal: ClaimAnswer) -> float:
    return len(answers.compact(dict(lean(refusal)))) / CHARS_PER_TOKEN


def _blocker(blocker: Blocker, now_ms: int) -> dict[str, Any]:
    intent = blocker.intent
    shown = {
        "path": blocker.path,
        "claim": blocker.claim or "waiting",
        "run": blocker.run,
        "loop": blocker.loop,
        "who": blocker.who,
        "intent": f"{intent[:_INTENT_CHARS_MAX]}…" if len(intent) > _INTENT_CHARS_MAX else intent,
        "expires_in_s": max(0, blocker.until_ms - now_ms) // SECOND_MS,
    }
    return dict(lean(shown))
