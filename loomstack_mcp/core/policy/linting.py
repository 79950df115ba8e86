"""Rules that do nothing, and that ask what nobody can give; waivers that cover nothing any more."""

from collections.abc import Iterator

from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.rules import ActionKind, Checks, Rule, Rulebook, Waiver
from loomstack_mcp.core.policy.violations import Violation

_CHANGE: frozenset[ActionKind] = frozenset({"commit", "push", "land"})
_TOUCH: frozenset[ActionKind] = _CHANGE | {"edit", "command"}


def linted(book: Rulebook, *, now_ms: int) -> tuple[Violation, ...]:
    """The findings, in the order of the rules; `path` is the place in the file."""
    rules = {rule.id: rule for rule in book.rules}
    return (
        *(found for rule in book.rules for found in _rule(rule)),
        *(found for waiver in book.waivers for found in _waiver(waiver, rules, now_ms)),
    )


def _rule(rule: Rule) -> Iterator[Violation]:
    on = frozenset(rule.on)
    never_fires = _never_fires(rule.check, on) if rule.check else ()
    for problem in (*_never_applies(rule, on), *never_fires, *_nobody(rule)):
        yield Violation(text=f"{rule.id}: {problem}", path=rule.place)


def _never_applies(rule: Rule, on: frozenset[ActionKind]) -> Iterator[str]:
    where = rule.where
    if where.paths and on.isdisjoint(_TOUCH):
        yield f"names paths, but none is touched by {', '.join(rule.on)}: it never applies"
    if where.environment and "deploy" not in on:
        yield "names environments, but is not on deploy: it never applies"
    if where.tools and "tool" not in on:
        yield "names tools, but is not on tool: it never applies"
    if set(where.paths) & set(where.excepted):
        yield "excepts a pattern that it names: that one never applies"


def _never_fires(check: Checks, on: frozenset[ActionKind]) -> Iterator[str]:
    if check.commands and "command" not in on:
        yield "checks commands, but is not on command: it never fires"
    if check.refs and "push" not in on:
        yield "checks refs, but is not on push: it never fires"
    if check.message is not None and "commit" not in on:
        yield "checks the message, but is not on commit: it never fires"
    if (check.content or check.boundaries) and on.isdisjoint(_CHANGE):
        yield "checks the content of a change, but is on none of commit, push and land: it never fires"


def _nobody(rule: Rule) -> Iterator[str]:
    who = rule.who
    if set(who.role) & set(who.not_role):
        yield "asks for a role and excludes it: it binds nobody"
    approve = rule.approve
    if approve and approve.count > len(approve.by) and not any(name.startswith("role:") for name in approve.by):
        yield f"wants {counted(approve.count, 'approval')} of {len(approve.by)} people: nobody can give them"
    if rule.check and rule.check.confine and rule.where.paths and not set(rule.check.confine) - set(rule.where.paths):
        yield "confines to the paths that it applies to: it never fires"


def _waiver(waiver: Waiver, rules: dict[str, Rule], now_ms: int) -> Iterator[Violation]:
    if waiver.expires_at_ms <= now_ms:
        yield Violation(text=f"waiver {waiver.id} has expired; take it out", path=waiver.place)
    if rules[waiver.rule].mode == "audit":
        yield Violation(text=f"waiver {waiver.id} waives {waiver.rule}, which only audits", path=waiver.place)
