"""What the store knows for the policy: claims, by whom, and what checkers found of a commit."""

from dataclasses import replace
from typing import Any

import pytest

from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.policy.rules import Checks, Evidence, EvidenceKind, Rule, Rulebook
from loomstack_mcp.core.policy.situation import Situation, Touched
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.deciding import decided_action, decided_change
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, SHOP
from tests.services.support import claimed, recorded, started

SUB = Caller(principal="ana", session="s-ana", agent="sub")
HEAD = "0123456789abcdef0123456789abcdef01234567"


def book(**checks: Any) -> Rulebook:
    rule = Rule(id="asked", why="why", effect="deny", on=("edit", "land"), check=Checks(**checks))
    return Rulebook(rules=(rule,), hash="sha256:0")


HELD, FREE = book(claims="held"), book(claims="not_held_by_other")
EIGHT = CheckCounts(passed=8)
OTHERS: tuple[EvidenceKind, ...] = ("tests", "review", "build", "scan")
TESTED = book(evidence=(Evidence(kind="tests"),))


def edit(loom: Loom, caller: Caller, rules: Rulebook, *paths: str, folder: bool = False) -> str:
    touched = tuple(Touched(path=path, is_folder=folder) for path in paths)
    situation = Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0, touched=touched)
    return decided_action(loom.policy, caller, "", rules, situation).decision.answer


def land(loom: Loom, rules: Rulebook, *paths: str, head: str = HEAD) -> str:
    touched = tuple(Touched(path=path) for path in paths)
    situation = Situation(point="ci", actions=frozenset({"land"}), now_ms=0, touched=touched, head=head)
    return decided_change(loom.policy, SHOP, "ci", rules, situation).decision.answer


@pytest.fixture(autouse=True)
def _runs(loom: Loom) -> None:
    for caller in (ANA, BEA):
        started(loom, caller)


def test_what_a_run_or_one_above_it_holds_is_held(loom: Loom) -> None:
    claimed(loom, ANA, "src/")
    started(loom, SUB)
    claimed(loom, SUB, "docs/")

    assert [edit(loom, SUB, HELD, path) for path in ("src/a.py", "docs/a.md", "other.py")] == ["allow", "allow", "deny"]
    assert [edit(loom, ANA, HELD, path) for path in ("src/a.py", "docs/a.md")] == ["allow", "deny"]


def test_what_others_hold_exclusively_is_theirs_until_their_lease_ends(loom: Loom, clocks: Clocks) -> None:
    claimed(loom, BEA, "src/", "docs/*.md", minutes=10)
    asked = ("src/a.py", "docs/a.md", "docs/a.txt")
    before = [edit(loom, ANA, FREE, path) for path in asked]
    clocks.pass_minutes(10)

    assert before == ["deny", "deny", "allow"]
    assert [edit(loom, ANA, FREE, path) for path in asked] == ["allow"] * 3


def test_what_others_hold_shared_hinders_nobody(loom: Loom) -> None:
    claimed(loom, BEA, "src/", mode="shared")

    assert edit(loom, ANA, FREE, "src/a.py") == "allow"


def test_what_is_merely_edited_is_held_by_others_and_not_by_who_edits_it(loom: Loom) -> None:
    for caller, path in ((ANA, "own.py"), (SUB, "sub.py"), (BEA, "other.py")):
        loom.edits.hold(caller, SHOP, [path])

    assert [edit(loom, ANA, FREE, path) for path in ("own.py", "sub.py", "other.py")] == ["allow", "allow", "deny"]
    assert [edit(loom, ANA, HELD, path) for path in ("own.py", "sub.py")] == ["deny", "deny"]


def test_a_touched_folder_meets_what_is_held_below_it(loom: Loom) -> None:
    claimed(loom, BEA, "src/deep/a.py")

    assert edit(loom, ANA, FREE, "src", folder=True) == "deny"
    assert edit(loom, ANA, FREE, "src/deep", folder=True) == "deny"
    assert edit(loom, ANA, FREE, "src/shallow", folder=True) == "allow"


def test_letter_case_counts_until_a_clone_ignores_it(loom: Loom) -> None:
    claimed(loom, BEA, "SRC/A.py")
    claimed(loom, ANA, "Docs/")
    mac = Checkout(identity=SHOP.identity, clone="clone:mac", ignore_case=True)
    before = edit(loom, ANA, FREE, "src/a.PY"), edit(loom, ANA, HELD, "docs/x")
    started(loom, Caller(principal="chen", session="s-chen"), mac)

    assert before == ("allow", "deny")
    assert (edit(loom, ANA, FREE, "src/a.PY"), edit(loom, ANA, HELD, "docs/x")) == ("deny", "allow")


def test_names_with_glob_characters_are_touched_literally(loom: Loom) -> None:
    claimed(loom, BEA, "app/i/page.tsx")

    assert edit(loom, ANA, FREE, "app/[id]/page.tsx") == "allow"
    assert edit(loom, ANA, FREE, "app/*/page.tsx") == "allow"


def test_a_change_is_judged_by_what_its_run_ever_claimed(loom: Loom) -> None:
    claimed(loom, ANA, "src/")
    recorded(loom, ANA, status="done", commits=[HEAD[:12]])

    assert [land(loom, HELD, path) for path in ("src/a.py", "docs/a.md")] == ["allow", "deny"]
    assert land(loom, HELD, "src/a.py", head="f" * 40) == "deny"


def test_a_change_of_a_child_stands_under_its_parents_claim(loom: Loom) -> None:
    claimed(loom, ANA, "src/")
    started(loom, SUB)
    recorded(loom, SUB, status="done", commits=[HEAD])

    assert [land(loom, rules, "src/a.py") for rules in (HELD, FREE)] == ["allow", "allow"]


def test_a_change_does_not_stand_under_the_claim_of_a_child_or_of_a_sibling(loom: Loom) -> None:
    started(loom, SUB)
    sibling = Caller(principal="ana", session="s-ana", agent="other")
    started(loom, sibling)
    claimed(loom, SUB, "src/")
    recorded(loom, ANA, commits=[HEAD])
    recorded(loom, sibling, commits=["f" * 40])

    assert [land(loom, FREE, "src/a.py", head=head) for head in (HEAD, "f" * 40)] == ["deny", "deny"]


@pytest.mark.parametrize(("status", "answer"), [("passed", "allow"), ("done", "allow"), ("blocked", "deny")])
def test_only_what_a_checker_passed_is_evidence(loom: Loom, status: str, answer: str) -> None:
    maker = recorded(loom, ANA, commits=[HEAD]).outcome.run_id
    started(loom, BEA, checks_run=maker)
    before = land(loom, TESTED)
    recorded(loom, BEA, status=status, role="checker", checks=EIGHT, commits=[HEAD[:7]])

    assert (before, land(loom, TESTED)) == ("deny", answer)


def test_evidence_is_about_one_commit(loom: Loom) -> None:
    maker = recorded(loom, ANA, commits=[HEAD, "f" * 40]).outcome.run_id
    started(loom, BEA, checks_run=maker)
    recorded(loom, BEA, role="checker", checks=EIGHT, commits=[HEAD])

    assert [land(loom, TESTED, head=head) for head in (HEAD, "f" * 40, HEAD[:-1] + "0", "")] == [
        "allow", "deny", "deny", "deny",
    ]  # fmt: skip


def test_the_makers_own_word_is_no_evidence(loom: Loom) -> None:
    maker = recorded(loom, ANA, commits=[HEAD]).outcome.run_id
    started(loom, ANA, checks_run=maker)
    recorded(loom, ANA, role="checker", checks=EIGHT, commits=[HEAD])

    assert land(loom, TESTED) == "deny"


def test_who_made_a_commit_gives_no_evidence_by_checking_another_run_of_the_loop(loom: Loom) -> None:
    one, other = replace(ANA, agent="a1"), replace(ANA, agent="a2")
    made = started(loom, one).id
    started(loom, other)
    recorded(loom, other, commits=[HEAD])
    started(loom, other, checks_run=made, loop="check")
    own = recorded(loom, other, role="checker", checks=EIGHT, commits=[HEAD])
    before = land(loom, TESTED)
    started(loom, BEA, checks_run=made, loop="check")
    recorded(loom, BEA, role="checker", checks=EIGHT, commits=[HEAD])

    assert (own.outcome.role, own.next.action, ["your own run" in text for text in own.warnings]) == (
        "maker", "check", [True],
    )  # fmt: skip
    assert (before, land(loom, TESTED)) == ("deny", "allow")


def test_who_made_a_part_gives_evidence_for_the_rest_alone(loom: Loom) -> None:
    one, other, part = replace(ANA, agent="a1"), replace(ANA, agent="a2"), "f" * 40
    made = started(loom, one).id
    recorded(loom, one, commits=[HEAD])
    started(loom, other)
    own = recorded(loom, other, commits=[part]).outcome.run_id
    started(loom, other, checks_run=made, loop="check")
    check = recorded(loom, other, role="checker", checks=EIGHT, commits=[HEAD, part])

    assert check.warnings == (f"{part[:12]} is of {own}, your own run: not kept, no evidence",)
    assert [land(loom, TESTED, head=head) for head in (HEAD, part)] == ["allow", "deny"]


def test_a_check_that_names_no_commit_is_evidence_for_none_and_told_so(loom: Loom) -> None:
    maker = recorded(loom, ANA, commits=[HEAD]).outcome.run_id
    started(loom, BEA, checks_run=maker)
    unnamed = recorded(loom, BEA, role="checker", checks=EIGHT)
    failed = recorded(loom, BEA, role="checker", status="failed", checks=CheckCounts(failed=1))

    assert unnamed.warnings == ("no evidence for any commit: record again with commits=[what this checker looked at]",)
    assert (land(loom, TESTED), failed.warnings) == ("deny", ())


@pytest.mark.parametrize("role", ["checker", "reviewer", "build", "scan"])
def test_who_reports_no_checks_gives_no_evidence_and_is_told_so(loom: Loom, role: str) -> None:
    maker = recorded(loom, ANA, commits=[HEAD]).outcome.run_id
    started(loom, BEA, checks_run=maker)
    empty = recorded(loom, BEA, role=role, commits=[HEAD])
    kind = {"checker": "tests", "reviewer": "review"}.get(role, role)
    asked = book(evidence=(Evidence(kind=kind),))  # type: ignore[arg-type]
    before = land(loom, asked)
    counted = recorded(loom, BEA, role=role, checks=EIGHT, commits=[HEAD])
    others = [land(loom, book(evidence=(Evidence(kind=other),))) for other in OTHERS if other != kind]

    assert empty.warnings == (
        f"no evidence: this {role} reports no checks; record again with checks={{passed, failed}}",
    )
    assert (before, land(loom, asked), counted.warnings) == ("deny", "allow", ())
    assert others == ["deny"] * 3
