"""What is wrong with a rule or a waiver beyond its shape; each with the place, relative to it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from loomstack_mcp.adapters.parse.re2_patterns import error_in
from loomstack_mcp.adapters.policy.messages import Wrong, meant
from loomstack_mcp.adapters.policy.models import Boundaries, Checks, Content, Limits, Rule, Waiver, Where
from loomstack_mcp.adapters.policy.strict_yaml import YamlPlace
from loomstack_mcp.adapters.policy.times import instant_ms, wrong_in_times
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.policy.rules import FINAL, STRICTNESS, Softened


def wrong_in_rule(rule: Rule, /) -> Wrong:
    """The problems of one rule by itself."""
    unreadable = tuple(_patterns(rule))
    yield from _words(rule)
    yield from _strictness(rule)
    yield from unreadable
    if rule.check is not None:
        yield from _check(rule.check)
    if rule.when is not None:
        yield from wrong_in_times(rule.when)
    if not unreadable:
        yield from _examples(rule)


def wrong_in_waiver(waiver: Waiver, rules: Mapping[str, Rule], /) -> Wrong:
    """The problems of one waiver, by itself and with the rule that it is for."""
    yield from _unreadable(("paths",), waiver.paths)
    yield from _blank(("approved_by",), [waiver.approved_by])
    created, expires = instant_ms(waiver.created), instant_ms(waiver.expires)
    for name, text, at_ms in (("created", waiver.created, created), ("expires", waiver.expires, expires)):
        if at_ms is None:
            yield (name,), f"{text!r} is no instant; write it like 2026-11-20T08:00:00+01:00"
    if (rule := rules.get(waiver.rule)) is None:
        yield ("rule",), f"there is no rule {waiver.rule}{meant(waiver.rule, rules)}"
        return
    if not rule.waivable_by:
        yield ("rule",), f"{rule.id} cannot be waived; it names nobody in `waivable_by`"
    elif waiver.approved_role not in rule.waivable_by:
        yield ("approved_role",), f"{waiver.approved_role!r} may not waive {rule.id}; {_listed(rule.waivable_by)} may"
    if created is not None and expires is not None:
        if expires <= created:
            yield ("expires",), "is not after `created`"
        if expires - created > timedelta(days=rule.waiver_days_max) // timedelta(milliseconds=1):
            yield (
                ("expires",),
                f"is more than {counted(rule.waiver_days_max, 'day')} after `created`, the most for {rule.id}",
            )


def _words(rule: Rule) -> Wrong:
    if len(rule.why.strip()) < 8:
        yield ("why",), "is blank; say it in a sentence, every refusal shows it"
    yield from _blank(("waivable_by",), rule.waivable_by)
    if rule.approve is not None:
        yield from _blank(("approve", "by"), rule.approve.by)


def _blank(place: YamlPlace, words: Sequence[str]) -> Wrong:
    if not all(word.strip() for word in words):
        yield place, "holds an empty name; write one or delete it"


def _strictness(rule: Rule) -> Wrong:
    if rule.approve is None and "require_approval" in (rule.effect, *rule.at.values()):
        yield ("effect",), 'require_approval needs `approve`, as in approve: {by: ["role:lead"]}'
    for point, softened in rule.at.items():
        if point in FINAL and _rank(softened) < _rank(rule.effect):
            what = f"{softened} is weaker than the effect {rule.effect}"
            yield ("at", point), f"{what}; {point} is a final point, only early ones may be softer"


def _rank(effect: Softened) -> int:
    return STRICTNESS.index("allow" if effect == "off" else effect)


def _patterns(rule: Rule) -> Wrong:
    if (where := rule.where) is not None:
        yield from _unreadable(("where", "branch"), where.branch)
        yield from _unreadable(("where", "paths"), where.paths)
        yield from _unreadable(("where", "except"), where.excepted)
    if (check := rule.check) is not None:
        yield from _unreadable(("check", "confine"), check.confine)
        if (boundaries := check.boundaries) is not None:
            here = ("check", "boundaries")
            for number, layer in enumerate(boundaries.layers):
                yield from _unreadable((*here, "layers", number), layer)
            yield from _unreadable((*here, "independent"), boundaries.independent)
            for number, forbid in enumerate(boundaries.forbid):
                yield from _unreadable((*here, "forbid", number, "from"), forbid.sources)
                yield from _unreadable((*here, "forbid", number, "to"), forbid.targets)


def _unreadable(place: YamlPlace, patterns: Sequence[str]) -> Wrong:
    for number, pattern in enumerate(patterns):
        try:
            compiled([pattern])
        except Invalid as refused:
            yield (*place, number), str(refused)


def _check(check: Checks) -> Wrong:
    yield from _empty_parts(check)
    for number, command in enumerate(check.commands):
        if not command or not all(word.strip() for token in command for word in token.split("|")):
            yield ("check", "commands", number), "holds an empty word; write it like [git, push, --force|-f]"
    if check.message is not None:
        yield from _unsearchable(("check", "message"), check.message)
    for number, pattern in enumerate(check.content.forbid_added if check.content else ()):
        yield from _unsearchable(("check", "content", "forbid_added", number), pattern)


def _empty_parts(check: Checks) -> Wrong:
    # A check that asks nothing is always met, so its rule would never fire.
    for place, part, nothing in (
        (("check",), check, Checks()),
        (("check", "limits"), check.limits, Limits()),
        (("check", "content"), check.content, Content()),
        (("check", "boundaries"), check.boundaries, Boundaries(only_new=getattr(check.boundaries, "only_new", True))),
    ):
        if part == nothing:
            yield place, "asks nothing, so that the rule would never fire; leave it out, or say what must hold"


def _unsearchable(place: YamlPlace, expression: str) -> Wrong:
    if why := error_in(expression):
        yield place, why


def _examples(rule: Rule) -> Wrong:
    if rule.examples is None:
        return
    for number, path in enumerate(rule.examples.fires):
        if not _fires(rule, path):
            yield ("examples", "fires", number), f"the rule does not fire for {path}; mend its patterns or the example"
    for number, path in enumerate(rule.examples.passes):
        if _fires(rule, path):
            yield ("examples", "passes", number), f"the rule fires for {path}; mend its patterns or the example"


def _fires(rule: Rule, path: str) -> bool:
    """Whether the rule's paths take this one in; what else it checks is not known of an example."""
    where = rule.where or Where()
    if compiled(where.excepted).exact(path) or (where.paths and not compiled(where.paths).loose(path)):
        return False
    confine = rule.check.confine if rule.check else []
    return not confine or not compiled(confine).exact(path)


def _listed(words: Sequence[str]) -> str:
    return " or ".join(words)
