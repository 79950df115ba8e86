"""A decision in the words of git's hooks: a line for each rule that has something to say."""

from loomstack_mcp.core.policy.approvals import approval_advice
from loomstack_mcp.core.policy.decide import Decision
from loomstack_mcp.core.policy.decision_views import reasons_shown

_REASONS_MAX = 5


def decision_lines(decision: Decision, *, approval: str = "", refused: str = "") -> list[str]:
    """Each rule that has something to say, with what to do instead; and whom to ask, where it asked people."""
    lines = []
    for reason in reasons_shown(decision)[:_REASONS_MAX]:
        matched = "; ".join(reason.get("matched", ()))
        fix = f" \u2192 {reason['fix']}" if "fix" in reason else ""
        outcome = f" ({reason['outcome']})" if "outcome" in reason else ""
        lines.append(f"{reason['effect']}{outcome} {reason['rule']}: {reason['why']} [{matched}]{fix}")
    if advice := approval_advice(approval, refused):
        lines.append(advice)
    return lines
