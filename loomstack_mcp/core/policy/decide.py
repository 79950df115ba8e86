"""The decision: every rule held against a situation, the strictest answer, and all reasons."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.policy.applies import applies
from loomstack_mcp.core.policy.approvals import Approver, may_answer
from loomstack_mcp.core.policy.checks import violations
from loomstack_mcp.core.policy.known import known_people
from loomstack_mcp.core.policy.loading import RULES_LOAD
from loomstack_mcp.core.policy.rules import STRICTNESS, Answer, Approve, Rule, Rulebook, Waiver
from loomstack_mcp.core.policy.situation import ApprovalFact, Situation
from loomstack_mcp.core.policy.violations import Unknown, Violation
from loomstack_mcp.core.records import record

ReasonOutcome = Literal["fired", "audit", "waived", "approved", "pending"]


@record
class Reason:
    """What one rule had to do with the decision."""

    rule: Rule
    outcome: ReasonOutcome
    effect: Answer
    """At this point; a pending rule warns."""
    violations: tuple[Violation, ...]
    matched_time: str = ""
    """The window or freeze, where the rule has any."""
    waivers: tuple[str, ...] = ()
    """Those that covered it, or some of it."""
    dead_waivers: tuple[str, ...] = ()
    """Those that would have, with why they did not."""
    approvals: tuple[ApprovalFact, ...] = ()
    """Those that lifted it."""


@record
class Decision:
    """The answer, with every rule that fired, would have fired, or could not be decided."""

    answer: Answer
    reasons: tuple[Reason, ...]
    policy: str
    """The hash of the rules."""
    makers: tuple[str, ...] = ()
    """All names of those who made what was decided on."""

    @property
    def fired(self) -> tuple[str, ...]:
        """The ids of the rules that fired."""
        return tuple(reason.rule.id for reason in self.reasons if reason.outcome == "fired")


def decide(book: Rulebook, situation: Situation, /) -> Decision:
    """Hold every rule against the situation. Deny comes before approval, before warn, before allow."""
    rules = (RULES_LOAD, *book.rules)
    situation = known_people(situation, book.people)
    reasons = tuple(reason for rule in rules if (reason := _reason(rule, book.waivers, situation)))
    answers: list[Answer] = ["allow", *(one.effect for one in reasons if one.outcome in ("fired", "pending"))]
    strictest = max(answers, key=STRICTNESS.index)
    return Decision(answer=strictest, reasons=reasons, policy=book.hash, makers=tuple(sorted(situation.makers)))


def _reason(rule: Rule, waivers: Sequence[Waiver], situation: Situation) -> Reason | None:
    softened = rule.at.get(situation.point, rule.effect)
    if softened == "off":
        return None
    try:
        found = applies(rule, situation)
        if found is None:
            return None
        wrong = violations(rule, situation, found)
    except Unknown as unknown:
        # Only early: at a final point what is not known has been made a violation already.
        return _pending(rule, situation, str(unknown))
    if "paths" in found.unknown or (wrong and found.unknown):
        return _pending(rule, situation, ", ".join(found.unknown))
    if not wrong:
        return None
    reason = Reason(rule=rule, outcome="fired", effect=softened, violations=wrong, matched_time=found.time)
    if rule.mode == "audit" or not any(one.hard for one in wrong):
        return replace(reason, outcome="audit")
    return _approved(_waived(reason, waivers, situation), situation)


def _pending(rule: Rule, situation: Situation, unknown: str) -> Reason:
    missing = Violation(text=f"{unknown} is not known at {situation.point}")
    outcome: ReasonOutcome = "audit" if rule.mode == "audit" else "pending"
    return Reason(rule=rule, outcome=outcome, effect="warn", violations=(missing,))


def _waived(reason: Reason, waivers: Sequence[Waiver], situation: Situation) -> Reason:
    """Without the violations that live waivers cover; a waiver covers exact paths only."""
    left = reason.violations
    used: list[str] = []
    dead: list[str] = []
    for waiver in waivers:
        if waiver.rule != reason.rule.id:
            continue
        if why := _is_dead(waiver, reason.rule, situation):
            dead.append(f"{waiver.id}: {why}")
            continue
        rest = tuple(one for one in left if not _covers(waiver, one))
        if len(rest) < len(left):
            used.append(waiver.id)
            left = rest
    reason = replace(reason, waivers=tuple(used), dead_waivers=tuple(dead))
    return replace(reason, violations=left) if left else replace(reason, outcome="waived")


def _is_dead(waiver: Waiver, rule: Rule, situation: Situation) -> str:
    if waiver.approved_role not in rule.waivable_by:
        return f"{waiver.approved_role} may not waive {rule.id}"
    if not waiver.created_at_ms <= situation.now_ms:
        return "not in force yet"
    if not situation.now_ms < waiver.expires_at_ms:
        return "expired"
    if waiver.approved_by in situation.makers:
        return f"{waiver.approved_by} made the change"
    if waiver.loop and waiver.loop != situation.actor.loop:
        return f"for {waiver.loop} alone"
    if waiver.work_item and waiver.work_item != situation.work_item:
        return f"for {waiver.work_item} alone"
    return ""


def _covers(waiver: Waiver, violation: Violation) -> bool:
    return not waiver.paths or bool(violation.path and compiled(waiver.paths).exact(violation.path))


def _approved(reason: Reason, situation: Situation) -> Reason:
    """Lifted where enough people have approved exactly this content."""
    approve = reason.rule.approve
    if reason.outcome != "fired" or approve is None or reason.effect != "require_approval":
        return reason
    given = tuple(one for one in situation.approvals if _lifts(one, reason.rule, approve, situation))
    is_enough = len({one.by for one in given}) >= approve.count
    return replace(reason, outcome="approved", approvals=given) if is_enough else reason


def _lifts(approval: ApprovalFact, rule: Rule, approve: Approve, situation: Situation) -> bool:
    """Whether an approval is for this rule and exactly this content, still holds, and comes from one who may."""
    is_for_this = (approval.rule, approval.commit, approval.digest) == (rule.id, situation.head, situation.digest)
    is_in_force = approval.until_ms is None or situation.now_ms < approval.until_ms
    approver = Approver(name=approval.by, names=approval.names, roles=approval.roles)
    return is_for_this and is_in_force and may_answer(approve, approver, situation.makers)
