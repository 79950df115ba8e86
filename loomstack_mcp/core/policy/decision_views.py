"""A decision as people, scripts and models read it."""

from collections.abc import Iterator, Mapping
from typing import Any

from loomstack_mcp.core.policy.approvals import AskedRule
from loomstack_mcp.core.policy.decide import Decision, Reason
from loomstack_mcp.core.policy.rules import Answer
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable

_MATCHED_MAX = 5


@record
class DecisionRecord:
    """A decision as a store keeps it."""

    answer: Answer
    fired: tuple[str, ...]
    reasons: tuple[Mapping[str, Any], ...]
    """In short."""
    policy: str
    asking: tuple[AskedRule, ...] = ()
    """The rules that want an approval; none where another rule denies: no approval lifts that."""
    used: tuple[str, ...] = ()
    """The approvals that let it through."""
    makers: tuple[str, ...] = ()
    """All names of those who made it: whoever approves must not be one of them, where a rule says so."""


def decision_record(decision: Decision, /, *, is_stopped: bool = False) -> DecisionRecord:
    """What is kept of a decision; where something else stops the action, no approval is asked, nor used."""
    is_asked = decision.answer == "require_approval" and not is_stopped
    is_passed = decision.answer in ("allow", "warn") and not is_stopped
    return DecisionRecord(
        answer=decision.answer,
        fired=decision.fired,
        reasons=tuple(reasons_shown(decision)),
        policy=decision.policy,
        asking=tuple(_asking(decision)) if is_asked else (),
        used=tuple(dict.fromkeys(_lifting(decision))) if is_passed else (),
        makers=decision.makers if is_asked else (),
    )


def decision_shown(decision: Decision, /) -> dict[str, Any]:
    """The whole record: the answer, every reason with all its violations, and the hash of the rules."""
    return {
        "decision": decision.answer,
        "fired": list(decision.fired),
        "reasons": [_whole(reason) for reason in decision.reasons],
        "policy": decision.policy,
    }


def reasons_shown(decision: Decision, /) -> list[dict[str, Any]]:
    """The reasons in short: as many violations of each as show what it is about."""
    return [_short(reason) for reason in decision.reasons]


def violation_text(violation: Violation, /) -> str:
    """`src/a.py:3: an AWS access key`, or the text alone where it names the path itself."""
    text, path = encodable(violation.text), encodable(violation.path)
    if not path or (path in text and not violation.line):
        return text
    return f"{path}:{violation.line}: {text}" if violation.line else f"{path}: {text}"


def _asking(decision: Decision) -> Iterator[AskedRule]:
    for reason in decision.reasons:
        rule, approve = reason.rule, reason.rule.approve
        if approve and (reason.outcome, reason.effect) == ("fired", "require_approval"):
            yield AskedRule(
                rule=rule.id,
                why=rule.why,
                at=rule.place,
                by=approve.by,
                count=approve.count,
                not_maker=approve.not_maker,
            )


def _lifting(decision: Decision) -> Iterator[str]:
    """The ids of the approvals that lifted a rule; of a case that was only told, there is none."""
    yield from (one.approval for reason in decision.reasons for one in reason.approvals if one.approval)


def _short(reason: Reason) -> dict[str, Any]:
    found = [violation_text(violation) for violation in reason.violations[:_MATCHED_MAX]]
    more = len(reason.violations) - len(found)
    body: Mapping[str, Any] = {
        "rule": reason.rule.id,
        "outcome": "" if reason.outcome == "fired" else reason.outcome,
        "effect": reason.effect,
        "why": reason.rule.why,
        "fix": reason.rule.fix,
        "at": reason.rule.place,
        "when": reason.matched_time,
        "matched": [*found, f"and {more} more"] if more else found,
        "dead_waivers": list(reason.dead_waivers),
        "by": list(dict.fromkeys(approval.by for approval in reason.approvals)),
    }
    return {name: value for name, value in body.items() if value not in ("", [])}


def _whole(reason: Reason) -> dict[str, Any]:
    return {
        **_short(reason),
        "outcome": reason.outcome,
        "layer": reason.rule.layer,
        "matched": [violation_text(violation) for violation in reason.violations],
        "waivers": list(reason.waivers),
    }
