"""One rule in words, for people."""

from collections.abc import Iterator

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy import windows
from loomstack_mcp.core.policy.rules import Rule, When, Where, Who


def rule_lines(rule: Rule) -> Iterator[str]:
    """What a rule asks, of whom, where and when, a line for each part that it has."""
    yield f"{rule.id} ({rule.place}): {rule.effect}{' (audit only)' if rule.mode == 'audit' else ''}"
    yield f"  why    {rule.why}"
    yield f"  on     {', '.join(rule.on)}"
    yield from _lists("who", rule.who)
    yield from _lists("where", rule.where)
    yield from _times(rule.when)
    if rule.check:
        yield f"  check  {'; '.join(f'{key} {value}' for key, value in vars(rule.check).items() if value)}"
    yield from _lifting(rule)
    if rule.fix:
        yield f"  fix    {rule.fix}"


def _lists(name: str, part: Who | Where) -> Iterator[str]:
    words = [f"{key} {', '.join(value)}" for key, value in vars(part).items() if value]
    if words:
        yield f"  {name:<6} {'; '.join(words)}"


def _times(when: When) -> Iterator[str]:
    times = [*map(windows.window_text, when.windows), *map(windows.freeze_text, when.freezes)]
    if times:
        yield f"  when   {'; '.join(times)}"


def _lifting(rule: Rule) -> Iterator[str]:
    if rule.approve:
        yield f"  asks   {rule.approve.count} of {', '.join(rule.approve.by)}"
    if rule.waivable_by:
        yield f"  waived by {', '.join(rule.waivable_by)}, for {counted(rule.waiver_days_max, 'day')} at most"
