"""Outcomes: attempts, rework and the next step, against a model that remembers everything."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import LIST_MAX
from loomstack_mcp.core.outcomes import CheckCounts, Outcome
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from tests.factories import ANA, BEA, SHOP
from tests.services.support import CHEN, claimed, heard, recorded, started


class Attempts(RuleBasedStateMachine):
    """A maker, two checkers of it, and all that they record."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.loom = open_loom(Path(self._folder.name) / "loom.db")
        self.history: list[tuple[bool, str]] = []
        self.verified = False

    @initialize()
    def start(self) -> None:
        self.maker = started(self.loom, ANA).id
        self.ended: set[str] = set()
        for checker in (BEA, CHEN):
            started(self.loom, checker, checks_run=self.maker)

    @precondition(lambda self: "ana" not in self.ended)
    @rule(status=st.sampled_from(("passed", "failed", "blocked", "passed", "failed", "done")))
    def make(self, status: str) -> None:
        self._record(ANA, status, is_checker=False)

    @rule(
        checker=st.sampled_from((BEA, CHEN)),
        status=st.sampled_from(("passed", "failed", "blocked", "done")),
        counted=st.sampled_from((8, 0)),
    )
    def check(self, checker: Caller, status: str, counted: int) -> None:
        if checker.principal not in self.ended:
            self._record(checker, status, is_checker=True, counted=counted)

    def _record(self, caller: Caller, status: str, *, is_checker: bool, counted: int = 0) -> None:
        verified, self.verified = self.verified, is_checker and counted > 0 and status in ("passed", "done")
        self.history.append((is_checker, status))
        if status == "done":
            self.ended.add(caller.principal)
        outcome = recorded(self.loom, caller, status=status, checks=CheckCounts(passed=counted)).outcome

        rework = sum(found == "failed" for _, found in self.history)
        assert outcome.about_run == self.maker
        assert outcome.attempt == sum(not checked for checked, _ in self.history)
        assert outcome.rework == rework
        assert outcome.next_action == {
            "blocked": "escalate",
            "failed": "retry" if rework <= 3 else "escalate",
            "done": "stop" if not is_checker else "land" if counted else "check",
            "passed": "land" if (counted if is_checker else verified) else "check",
        }[status]  # fmt: skip
        assert [(one.role == "checker", one.status) for one in self._stored()] == self.history

    def _stored(self) -> Iterator[Outcome]:
        yield from self.loom.runs.details(self.maker).outcomes

    def teardown(self) -> None:
        self.loom.close()
        self._folder.cleanup()


TestAttempts = Attempts.TestCase
TestAttempts.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)


def test_a_check_that_counted_nothing_lets_nothing_land(loom: Loom) -> None:
    maker = started(loom, ANA).id
    started(loom, BEA, checks_run=maker)

    empty = recorded(loom, BEA, status="passed")
    assert empty.next.action == "check"
    assert "no evidence" in empty.next.why
    assert recorded(loom, ANA, status="passed").next.action == "check"

    assert recorded(loom, BEA, status="passed", checks=CheckCounts(passed=3)).next.action == "land"
    assert recorded(loom, ANA, status="passed").next.action == "land"


def test_the_end_of_a_checkers_run_leaves_the_makers_and_its_claims(loom: Loom) -> None:
    maker = started(loom, ANA).id
    claimed(loom, ANA, "src/")
    checker = started(loom, BEA, checks_run=maker).id
    held = claimed(loom, BEA, "report.md").claim
    result = recorded(loom, BEA, status="done", checks=CheckCounts(passed=8))

    assert held
    assert (result.released, result.next.action) == ((held.id,), "land")
    assert [loom.runs.details(run).run.state for run in (maker, checker)] == ["live", "ended"]
    assert recorded(loom, ANA).next.action == "land"


@pytest.mark.parametrize(
    ("maker", "checker", "action"),
    [
        (replace(ANA, agent="a1"), replace(ANA, agent="a2"), "land"),
        (ANA, replace(ANA, agent="a2"), "land"),
        (ANA, BEA, "land"),
        (replace(ANA, agent="a1"), replace(ANA, agent="a1"), "check"),
        (ANA, ANA, "check"),
        # Several agents may stand behind these, of which no client tells.
        (replace(ANA, session="process:1-a"), replace(ANA, session="process:1-a"), "land"),
        (replace(ANA, certain=False), replace(ANA, certain=False), "land"),
        (replace(ANA, session="", certain=False), replace(ANA, session="", certain=False), "land"),
    ],
)
@pytest.mark.parametrize("role", ["checker", "reviewer"])
def test_who_made_a_change_does_not_check_it(
    loom: Loom, maker: Caller, checker: Caller, action: str, role: str
) -> None:
    made = started(loom, maker).id
    recorded(loom, maker, made)
    start = loom.runs.start(checker, SHOP, loop="check", goal="goal", checks_run=made, budget_tokens=800)
    result = recorded(loom, checker, start.run.id, role=role, checks=CheckCounts(passed=8))

    assert result.next.action == action
    is_own = action == "check"
    assert ("is your own run" in start.next, any("is your own run" in text for text in result.warnings)) == (
        is_own, is_own,
    )  # fmt: skip
    assert recorded(loom, maker, made).next.action == action


def test_what_a_maker_commits_after_a_check_has_to_be_checked(loom: Loom) -> None:
    checked, later = "a" * 40, "b" * 40
    maker = recorded(loom, ANA, started(loom, ANA).id, commits=[checked]).outcome.run_id
    started(loom, BEA, checks_run=maker)
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[checked])
    again = recorded(loom, ANA, commits=[checked]).next.action
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[checked])
    merged = recorded(loom, ANA, commits=[checked, later]).next.action

    assert (again, merged) == ("land", "check")


def test_a_checker_is_briefed_of_others_than_the_run_that_it_checks(loom: Loom) -> None:
    maker = started(loom, ANA).id
    claimed(loom, ANA, "src/")
    recorded(loom, ANA, commits=["a" * 40])
    briefings = [
        loom.runs.start(BEA, SHOP, loop="check", goal="goal", checks_run=checked, budget_tokens=800).briefing
        for checked in ("", maker)
    ]

    first, second = briefings
    told = [(len(one.claims), len(one.changes), maker in json.dumps(one.runs)) for one in (first, second)]
    assert told == [(1, 1, True), (0, 0, False)]
    assert len(second.runs) == 1


def test_an_outcome_of_one_run_says_nothing_of_another(loom: Loom) -> None:
    first = started(loom, ANA).id
    recorded(loom, ANA, status="failed")
    started(loom, ANA)
    outcome = recorded(loom, ANA, status="failed").outcome

    assert (outcome.attempt, outcome.rework) == (1, 1)
    assert recorded(loom, ANA, first, status="failed").outcome.rework == 2


def test_work_that_was_checked_is_told_once(loom: Loom) -> None:
    maker = started(loom, ANA).id
    started(loom, BEA, checks_run=maker)
    for caller in (ANA, BEA, ANA):
        recorded(loom, caller, commits=["a" * 40], checks=CheckCounts(passed=8))
    recorded(loom, ANA, commits=["b" * 40])
    briefings = [loom.context.read_context(CHEN, "", SHOP, since=since, budget_tokens=800).briefing for since in (0, 1)]

    for briefing in briefings:
        assert sorted(str(change["commits"]) for change in briefing.changes) == [f"['{'a' * 12}']", f"['{'b' * 12}']"]


def test_a_maker_hears_what_a_checker_found_by_name(loom: Loom) -> None:
    maker = started(loom, ANA).id
    started(loom, BEA, checks_run=maker, loop="review")
    checks = CheckCounts(passed=5, failed=2, failing=("test_a", "test_b"))
    recorded(loom, BEA, status="failed", checks=checks)
    [alert] = heard(loom, ANA)

    assert (alert.kind, alert.who) == ("checked", "review@bea")
    assert alert.text == "failed, 5/7 checks passed: test_a, test_b"


@pytest.mark.parametrize(
    "given",
    [{"commits": ["a" * 40] * (LIST_MAX + 1)}, {"links": {"pr": "x" * 401}}, {"finding": "x" * 201},
     {"checks": CheckCounts(failed=LIST_MAX + 1, failing=("t",) * (LIST_MAX + 1)), "status": "failed"}],
)  # fmt: skip
def test_what_is_too_long_is_refused_and_nothing_recorded(loom: Loom, given: dict[str, Any]) -> None:
    run = started(loom, ANA)
    with pytest.raises(LimitExceeded):
        recorded(loom, ANA, **given)

    assert loom.runs.details(run.id).outcomes == ()


@pytest.mark.parametrize("given", [{"summary": "\n "}, {"role": ""}, {"links": {"pr": ""}}, {"summary": "\udcff"}])
def test_what_says_nothing_is_refused(loom: Loom, given: dict[str, Any]) -> None:
    started(loom, ANA)

    with pytest.raises(Invalid):
        recorded(loom, ANA, **given)
