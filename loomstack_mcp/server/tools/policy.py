"""check_policy."""

from collections.abc import Sequence
from typing import TypedDict

from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.policy.approvals import approval_advice
from loomstack_mcp.core.policy.decision_views import reasons_shown
from loomstack_mcp.core.policy.facts import told_situation
from loomstack_mcp.core.policy.rules import ActionKind
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.deciding import PolicyResult, decided_action
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call

_HASH_CHARS = 19
_OF_WORKTREE = frozenset({"commit", "push", "land"})
"""What is judged by what the worktree holds, where no path is named."""
_PROBLEMS_MAX = 5


class PolicyAnswer(TypedDict, total=False):
    effect: str
    decision: str
    reasons: answers.Items
    policy: str
    approval: str
    next: str
    unchecked: list[str]
    alerts: answers.Items


def check_policy(
    call: Call,
    *,
    run: str = "",
    action: ActionKind,
    paths: list[str] | None = None,
    command: str = "",
    target: str = "",
    base: str = "",
    worktree: str = "",
) -> PolicyAnswer:
    """Ask what the team's rules say before you act: permission to edit, push, deploy. deny: do not;
    require_approval: ask a person first; each reason says what to do instead. target: branch,
    environment or tool."""
    face = call.face

    def check(caller: Caller) -> PolicyAnswer:
        stand = face.standpoints.of(caller, worktree)
        if not stand.is_meant:
            return {"effect": "warn", "unchecked": list(stand.unchecked)}
        rules = stand.seen.rules
        try:
            book = rules.book()
        except PolicyError as broken:  # early points advise; a final one refuses
            return broken_answer(str(broken))
        with rules.situation(action, paths or [], command=command, target=target, base=base) as situation:
            key = lambda: face.loom.ledger.key(stand.seen.checkout())  # noqa: E731 asked for where a person may be asked
            told = told_situation(book, situation, key)
            result = decided_action(face.loom.policy, caller, run, book, told)
        is_of_worktree = action in _OF_WORKTREE and not paths
        unseen = face.unseen_edits(caller, stand.seen) if is_of_worktree else ()
        return policy_answer(result, unchecked=(*stand.unchecked, *unseen))

    return call.service(check)


def policy_answer(result: PolicyResult, *, unchecked: Sequence[str] = ()) -> PolicyAnswer:
    """The effect, with every rule that has something to say. Where something was not looked at it is no allowance."""
    decision = result.decision
    return {
        "effect": "warn" if unchecked and decision.answer == "allow" else decision.answer,
        "unchecked": list(unchecked),
        "decision": result.id,
        "reasons": reasons_shown(decision),
        "policy": decision.policy[:_HASH_CHARS],
        "approval": result.approval,
        "next": approval_advice(result.approval, result.refused),
        "alerts": answers.alert_items(result.alerts),
    }


def broken_answer(problems: str) -> PolicyAnswer:
    """A set that does not load: nothing lands with it, so that mending it comes first."""
    reason = {
        "rule": "policy_error",
        "effect": "warn",
        "why": "the rules do not load; at a final point nothing passes but a person's mend of them",
        "matched": problems.split("\n")[:_PROBLEMS_MAX],
        "fix": "mend the files; loomstack-mcp policy check tells what is left",
    }
    return {"effect": "warn", "reasons": [reason]}
