"""What a rule asks, held against what is known: the violations that make it fire."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from loomstack_mcp.core.limits import HOUR_MS
from loomstack_mcp.core.policy.applies import Applied, is_about
from loomstack_mcp.core.policy.builtin_checks import BUILTIN
from loomstack_mcp.core.policy.looks import Looks, Violations
from loomstack_mcp.core.policy.path_checks import claims_missed, paths_unconfined
from loomstack_mcp.core.policy.rules import Checks, Content, Evidence, Limits, Rule
from loomstack_mcp.core.policy.situation import EvidenceFact, LostIntent, Situation
from loomstack_mcp.core.policy.violations import Unknown, Violation
from loomstack_mcp.core.shell.matching import matching_calls

_Found = Iterator[Violation]


def violations(rule: Rule, situation: Situation, applied: Applied, /) -> tuple[Violation, ...]:
    """All that is wrong; a rule that asks nothing fires by applying.

    What a check needs and nobody knows is a violation at a final point. Elsewhere Unknown is raised,
    but only where nothing else fires already.
    """
    if rule.layer == "builtin" and rule.id in BUILTIN:
        return tuple(BUILTIN[rule.id](situation))
    if rule.check is None:
        return tuple(_applying(applied))
    wrong, unknown = _checked(rule.check, _in_scope(rule, situation, applied), applied)
    if unknown and situation.is_final:
        wrong += [Violation(text=f"{name} is not known here") for name in unknown]
    elif unknown and not wrong:
        raise Unknown(", ".join(dict.fromkeys(unknown)))
    return tuple(wrong)


def _in_scope(rule: Rule, situation: Situation, applied: Applied) -> Situation:
    """What the rule is about: of an action on several paths those that it names and does not except."""
    if not applied.is_scoped:
        return situation
    looks = situation.looks.at(frozenset(touched.path for touched, _ in applied.paths))
    undoing = situation.undoing and partial(_undone_there, rule, situation.undoing)
    return replace(situation, looks=looks, undoing=undoing)


def _undone_there(rule: Rule, undoing: Callable[[], tuple[LostIntent, ...]]) -> tuple[LostIntent, ...]:
    there = ((one, tuple(path for path in one.paths if is_about(rule.where, path))) for one in undoing())
    return tuple(replace(one, paths=paths) for one, paths in there if paths)


def _checked(check: Checks, situation: Situation, applied: Applied) -> tuple[list[Violation], list[str]]:
    """What is wrong, and what is not known."""
    wrong: list[Violation] = []
    unknown: list[str] = []
    for obligation in _CHECKS:
        try:
            # What a check yields before it raises stays in the list: it is wrong, whatever else is not known.
            wrong += obligation(check, situation, applied)
        except Unknown as missing:
            unknown.append(str(missing))
    return wrong, unknown


def _applying(applied: Applied) -> _Found:
    if not applied.paths:
        yield Violation(text="the rule applies")
    for touched, pattern in applied.paths:
        matched = f" matches {pattern}" if pattern else " is touched"
        yield Violation(text=f"path {touched.path or '.'}{matched}", path=touched.path)


def _sizes(check: Checks, situation: Situation, _: Applied) -> _Found:
    limits = check.limits or Limits()
    if replace(limits, rework_max=None, retries_max=None, cost_usd_max=None) != Limits():
        yield from situation.looks.limits(limits)


def _budgets(check: Checks, situation: Situation, _: Applied) -> _Found:
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


def _evidence(check: Checks, situation: Situation, _: Applied) -> _Found:
    for wanted in check.evidence:
        if situation.evidence is None:
            raise Unknown(f"evidence of {wanted.kind}")
        given = {
            fact.by for fact in situation.evidence if fact.kind == wanted.kind and _counts(wanted, situation, fact)
        }
        if len(given) < wanted.count:
            by = " by somebody who did not make it" if wanted.by == "not_maker" else ""
            failed = _failed(wanted, situation)
            yield Violation(
                text=f"{len(given)} of {wanted.count} {wanted.kind} passed on exactly this commit{by}{failed}"
            )


def _failed(wanted: Evidence, situation: Situation) -> str:
    about = [one for one in situation.evidence or () if (one.kind, one.commit) == (wanted.kind, situation.head)]
    names = dict.fromkeys(one.by for one in about if not one.passed)
    return f"; failed by {', '.join(names)}" if names else ""


def _counts(wanted: Evidence, situation: Situation, fact: EvidenceFact) -> bool:
    age_ms = situation.now_ms - fact.at_ms
    fresh = age_ms >= 0 and (wanted.max_age_hours is None or age_ms <= wanted.max_age_hours * HOUR_MS)
    other = wanted.by == "anyone" or fact.by not in situation.makers
    return fact.passed and fresh and other and bool(situation.head) and fact.commit == situation.head


def _work_item(check: Checks, situation: Situation, _: Applied) -> _Found:
    if check.work_item:
        if situation.work_item is None and not situation.is_final:
            raise Unknown("work_item")
        if not situation.work_item:
            yield Violation(text="no linked work item")


def _boundaries(check: Checks, situation: Situation, _: Applied) -> _Found:
    if check.boundaries is not None:
        yield from situation.looks.crossings(check.boundaries)


def _content(check: Checks, situation: Situation, _: Applied) -> _Found:
    unknown: list[str] = []
    for look in _content_looks(check.content or Content(), situation.looks):
        try:
            yield from look()
        except Unknown as missing:
            unknown.append(str(missing))
    if unknown:
        raise Unknown(", ".join(unknown))


def _content_looks(content: Content, looks: Looks) -> Iterator[Callable[[], Violations]]:
    """Those that the rule asks for, each to be taken."""
    if content.secrets:
        yield looks.secrets
    if content.test_weakening:
        yield partial(looks.weakening, content.test_weakening)
    if content.symlink_escape:
        yield looks.links
    if content.submodule_change:
        yield looks.submodules
    if content.forbid_added:
        yield partial(looks.added, content.forbid_added)


def _intents(check: Checks, situation: Situation, _: Applied) -> _Found:
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


def _commands(check: Checks, situation: Situation, _: Applied) -> _Found:
    if check.commands and situation.reading is not None:
        for pattern in check.commands:
            for call in matching_calls(situation.reading, pattern):
                yield Violation(text=f"command {' '.join(pattern)}: {call}")


def _message(check: Checks, situation: Situation, _: Applied) -> _Found:
    if check.message is not None:
        if situation.message is None:
            raise Unknown("message")
        yield from situation.looks.message(check.message)


def _refs(check: Checks, situation: Situation, _: Applied) -> _Found:
    if check.refs:
        if situation.refs is None:
            raise Unknown("refs")
        for change in check.refs:
            if change in situation.refs:
                yield Violation(text=f"{change} of {situation.branch or 'a branch'}")


_CHECKS: tuple[Callable[[Checks, Situation, Applied], _Found], ...] = (
    _sizes,
    _budgets,
    _evidence,
    _work_item,
    _boundaries,
    _content,
    claims_missed,
    _intents,
    paths_unconfined,
    _commands,
    _message,
    _refs,
)
