"""Evidence of a commit: the last word of each who looked at it, in a run or from outside; a failure is none."""

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.outcomes import CheckCounts, Role
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.rules import Checks, Evidence, EvidenceKind, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.edge.deciding import decided_change
from loomstack_mcp.loom import Loom
from tests.factories import ANA, BEA, SHOP
from tests.services.support import CHEN, recorded, started

HEAD = "0123456789abcdef0123456789abcdef01234567"


def lacks(loom: Loom, kind: EvidenceKind, *, head: str = HEAD, count: int = 1) -> str:
    """What a rule that asks for such evidence says is missing; "" where it is content."""
    check = Checks(evidence=(Evidence(kind=kind, count=count),))
    book = Rulebook(rules=(Rule(id="asks", why="why", effect="deny", on=("land",), check=check),))
    situation = Situation(point="ci", actions=frozenset({"land"}), now_ms=0, touched=(), head=head)
    reasons = decided_change(loom.policy, SHOP, "ci", book, bound(situation)).decision.reasons
    return reasons[0].violations[0].text if reasons else ""


@pytest.fixture(autouse=True)
def made(loom: Loom) -> str:
    """The run of a maker, who recorded a commit; two others check it."""
    started(loom, ANA)
    run = recorded(loom, ANA, commits=[HEAD]).outcome.run_id
    for caller in (BEA, CHEN):
        started(loom, caller, checks_run=run)
    return run


@pytest.mark.parametrize(
    ("role", "kind"), [("checker", "tests"), ("reviewer", "review"), ("build", "build"), ("scan", "scan")]
)
def test_each_role_of_a_checkers_run_gives_its_kind(loom: Loom, role: Role, kind: EvidenceKind) -> None:
    kinds: list[EvidenceKind] = ["tests", "review", "build", "scan"]
    before = lacks(loom, kind)
    recorded(loom, BEA, role=role, checks=CheckCounts(passed=1), commits=[HEAD])

    assert before
    assert [one for one in kinds if not lacks(loom, one)] == [kind]


def test_who_failed_it_after_passing_it_gives_none_and_is_named(loom: Loom) -> None:
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[HEAD])
    passed = lacks(loom, "tests")
    recorded(loom, BEA, role="checker", status="failed", checks=CheckCounts(passed=7, failed=1), commits=[HEAD])
    failed = lacks(loom, "tests")
    recorded(loom, CHEN, role="checker", checks=CheckCounts(passed=8), commits=[HEAD])
    other = lacks(loom, "tests")
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[HEAD])

    assert passed == other == lacks(loom, "tests", count=2) == ""
    assert failed == ("0 of 1 tests passed on exactly this commit by somebody who did not make it; failed by loop@bea")


def test_the_last_word_from_outside_counts_for_its_commit_alone(loom: Loom) -> None:
    def told(passed: bool) -> str:
        loom.evidence.add(SHOP, HEAD, "build", passed=passed, who="ci", link="https://ci.example/1")
        return lacks(loom, "build")

    words = [told(passed) for passed in (True, False, True)]

    assert [bool(word) for word in words] == [False, True, False]
    assert "failed by ci" in words[1]
    assert lacks(loom, "build", head="f" * 40)
    assert lacks(loom, "scan")


def test_the_last_word_counts_wherever_it_was_said(loom: Loom) -> None:
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[HEAD])
    loom.evidence.add(SHOP, HEAD, "tests", passed=False, who="loop@bea")
    taken_back = lacks(loom, "tests")
    recorded(loom, BEA, role="checker", checks=CheckCounts(passed=8), commits=[HEAD])

    assert "failed by loop@bea" in taken_back
    assert lacks(loom, "tests") == ""


def test_a_makers_own_word_from_outside_is_none_where_a_rule_asks_another(loom: Loom) -> None:
    loom.evidence.add(SHOP, HEAD, "build", passed=True, who="ana")

    assert lacks(loom, "build")


def test_nobodys_word_is_not_kept(loom: Loom) -> None:
    with pytest.raises(Invalid, match="by is empty"):
        loom.evidence.add(SHOP, HEAD, "build", passed=True, who=" ")
    assert lacks(loom, "build")
