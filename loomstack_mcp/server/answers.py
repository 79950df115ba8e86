"""Records to lean structured content: what a model is shown, and nothing twice."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from mcp.types import CallToolResult, TextContent
from typing_extensions import TypedDict

from loomstack_mcp.core.briefing import Briefing, Section, age, lean
from loomstack_mcp.core.claims import Blocker, ClaimResult, PathWarning, ReleaseResult
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import CHARS_PER_TOKEN, SECOND_MS
from loomstack_mcp.core.notes import NoteResult
from loomstack_mcp.core.outcomes import OutcomeResult
from loomstack_mcp.core.policy.views import reasons_shown
from loomstack_mcp.core.views import conflict_shown
from loomstack_mcp.services.conflicts import ConflictResult
from loomstack_mcp.services.policy import PolicyResult
from loomstack_mcp.services.runs import StartResult

_REFUSAL_TOKENS_MAX = 200
_INTENT_CHARS_MAX = 100
_CONFLICTS_MAX = 8
_HASH_CHARS = 19
_PROBLEMS_MAX = 5

Items = list[dict[str, Any]]


class BriefingAnswer(TypedDict, total=False):
    cursor: int
    runs: Items
    claims: Items
    notes: Items
    changes: Items
    conflicts: Items
    rules: Items
    more: int
    alerts: Items


class StartAnswer(TypedDict, total=False):
    run: str
    resumed: bool
    briefing: BriefingAnswer
    warnings: Items
    next: str
    alerts: Items


class ClaimAnswer(TypedDict, total=False):
    granted: bool
    claim: str
    fence: int
    expires_in_s: int
    warnings: Items
    blockers: Items
    more: int
    position: int
    instead: str
    alerts: Items


class ReleaseAnswer(TypedDict, total=False):
    released: list[str]
    now_free_for: list[str]
    alerts: Items


class NoteAnswer(TypedDict, total=False):
    note: str
    seen_by: list[str]
    contradicts: Items
    alerts: Items


class OutcomeAnswer(TypedDict, total=False):
    outcome: str
    attempt: int
    rework: int
    next: dict[str, Any]
    released: list[str]
    alerts: Items


class PolicyAnswer(TypedDict, total=False):
    effect: str
    decision: str
    reasons: Items
    policy: str
    alerts: Items


class ConflictAnswer(TypedDict, total=False):
    verdict: str
    conflicts: Items
    more: int
    checked: dict[str, Any]
    unchecked: list[str]
    alerts: Items


def answer(content: Mapping[str, Any]) -> CallToolResult:
    """Structured content without empty fields, with the same JSON as text for clients that know no better."""
    body = dict(lean(content))
    return CallToolResult(content=[TextContent(type="text", text=_compact(body))], structured_content=body)


def started(result: StartResult) -> dict[str, Any]:
    return {
        "run": result.run.id,
        "resumed": result.resumed,
        "briefing": briefing(result.briefing),
        "warnings": warnings(result.warnings),
        "next": result.next,
        "alerts": alerts(result.alerts),
    }


def briefing(found: Briefing) -> dict[str, Any]:
    listed = {name: [dict(item) for item in getattr(found, name)] for name in get_args(Section)}
    return dict(lean({"cursor": found.cursor, **listed, "more": found.more or None}))


def claimed(result: ClaimResult) -> dict[str, Any]:
    """A grant, or a refusal of at most 200 tokens that names as many blockers as fit."""
    if result.claim:
        return {
            "granted": True,
            "claim": result.claim.id,
            "fence": result.claim.fence,
            "expires_in_s": (result.claim.expires_at_ms - result.now_ms) // SECOND_MS,
            "warnings": warnings(result.warnings),
            "alerts": alerts(result.alerts),
        }
    refusal: dict[str, Any] = {
        "granted": False,
        "blockers": [],
        "position": result.position or None,
        "instead": result.instead,
    }
    shown = [_blocker(blocker, result.now_ms) for blocker in result.blockers]
    for count in range(len(shown), 0, -1):
        more = len(shown) - count + result.blockers_more
        refusal |= {"blockers": shown[:count], "more": more or None}
        if count == 1 or len(_compact(dict(lean(refusal)))) <= _REFUSAL_TOKENS_MAX * CHARS_PER_TOKEN:
            break
    return {**refusal, "alerts": alerts(result.alerts)}


def released(result: ReleaseResult) -> dict[str, Any]:
    return {
        "released": list(result.released),
        "now_free_for": list(result.now_free_for),
        "alerts": alerts(result.alerts),
    }


def noted(result: NoteResult) -> dict[str, Any]:
    clashes = [
        {"note": old.id, "text": old.text, "who": old.author, "authority": old.authority} for old in result.contradicts
    ]
    return {
        "note": result.note.id,
        "seen_by": list(result.seen_by),
        "contradicts": clashes,
        "alerts": alerts(result.alerts),
    }


def recorded(result: OutcomeResult) -> dict[str, Any]:
    step = {"action": result.next.action, "why": result.next.why, "carry": list(result.next.carry)}
    return {
        "outcome": result.outcome.id,
        "attempt": result.outcome.attempt,
        "rework": result.outcome.rework,
        "next": dict(lean(step)),
        "released": list(result.released),
        "alerts": alerts(result.alerts),
    }


def checked(result: ConflictResult) -> dict[str, Any]:
    """The verdict, with as many conflicts as a model needs to act."""
    shown = result.conflicts[:_CONFLICTS_MAX]
    bodies = [dict(lean(conflict_shown(one, target=result.target, now_ms=result.now_ms))) for one in shown]
    return {
        "verdict": result.verdict,
        "conflicts": bodies,
        "more": len(result.conflicts) - len(shown) or None,
        "checked": {"against": result.target, "changes": result.changes, "ms": result.ms},
        "unchecked": list(result.unchecked),
        "alerts": alerts(result.alerts),
    }


def decided(result: PolicyResult) -> dict[str, Any]:
    """The effect, with every rule that has something to say."""
    decision = result.decision
    return {
        "effect": decision.answer,
        "decision": result.id,
        "reasons": reasons_shown(decision),
        "policy": decision.policy[:_HASH_CHARS],
        "alerts": alerts(result.alerts),
    }


def broken(problems: str) -> dict[str, Any]:
    """A set that does not load: nothing lands with it, so that mending it comes first."""
    reason = {
        "rule": "policy_error",
        "effect": "warn",
        "why": "the rules do not load, and a final point refuses everything until they do",
        "matched": problems.split("\n")[:_PROBLEMS_MAX],
        "fix": "mend the files; loomstack-mcp policy check tells what is left",
    }
    return {"effect": "warn", "reasons": [reason]}


def warnings(told: Sequence[PathWarning]) -> Items:
    return [
        dict(
            lean(
                {"note": one.note, "commit": one.commit[:12], "who": one.who, "text": one.text, "age": age(one.age_ms)}
            )
        )
        for one in told
    ]


def alerts(told: Sequence[Alert]) -> Items:
    return [
        dict(lean({"kind": alert.kind, "who": alert.who, "text": alert.text, "about": alert.about})) for alert in told
    ]


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


def _compact(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
