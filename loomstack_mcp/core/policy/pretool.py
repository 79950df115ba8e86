"""Before an agent acts: which rules have a say then, how long their word holds, and in which words it is told."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.limits import CHARS_PER_TOKEN, HOOK_REPLY_TOKENS_MAX
from loomstack_mcp.core.policy.decide import Decision, Reason
from loomstack_mcp.core.policy.decision_views import violation_text
from loomstack_mcp.core.policy.needs import needs_store
from loomstack_mcp.core.policy.rules import Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.texts import plain_line

_TEXT_CHARS_MAX = 200
"""Of one rule's why, of what matched, and of what to do instead."""
_ALSO_MAX = 3
_OUTSIDE = "builtin.outside-repo"


def speaking_rules(book: Rulebook, situation: Situation, /) -> tuple[Rule, ...]:
    """The rules that have a say about such an action at this point, wherever they hold."""
    return tuple(
        rule
        for rule in book.rules
        if not situation.actions.isdisjoint(rule.on) and rule.at.get(situation.point, rule.effect) != "off"
    )


def asks_store(rule: Rule, situation: Situation, /) -> bool:
    """Whether what a rule says depends on what only the store knows, the name of the run and of the repo among it.

    What others hold is known where the situation says so.
    """
    check = rule.check
    if check and check.claims == "not_held_by_other" and situation.claims is not None:
        rule = replace(rule, check=replace(check, claims=None))
    return needs_store(rule) or bool(rule.who.loop or rule.where.repo)


def is_lasting(rules: Sequence[Rule], situation: Situation, /) -> bool:
    """Whether these rules say the same until somebody writes to a file that decides them, or holds the paths.

    Nor may a run of the agent have begun or an outcome have come, which budgets and the names of runs depend on. What a
    rule would only record is recorded once.
    """
    enforced = [rule for rule in rules if rule.mode != "audit"]
    return not any(rule.when.windows or rule.when.freezes or _moves(rule, situation) for rule in enforced)


def _moves(rule: Rule, situation: Situation) -> bool:
    """Whether what a rule says may change with any claim, note or check."""
    check = rule.check
    if check is None:
        return False
    is_free = check.claims == "not_held_by_other" and situation.claims is not None
    return bool(check.evidence or check.intents or (check.claims and not is_free))


def looks_at_calls(book: Rulebook, /) -> bool:
    """Whether any rule looks at calls of tools, or any but the built-in ones at shell lines."""
    return any("tool" in rule.on or (rule.layer != "builtin" and "command" in rule.on) for rule in book.rules)


def edit_patterns(book: Rulebook, /) -> tuple[str, ...] | None:
    """Of the files that rules on edits are about at this point, by `loose` matches; None where these may be any.

    What one rule says of files outside of the repository is about none within.
    """
    rules = [rule for rule in book.rules if "edit" in rule.on and rule.at.get("pretool", rule.effect) != "off"]
    within = [rule for rule in rules if (rule.layer, rule.id) != ("builtin", _OUTSIDE)]
    if not all(rule.where.paths for rule in within):
        return None
    return tuple(dict.fromkeys(pattern for rule in within for pattern in rule.where.paths))


def has_word(decision: Decision, /) -> bool:
    """Whether any rule has something to say or to record; one that only misses a fact has not, so early."""
    return any(reason.outcome != "pending" for reason in decision.reasons)


def decision_words(decision: Decision, /, *, approval: str = "") -> str:
    """What an agent reads of a decision: the first rule that speaks with its why and what to do, the others by name.

    `approval` says how a person is asked.
    """
    speaking = [reason for reason in decision.reasons if reason.outcome == "fired"]
    speaking.sort(key=lambda reason: reason.effect != decision.answer)
    if not speaking:
        return ""
    first, *others = speaking
    also = ", ".join(dict.fromkeys(reason.rule.id for reason in others[:_ALSO_MAX]))
    most = HOOK_REPLY_TOKENS_MAX * CHARS_PER_TOKEN
    told = [
        f"{_head(first)} {first.rule.id}{f' ({first.rule.place})' if first.rule.place else ''}: {first.rule.why}.",
        plain_line(_matched(first), chars_max=most),
        f"Instead: {first.rule.fix}." if first.rule.fix else "",
        approval,
        f"Also: {also}." if also else "",
    ]
    return " ".join(_cut(part) for part in told if part)[:most]


def _head(reason: Reason) -> str:
    if reason.effect == "require_approval":
        return "A person must approve this first, by"
    return "Refused by" if reason.effect == "deny" else "Mind"


def _matched(reason: Reason) -> str:
    # On one line each: others name files as they like.
    found = [" ".join(violation_text(violation).split()) for violation in reason.violations[:2]]
    more = len(reason.violations) - len(found)
    return f"{'; '.join(found)}{f', and {more} more' if more else ''}."


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS_MAX else f"{text[: _TEXT_CHARS_MAX - 1]}…"
