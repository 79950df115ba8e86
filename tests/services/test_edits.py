"""Files that are held from their first edit on, though nobody claimed them: by whom, for how long, and for whom not."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.limits import AUTO_HELD_MAX
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import landed
from tests.conftest import Clocks
from tests.services.editing import ANA, BEA, HERE, SIBLING, SUB, claim_of, edited, held, in_the_way
from tests.services.support import claimed, heard, started


def test_a_file_is_held_from_its_first_edit_on(loom: Loom) -> None:
    assert edited(loom, ANA, "src/a.py") == []

    assert claim_of(loom, "src/a.py").intent == "edited by claude, session aaaaaaaa"
    assert held(loom) == [("src/a.py", "auto", "claude-aaaaaaaa")]
    assert edited(loom, BEA, "src/a.py") == [("src/a.py", "edited by claude, session aaaaaaaa")]
    assert in_the_way(loom, BEA, "src/a.py") == ["edited by claude, session aaaaaaaa"]
    assert in_the_way(loom, ANA, "src/a.py") == []


def test_all_files_of_an_edit_are_held_or_none(loom: Loom) -> None:
    edited(loom, ANA, "src/a.py")

    assert edited(loom, BEA, "src/b.py", "src/a.py", "src/c.py") == [("src/a.py", "edited by claude, session aaaaaaaa")]
    assert held(loom) == [("src/a.py", "auto", "claude-aaaaaaaa")]


def test_a_lapsed_claim_over_several_files_of_an_edit_ends_once(loom: Loom, clocks: Clocks) -> None:
    started(loom, BEA)
    claimed(loom, BEA, "src/", minutes=1)
    clocks.pass_minutes(31)
    edited(loom, ANA, "src/a.py", "src/b.py")
    kinds = [event.kind for event in loom.events.since(loom.repos.ids()[0], since=0, limit=99)[0]]

    assert kinds.count("claim.expired") == 1


def test_where_agents_are_not_told_apart_a_commit_is_no_checker_s(loom: Loom) -> None:
    """As in Claude Code without its hooks: the newest run of the session may check the one that commits."""
    unsure = replace(ANA, certain=False)
    maker = started(loom, ANA, HERE).id
    checker = loom.runs.start(ANA, HERE, loop="check", goal="g", checks_run=maker, budget_tokens=100).run.id

    assert checker != maker
    assert loom.commits.committing_run(unsure, HERE, ["src/a.py"]) == maker


def test_each_of_very_many_files_is_held(loom: Loom) -> None:
    edited(loom, ANA, *(f"src/{number}.py" for number in range(AUTO_HELD_MAX + 1)))

    assert len(held(loom)) == AUTO_HELD_MAX + 1


def test_what_an_agent_claimed_itself_stays_as_it_is(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, HERE)
    claimed(loom, ANA, "src/", intent="split it")
    clocks.pass_minutes(20)
    edited(loom, ANA, "src/a.py")
    clocks.pass_minutes(20)

    assert held(loom) == [("src/", "asked", "loop")]
    assert edited(loom, BEA, "src/a.py") == [("src/a.py", "split it")]


def test_its_own_claim_over_a_file_takes_the_place_of_an_automatic_one(loom: Loom) -> None:
    edited(loom, ANA, "src/a.py", "src/b.py")
    started(loom, ANA, HERE)
    granted = claimed(loom, ANA, "src/a.py", intent="split it")

    assert granted.claim
    assert held(loom) == [("src/a.py", "asked", "loop"), ("src/b.py", "auto", "claude-aaaaaaaa")]
    assert heard(loom, ANA) == ()


def test_the_same_run_may_claim_what_it_edits(loom: Loom) -> None:
    started(loom, ANA, HERE)
    edited(loom, ANA, "src/a.py")
    automatic = claim_of(loom, "src/a.py")
    granted = claimed(loom, ANA, "src/a.py", intent="split it").claim

    assert granted
    assert granted.id != automatic.id
    assert held(loom) == [("src/a.py", "asked", "loop")]


def test_others_are_refused_what_is_edited_and_are_told_when_it_is_free(loom: Loom) -> None:
    edited(loom, ANA, "src/a.py")
    started(loom, BEA, HERE)
    refused = claimed(loom, BEA, "src/")
    loom.edits.settle(None, HERE, ["src/a.py"])

    assert [(blocker.intent, blocker.origin) for blocker in refused.blockers] == [
        ("edited by claude, session aaaaaaaa", "auto")
    ]
    assert [alert.kind for alert in heard(loom, BEA)] == ["freed"]


def test_a_file_that_others_share_is_not_held_and_may_be_edited(loom: Loom) -> None:
    started(loom, BEA, HERE)
    claimed(loom, BEA, "docs/", mode="shared")

    assert edited(loom, ANA, "docs/x.md") == []
    assert held(loom) == [("docs/", "asked", "loop")]


def test_a_place_in_the_queue_is_not_jumped_by_an_edit(loom: Loom) -> None:
    edited(loom, ANA, "src/a.py")
    started(loom, BEA, HERE)
    claimed(loom, BEA, "src/a.py", wait_s=9)
    loom.edits.settle(ANA, HERE, ["src/a.py"])

    assert edited(loom, ANA, "src/a.py") == []
    assert held(loom) == []
    assert claimed(loom, BEA, "src/a.py", wait_s=9).claim


def test_agents_side_by_side_in_a_session_stand_in_each_others_way(loom: Loom) -> None:
    edited(loom, SUB, "src/a.py")

    assert edited(loom, SIBLING, "src/a.py") == [("src/a.py", "edited by claude, session aaaaaaaa")]


@pytest.mark.parametrize(("first", "then"), [(ANA, SUB), (SUB, ANA)])
def test_a_session_and_its_sub_agent_pass_a_file_to_and_fro(loom: Loom, first: Caller, then: Caller) -> None:
    for caller in (first, then, first, then):
        assert in_the_way(loom, caller, "src/a.py") == []
        assert edited(loom, caller, "src/a.py") == []

    [(_, origin, loop)] = held(loom)
    assert (origin, loop) == ("auto", f"claude-aaaaaaaa{'-a1' if then.agent else ''}")
    assert edited(loom, BEA, "src/a.py") != []


def test_an_agent_takes_back_what_the_agents_below_one_below_it_edit(loom: Loom) -> None:
    child = replace(ANA, session="codex:1", agent="t1")
    grandchild = replace(child, agent="t2", parent_agent="t1")
    for caller in (replace(child, agent=""), child, grandchild):
        edited(loom, caller, f"src/{caller.agent or 'own'}.py")

    assert edited(loom, child, "src/t2.py") == []
    assert edited(loom, grandchild, "src/t1.py") == []


def test_a_parents_claim_does_not_hide_sub_agents_from_one_another(loom: Loom) -> None:
    started(loom, ANA, HERE)
    claimed(loom, ANA, "src/")
    edited(loom, SUB, "src/a.py")

    assert edited(loom, SIBLING, "src/a.py") == [("src/a.py", "edited by claude, session aaaaaaaa")]
    assert edited(loom, ANA, "src/a.py") == []


def test_a_run_without_a_session_may_claim_what_its_person_edits(loom: Loom) -> None:
    over_http = Caller(principal="ana")
    edited(loom, ANA, "src/a.py")
    started(loom, over_http, HERE)

    assert claimed(loom, over_http, "src/a.py").claim
    assert edited(loom, ANA, "src/a.py") == []


def test_where_letter_case_tells_nothing_apart_another_spelling_is_the_same_file(loom: Loom) -> None:
    folding = replace(HERE, ignore_case=True)
    edited(loom, ANA, "src/a.py", checkout=folding)

    assert edited(loom, BEA, "SRC/A.py", checkout=folding) != []
    assert len(loom.edits.settle(ANA, folding, ["Src/a.PY"])) == 1


def test_nobody_holds_anything_whom_no_client_names(loom: Loom) -> None:
    for session in ("", "process:1:2"):
        assert edited(loom, Caller(principal="ana", session=session), "src/a.py") == []

    assert held(loom) == []


def test_what_is_merely_edited_is_never_intended_nor_said_to_be_held(loom: Loom) -> None:
    run = started(loom, ANA, HERE)
    edited(loom, ANA, "src/a.py")
    with loom.store.read() as tx:
        assert landed.ever_claimed(tx, run.id) == []
        assert landed.claim_on(tx, run.id, ["src/a.py"], ignore_case=False) is None
    assert started(loom, ANA, HERE, loop="other").id
    assert loom.runs.start(ANA, HERE, loop="loop", goal="goal", budget_tokens=100).next.startswith("claim_paths")


def test_where_claims_are_asked_for_an_agent_is_told_so_once_for_each_file(loom: Loom) -> None:
    def unclaimed(caller: Caller, *paths: str) -> tuple[str, ...]:
        return loom.edits.hold(caller, HERE, paths, claim_edits="ask").unclaimed

    told = [unclaimed(ANA, "src/a.py"), unclaimed(ANA, "src/a.py", "src/b.py"), unclaimed(ANA, "src/a.py", "src/b.py")]
    started(loom, BEA, HERE)
    claimed(loom, BEA, "docs/")

    assert told == [("src/a.py",), ("src/b.py",), ()]
    assert [path for path, *_ in held(loom)] == ["docs/", "src/a.py", "src/b.py"]
    assert unclaimed(BEA, "docs/x.md") == ()
    assert unclaimed(replace(ANA, agent="a1"), "src/c.py") == ("src/c.py",)
