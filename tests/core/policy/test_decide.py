"""Decisions as a pure function: monotone, without order, strictest first; and the time they hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.policy.decide import decide
from loomstack_mcp.core.policy.linting import linted
from loomstack_mcp.core.policy.rules import (
    STRICTNESS,
    Checks,
    Freeze,
    Limits,
    Rule,
    Rulebook,
    When,
    Where,
    Who,
    Window,
)
from loomstack_mcp.core.policy.situation import Actor, Situation, Touched
from loomstack_mcp.core.policy.windows import in_freeze, in_window

LOOP = Actor(kind="loop", loop="triage", developer="ana", agent="a1", roles=("developer",))
EDIT = Situation(
    point="mcp", actions=frozenset({"edit"}), now_ms=0, actor=LOOP, touched=(Touched(path="src/core/a.py"),)
)

names = st.sampled_from(["src", "core", "a.py", "docs"])
rules = st.builds(
    Rule,
    id=st.text("abcdef", min_size=2, max_size=6),
    why=st.just("a good reason"),
    effect=st.sampled_from(["warn", "require_approval", "deny"]),
    mode=st.sampled_from(["enforce", "audit"]),
    on=st.sampled_from([("edit",), ("land",), ("edit", "land")]),
    who=st.builds(Who, kind=st.sampled_from([(), ("loop",), ("human",)]), not_role=st.sampled_from([(), ("lead",)])),
    where=st.builds(Where, paths=st.lists(names.map(lambda name: f"**/{name}"), max_size=2).map(tuple)),
    check=st.sampled_from([None, Checks(limits=Limits(rework_max=3)), Checks(confine=("/docs/**",))]),
)
situations = st.builds(
    lambda path, point, rework, kind: replace(
        EDIT, point=point, touched=(Touched(path=path),), rework=rework, actor=replace(LOOP, kind=kind)
    ),
    st.lists(names, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["mcp", "land"]),
    st.sampled_from([None, 1, 9]),
    st.sampled_from([None, "loop", "human"]),
)


@given(st.lists(rules, max_size=5), rules, situations)
def test_another_rule_never_loosens(some: list[Rule], another: Rule, situation: Situation) -> None:
    before = decide(Rulebook(rules=tuple(some)), situation)
    after = decide(Rulebook(rules=(*some, another)), situation)

    assert STRICTNESS.index(after.answer) >= STRICTNESS.index(before.answer)
    assert all(reason in after.reasons for reason in before.reasons)


@given(st.lists(rules, max_size=5), situations, st.randoms(use_true_random=False))
def test_the_order_of_rules_says_nothing(some: list[Rule], situation: Situation, chance: object) -> None:
    mixed = list(some)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (decide(Rulebook(rules=tuple(listed)), situation) for listed in (some, mixed))

    assert (one.answer, sorted(map(repr, one.reasons))) == (other.answer, sorted(map(repr, other.reasons)))


@given(rules, situations)
def test_what_is_pending_early_fires_at_the_end(rule: Rule, situation: Situation) -> None:
    early = decide(Rulebook(rules=(rule,)), replace(situation, point="mcp"))
    final = decide(Rulebook(rules=(rule,)), replace(situation, point="land"))

    if [reason.outcome for reason in early.reasons] == ["pending"]:
        assert [reason.outcome for reason in final.reasons] in (["fired"], ["audit"])


def test_an_audit_is_told_and_never_stops() -> None:
    rule = Rule(id="watch", why="we want to know", effect="deny", mode="audit", on=("edit",))
    decision = decide(Rulebook(rules=(rule,)), EDIT)

    assert (decision.answer, decision.fired, [reason.outcome for reason in decision.reasons]) == (
        "allow",
        (),
        ["audit"],
    )


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize(("start", "end"), [(22 * 60, 6 * 60), (2 * 60 + 30, 3 * 60 + 30), (0, 24 * 60), (23 * 60, 0)])
def test_a_window_is_what_the_clock_on_the_wall_says(zone: str, start: int, end: int) -> None:
    """Every ten minutes around both clock changes, against the definition by local minute and day."""
    window = Window(days=("sat", "sun"), start_minute=start, end_minute=end, tz=zone)
    for first in (
        datetime(2027, 3, 26, tzinfo=UTC),
        datetime(2027, 10, 29, tzinfo=UTC),
        datetime(2027, 4, 2, tzinfo=UTC),
    ):
        for number in range(6 * 24 * 5):
            now = first + timedelta(minutes=10 * number)
            local = now.astimezone(ZoneInfo(zone))
            minute = local.hour * 60 + local.minute
            begun_today = local.weekday() >= 5 and (start <= minute < end if start < end else minute >= start)
            yesterday = (local.replace(tzinfo=None) - timedelta(days=1)).weekday() >= 5
            begun_yesterday = start >= end and yesterday and minute < end

            assert in_window(window, now) == (begun_today or begun_yesterday)


def test_a_freeze_ends_before_its_end_and_is_longer_where_the_clock_is_unclear() -> None:
    freeze = Freeze(name="x", start="2026-10-25T02:30", end="2027-03-28T02:30", tz="Europe/Berlin")
    first, last = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)

    second = timedelta(seconds=1)

    assert [in_freeze(freeze, at) for at in (first - second, first)] == [False, True]
    assert [in_freeze(freeze, at) for at in (last - second, last)] == [True, False]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(id="r", why="x", effect="deny", on=("deploy",), where=Where(paths=("/a",))), "it never applies"),
        (Rule(id="r", why="x", effect="deny", on=("edit",), where=Where(environment=("prod",))), "not on deploy"),
        (Rule(id="r", why="x", effect="deny", on=("edit",), check=Checks(message="x")), "not on commit"),
        (Rule(id="r", why="x", effect="deny", on=("edit",), who=Who(role=("a",), not_role=("a",))), "binds nobody"),
    ],
)
def test_rules_that_do_nothing_are_found(rule: Rule, said: str) -> None:
    assert any(said in found.text for found in linted(Rulebook(rules=(rule,)), now_ms=0))


def test_a_rule_holds_only_in_its_windows() -> None:
    window = Window(days=("tue",), start_minute=9 * 60, end_minute=17 * 60, tz="UTC")
    rule = Rule(id="r", why="office hours", effect="deny", on=("edit",), when=When(windows=(window,)))
    inside = round(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() * 1000)
    book = Rulebook(rules=(rule,))

    assert decide(book, replace(EDIT, now_ms=inside)).answer == "deny"
    assert decide(book, replace(EDIT, now_ms=inside + 12 * 3_600_000)).answer == "allow"
