"""Which rules ask what only the store knows."""

from loomstack_mcp.core.policy.rules import Rule


def needs_store(rule: Rule, /) -> bool:
    """Whether it asks about claims, intents, evidence, work items or budgets."""
    check = rule.check
    if check is None:
        return False
    limits = check.limits
    budgets = limits is not None and any(
        value is not None for value in (limits.rework_max, limits.retries_max, limits.cost_usd_max)
    )
    return budgets or bool(check.evidence or check.work_item or check.claims or check.intents)
