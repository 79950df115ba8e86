"""What a rule asks, held against what is known: the violations that make it fire."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from loomstack_mcp.core.limits import HOUR_MS, PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.patterns.globs import first_overlap, literal
from loomstack_mcp.core.policy.applies import Applied
from loomstack_mcp.core.policy.rules import Checks, Content, Evidence, Limits, Rule
from loomstack_mcp.core.policy.situation import EvidenceFact, Situation
from loomstack_mcp.core.policy.violations import Unknown, Violation
from loomstack_mcp.core.shell import guarded
from loomstack_mcp.core.shell.matching import matching_calls

Found = Iterator[Violation]


def violations(rule: Rule, situation: Situation, applied: Applied, /) -> tuple[Violation, ...]:
    """All that is wrong; a rule that asks nothing fires by applying.

    What a check needs and nobody knows is a violation at a final point. Elsewhere Unknown is raised,
    but only where nothing else fires already.
    """
    if rule.layer == "builtin" and rule.id in BUILTIN:
        return tuple(BUILTIN[rule.id](situation))
    if rule.check is None:
        return tuple(_applying(applied))
    wrong: list[Violation] = []
    unknown: list[str] = []
    for check in _CHECKS:
        try:
            wrong += check(rule.check, situation, applied)
        except Unknown as missing:
            unknown.append(str(missing))
    if unknown and situation.is_final:
        wrong += [Violation(text=f"{name} is not known here") for name in unknown]
    elif unknown and not wrong:
        raise Unknown(", ".join(dict.fromkeys(unknown)))
    return tuple(wrong)


def _applying(applied: Applied) -> Found:
    if not applied.paths:
        yield Violation(text="the rule applies")
    for touched, pattern in applied.paths:
        matched = f" matches {pattern}" if pattern else " is touched"
        yield Violation(text=f"path {touched.path or '.'}{matched}", path=touched.path)


def _sizes(check: Checks, situation: Situation, _: Applied) -> Found:
    limits = check.limits or Limits()
    if replace(limits, rework_max=None, retries_max=None, cost_usd_max=None) != Limits():
        yield from _looked(situation, "limits", limits)


def _budgets(check: Checks, situation: Situation, _: Applied) -> Found:
    limits = check.limits or Limits()
    unknown: list[str] = []
    for name, most, found in (
        ("rework_max", limits.rework_max, situation.rework),
        ("retries_max", limits.retries_max, situation.retries),
        ("cost_usd_max", limits.cost_usd_max, situation.cost_usd),
    ):
        if most is not None and found is None:
            unknown.append(name)
        elif most is not None and found is not None and found > most:
            yield Violation(text=f"{name}: {found:g} is more than {most:g}")
    if unknown:
        raise Unknown(", ".join(unknown))


def _evidence(check: Checks, situation: Situation, _: Applied) -> Found:
    for wanted in check.evidence:
        if situation.evidence is None:
            raise Unknown(f"evidence of {wanted.kind}")
        given = {
            fact.by for fact in situation.evidence if fact.kind == wanted.kind and _counts(wanted, situation, fact)
        }
        if len(given) < wanted.count:
            by = " by somebody who did not make it" if wanted.by == "not_maker" else ""
            yield Violation(text=f"{len(given)} of {wanted.count} {wanted.kind} passed on exactly this commit{by}")


def _counts(wanted: Evidence, situation: Situation, fact: EvidenceFact) -> bool:
    age_ms = situation.now_ms - fact.at_ms
    fresh = age_ms >= 0 and (wanted.max_age_hours is None or age_ms <= wanted.max_age_hours * HOUR_MS)
    other = wanted.by == "anyone" or fact.by not in situation.makers
    return fact.passed and fresh and other and bool(situation.head) and fact.commit == situation.head


def _work_item(check: Checks, situation: Situation, _: Applied) -> Found:
    if check.work_item:
        if situation.work_item is None and not situation.is_final:
            raise Unknown("work_item")
        if not situation.work_item:
            yield Violation(text="no linked work item")


def _boundaries(check: Checks, situation: Situation, _: Applied) -> Found:
    if check.boundaries is not None:
        yield from _looked(situation, "crossings", check.boundaries)


def _content(check: Checks, situation: Situation, _: Applied) -> Found:
    content = check.content or Content()
    unknown: list[str] = []
    for wanted, name, settings in (
        (content.secrets, "secrets", None),
        (content.test_weakening, "weakening", content.test_weakening),
        (content.symlink_escape, "links", None),
        (content.submodule_change, "submodules", None),
        (content.forbid_added, "added", content.forbid_added),
    ):
        if wanted:
            try:
                yield from _looked(situation, name, settings)
            except Unknown as missing:
                unknown.append(str(missing))
    if unknown:
        raise Unknown(", ".join(unknown))


def _looked(situation: Situation, name: str, settings: object) -> Found:
    if (look := situation.look.get(name)) is None:
        raise Unknown(name)
    yield from (look(settings) if settings is not None else look())


def _claims(check: Checks, situation: Situation, applied: Applied) -> Found:
    if check.claims is None:
        return
    if situation.claims is None:
        raise Unknown("claims")
    if situation.touched is None and not situation.is_final:
        raise Unknown("paths")
    for touched, _ in applied.paths:
        path = literal(touched.path) + ("/" if touched.is_folder else "")
        if len(path) > PATTERN_CHARS_MAX:
            yield Violation(text=f"path {touched.path[:80]}… is too long to be claimed", path=touched.path)
        elif check.claims == "held" and not first_overlap([path], situation.claims.own):
            yield Violation(text=f"path {touched.path} is not claimed by you", path=touched.path)
        elif check.claims == "not_held_by_other":
            for pattern, who, intent in situation.claims.others:
                if first_overlap([path], [pattern]):
                    yield Violation(text=f"path {touched.path} is held by {who}: {intent}", path=touched.path)


def _intents(check: Checks, situation: Situation, _: Applied) -> Found:
    if check.intents is None:
        return
    if situation.undoing is None:
        raise Unknown("intents")
    for one in situation.undoing():
        if one.how == "undoes" or check.intents == "no_override":
            why = f" ({one.intent})" if one.intent else ""
            where = ", ".join(one.paths[:3])
            yield Violation(
                text=f"{one.how} {one.commit[:10]} of {one.who}{why} in {where}", path=one.paths[0] if one.paths else ""
            )


def _confine(check: Checks, situation: Situation, applied: Applied) -> Found:
    if check.confine:
        if situation.touched is None and not situation.is_final:
            raise Unknown("paths")
        allowed = compiled(check.confine)
        for touched, _pattern in applied.paths:
            if not allowed.exact(touched.path):
                yield Violation(text=f"path {touched.path} is outside {', '.join(check.confine)}", path=touched.path)


def _commands(check: Checks, situation: Situation, _: Applied) -> Found:
    if check.commands and situation.reading is not None:
        for pattern in check.commands:
            for call in matching_calls(situation.reading, pattern):
                yield Violation(text=f"command {' '.join(pattern)}: {call}")


def _message(check: Checks, situation: Situation, _: Applied) -> Found:
    if check.message is not None:
        if situation.message is None:
            raise Unknown("message")
        yield from _looked(situation, "message", check.message)


def _refs(check: Checks, situation: Situation, _: Applied) -> Found:
    if check.refs:
        if situation.refs is None:
            raise Unknown("refs")
        for change in check.refs:
            if change in situation.refs:
                yield Violation(text=f"{change} of {situation.branch or 'a branch'}")


_CHECKS: tuple[Callable[[Checks, Situation, Applied], Found], ...] = (
    _sizes, _budgets, _evidence, _work_item, _boundaries, _content, _claims, _intents, _confine, _commands, _message,
    _refs,
)  # fmt: skip


def _outside(situation: Situation) -> Found:
    yield from (Violation(text=f"path {path} is outside the repository", path=path) for path in situation.outside)


def _bypasses(situation: Situation) -> Found:
    if situation.reading is not None:
        yield from (Violation(text=f"bypasses the hooks: {what}") for what in guarded.bypasses(situation.reading))


def _decides(situation: Situation) -> Found:
    if situation.reading is not None:
        yield from (Violation(text=f"is for people to run: {what}") for what in guarded.decides(situation.reading))


BUILTIN: Mapping[str, Callable[[Situation], Found]] = {
    "builtin.outside-repo": _outside,
    "builtin.no-hook-bypass": _bypasses,
    "builtin.decider": _decides,
}
"""Rules of the built-in layer that no check of the schema can say."""
