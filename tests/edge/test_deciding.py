"""Decisions while the store moves: what changes between the facts and the keeping is decided again, never kept."""

from collections.abc import Callable
from typing import Any

import pytest

from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.core.limits import DECISION_ROUNDS_MAX
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.policy.looks import NoLooks, Violations
from loomstack_mcp.core.policy.rules import Checks, Content, Evidence, Limits, Rule, Rulebook, When, Window
from loomstack_mcp.core.policy.situation import LostIntent, Situation, Touched
from loomstack_mcp.edge.deciding import PolicyResult, decided_action, decided_change
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Statement
from tests.conftest import MINUTE_MS, Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, claimed, heard, recorded, started

HEAD = "0123456789abcdef0123456789abcdef01234567"
FREE, HELD = Checks(claims="not_held_by_other"), Checks(claims="held")
TESTED = Checks(evidence=(Evidence(kind="tests", max_age_hours=1),))
DECISIONS = Statement("test.decisions", "SELECT answer FROM decision")
VANISHES = Statement("test.vanishes", "DELETE FROM outcome WHERE role = 'checker'")
ALWAYS = When()
Step = Callable[[], object]


class Meanwhile(NoLooks):
    """Looks that take a while: each time somebody looks for secrets, and finds none, the next thing has happened."""

    def __init__(self, *steps: Step) -> None:
        self._steps = iter(steps)

    def at(self, _: frozenset[str], /) -> "Meanwhile":
        return self

    def secrets(self) -> Violations:
        next(self._steps, lambda: None)()
        return ()


def book(*checks: Checks, when: When = ALWAYS) -> Rulebook:
    looking = Rule(
        id="looking", why="why", effect="deny", on=("edit", "land"), check=Checks(content=Content(secrets=True))
    )
    rules = [
        Rule(id=f"asked{at}", why="why", effect="deny", on=("edit", "land"), check=one, when=when)
        for at, one in enumerate(checks)
    ]
    return Rulebook(rules=(looking, *rules), hash="sha256:0")  # in whatever order they are asked


def edit(
    loom: Loom, rules: Rulebook, *meanwhile: Step, path: str = "src/a.py", is_folder: bool = False
) -> PolicyResult:
    situation = Situation(
        point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=(Touched(path=path, is_folder=is_folder),),
        looks=Meanwhile(*meanwhile),
    )  # fmt: skip
    return decided_action(loom.policy, ANA, "", rules, situation)


def land(loom: Loom, rules: Rulebook, *meanwhile: Step, **given: Any) -> PolicyResult:
    situation = Situation(
        point="ci", actions=frozenset({"land"}), now_ms=0, touched=(Touched(path="src/a.py"),), head=HEAD,
        looks=Meanwhile(*meanwhile), **given,
    )  # fmt: skip
    return decided_change(loom.policy, SHOP, "ci", rules, situation)


def kept(loom: Loom) -> list[str]:
    with loom.store.read() as tx:
        return [row["answer"] for row in tx.all(DECISIONS)]


def run_sql(loom: Loom, statement: Statement) -> None:
    with loom.store.write(REPO) as tx:
        tx.run(statement)


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA):
        started(loom, caller)


def test_a_claim_that_arrives_before_the_decision_is_kept_changes_it(loom: Loom) -> None:
    found = edit(loom, book(FREE), lambda: claimed(loom, BEA, "src/", intent="theirs"))

    assert found.decision.fired == ("asked0",)
    assert "theirs" in found.decision.reasons[0].violations[0].text
    assert kept(loom) == ["deny"]


def test_a_claim_that_ends_meanwhile_hinders_nobody(loom: Loom) -> None:
    claimed(loom, BEA, "src/")
    found = edit(loom, book(FREE), lambda: loom.claims.release_paths(BEA, ""))

    assert (found.decision.answer, kept(loom)) == ("allow", ["allow"])


def test_a_claim_of_its_own_that_goes_meanwhile_allows_nothing(loom: Loom) -> None:
    claimed(loom, ANA, "src/")
    found = edit(loom, book(HELD), lambda: loom.claims.release_paths(ANA, ""))

    assert (found.decision.answer, kept(loom)) == ("deny", ["deny"])


def test_what_no_rule_asks_about_is_decided_once(loom: Loom) -> None:
    times: list[str] = []

    def claims(path: str) -> Step:
        return lambda: times.append(claimed(loom, BEA, path).run)

    elsewhere = edit(loom, book(FREE), *[claims("docs/")] * 3)
    unasked = edit(loom, book(), *[claims("src/")] * 3)

    assert [elsewhere.decision.answer, unasked.decision.answer] == kept(loom) == ["allow", "allow"]
    assert len(times) == 2


def test_a_run_that_ends_meanwhile_is_decided_nothing(loom: Loom) -> None:
    with pytest.raises(Invalid, match="ended"):
        edit(loom, book(FREE), lambda: recorded(loom, ANA, status="abandoned"))

    assert kept(loom) == []


def test_a_run_that_is_started_meanwhile_is_not_the_one_that_was_asked_about(loom: Loom) -> None:
    claimed(loom, ANA, "src/")
    found = edit(loom, book(HELD), lambda: started(loom, ANA, key="other"))

    assert found.decision.answer == "allow"


def test_rework_that_is_counted_meanwhile_counts(loom: Loom) -> None:
    rules = book(Checks(limits=Limits(rework_max=0)))
    found = edit(loom, rules, lambda: recorded(loom, ANA, status="failed", checks=CheckCounts(failed=1)))

    assert (found.decision.fired, kept(loom)) == (("asked0",), ["deny"])


@pytest.mark.parametrize("how", ["removed", "too old"])
def test_evidence_that_vanishes_meanwhile_is_none(loom: Loom, clocks: Clocks, how: str) -> None:
    maker = recorded(loom, ANA, commits=[HEAD]).outcome.run_id
    started(loom, BEA, checks_run=maker)
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[HEAD])
    before = land(loom, book(TESTED))
    vanishes: dict[str, Step] = {
        "removed": lambda: run_sql(loom, VANISHES),
        "too old": lambda: clocks.pass_minutes(61),
    }
    found = land(loom, book(TESTED), vanishes[how])

    assert [before.decision.answer, found.decision.answer] == kept(loom) == ["allow", "deny"]


def test_who_says_meanwhile_to_have_made_it_is_its_maker(loom: Loom) -> None:
    claimed(loom, ANA, "src/")
    found = land(loom, book(HELD), lambda: recorded(loom, ANA, commits=[HEAD]))

    assert (found.decision.answer, kept(loom)) == ("allow", ["allow"])


@pytest.mark.parametrize("kind", ["intent", "fact"])
def test_intents_are_asked_again_where_somebody_spoke_meanwhile(loom: Loom, kind: str) -> None:
    lost = LostIntent(commit="f" * 40, who="bea", intent="why", paths=("src/a.py",), how="undoes")
    said: list[LostIntent] = []

    def shared() -> None:
        loom.notes.share(BEA, "", kind=kind, text="keep", patterns=["src/"])  # type: ignore[arg-type]
        said.append(lost)

    # The rule that looks is asked first: what it waits for comes after the intents were read.
    rules = book(Checks(intents="no_undo"))
    rules = Rulebook(rules=tuple(reversed(rules.rules)), hash=rules.hash)
    found = land(loom, rules, shared, undoing=lambda: tuple(said))

    assert (found.decision.fired, kept(loom)) == (("asked0",), ["deny"])


def test_a_window_that_opens_meanwhile_is_open(loom: Loom, clocks: Clocks) -> None:
    minute = clocks.wall_ms // MINUTE_MS % (24 * 60)
    window = Window(start_minute=minute + 5, end_minute=minute + 60, tz="UTC")
    found = edit(loom, book(HELD, when=When(windows=(window,))), lambda: clocks.pass_minutes(6))

    assert (found.decision.fired, kept(loom)) == (("asked0",), ["deny"])


def test_what_never_holds_still_is_not_decided_and_says_so(loom: Loom) -> None:
    def claims(number: int) -> Step:
        return lambda: claimed(loom, BEA, f"src/{number}.py")

    with pytest.raises(StoreUnavailable, match="changed 10 times while edit was decided, so nothing was decided; ask"):
        edit(loom, book(FREE), *map(claims, range(DECISION_ROUNDS_MAX)), path="src", is_folder=True)

    assert kept(loom) == []
    assert edit(loom, book(FREE), path="docs/a.md").decision.answer == "allow"


def test_alerts_ride_on_what_is_kept_alone(loom: Loom) -> None:
    started(loom, CHEN)

    def told() -> None:
        claimed(loom, BEA, "src/")
        loom.notes.share(CHEN, "", kind="fact", text="look", to="loop")

    found = edit(loom, book(FREE), told)

    assert [alert.text for alert in found.alerts] == ["look"]
    assert [alert.text for alert in heard(loom, ANA)] == ["look"]
    assert heard(loom, ANA) == ()


def test_a_name_that_is_no_utf_8_is_held_as_it_is_spelled_out(loom: Loom) -> None:
    claimed(loom, BEA, r"src/b\\xff.py")

    assert edit(loom, book(FREE), path="src/b\udcff.py").decision.answer == "deny"
