"""What waits for a person: questions of the rules, and landings that a conflict stops; as people read them."""

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.changes.conflicts import conflict_words
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.phrases import Body, age, lean
from loomstack_mcp.core.policy.approvals import Approval
from loomstack_mcp.core.texts import plain_line

_WHAT_CHARS_MAX = 200
_LINES_SHOWN = 3


def question_shown(one: Approval, /, *, now_ms: int) -> Body:
    """A question of the rules, in a row."""
    more = ["…"] if one.shown[_LINES_SHOWN:] else []
    return {
        "id": one.id,
        "asks": "/".join(one.actions),
        "who": one.who,
        "run": one.run_id,
        "what": plain_line("; ".join((*one.shown[:_LINES_SHOWN], *more)), chars_max=_WHAT_CHARS_MAX),
        "why": "; ".join(f"{rule.rule}: {rule.why}" for rule in one.rules),
        "age": age(now_ms - one.asked_at_ms),
        "next": f"loomstack-mcp approve {one.id}",
    }


def whole_question(one: Approval, /, *, now_ms: int) -> Body:
    """The same with exactly what would happen, which rules ask whom, and who has answered."""
    return {
        **question_shown(one, now_ms=now_ms),
        "state": one.state_at(now_ms),
        "point": one.point,
        "decision": one.decision_id,
        "head": one.head[:12],
        "digest": one.digest,
        "shown": one.shown,
        "makers": one.makers,
        "expires_in_s": max(0, one.until_ms - now_ms) // SECOND_MS,
        "rules": [
            lean({"rule": rule.rule, "why": rule.why, "at": rule.at, "by": rule.by, "count": rule.count,
                  "not_maker": rule.not_maker})
            for rule in one.rules
        ],
        "answers": [
            lean({"who": given.who, "verdict": given.verdict, "why": given.why,
                  "age": age(now_ms - given.answered_at_ms)})
            for given in one.answers
        ],
    }  # fmt: skip


def stop_shown(one: Conflict, /, *, now_ms: int) -> Body:
    """A landing that a conflict stops, in a row."""
    return {
        "id": one.id,
        "asks": one.kind,
        "who": one.who,
        "run": one.run_id,
        "what": conflict_words(one, now_ms=now_ms),
        "why": one.intent,
        "age": age(now_ms - one.found_at_ms),
        "next": f"loomstack-mcp conflicts settle {one.id}",
    }
