"""How a run comes to be, and comes back."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import path_index
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, heard, recorded, started


def test_a_lost_run_that_is_taken_over_lives_as_if_it_had_never_ended(loom: Loom, clocks: Clocks) -> None:
    first = started(loom, ANA, key="nightly", patterns=["src/"])
    claimed(loom, ANA, "docs/")
    clocks.pass_minutes(91)
    started(loom, BEA)  # which sweeps
    ended = loom.runs.details(first.id).run
    again = started(loom, replace(ANA, session="s-new"), key="nightly")
    with loom.store.read() as tx:
        near = path_index.ids_near(tx, REPO, "run", ["src/a.py"], limit=9)

    assert (ended.state, ended.ended_at_ms) == ("lost", loom.runs.latest(REPO, limit=1)[1])
    assert (again.id, again.state, again.ended_at_ms) == (first.id, "live", None)
    assert loom.runs.details(first.id).run == again
    assert near == [first.id]
    assert loom.claims.held(REPO, limit=9)[0] == ()


def test_what_a_lost_run_missed_is_told_to_whoever_takes_it_over(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, key="nightly")
    claimed(loom, ANA, "docs/")
    clocks.pass_minutes(91)
    started(loom, BEA)
    new = replace(ANA, session="s-new")
    result = loom.runs.start(new, SHOP, loop="loop", goal="goal", key="nightly", budget_tokens=100)

    assert [alert.kind for alert in result.alerts] == ["expired"]
    assert [alert.kind for alert in heard(loom, new)] == ["expired"]


def test_a_folder_and_a_branch_that_are_no_utf8_are_spelled_out(loom: Loom) -> None:
    run = started(loom, ANA, replace(SHOP, worktree="/home/\udcff", branch="b\udcfe"))

    assert (run.worktree, run.branch) == ("/home/\\xff", "b\\xfe")
    assert loom.runs.details(run.id).run == run


def test_a_run_of_another_repository_cannot_be_checked(loom: Loom) -> None:
    elsewhere = started(loom, BEA, Checkout(identity="elsewhere")).id

    with pytest.raises(Invalid, match="another repository"):
        started(loom, ANA, checks_run=elsewhere)


def test_a_parent_is_live_in_the_same_repository_and_of_the_nearest_agent(loom: Loom, clocks: Clocks) -> None:
    child = replace(ANA, agent="sub", parent_agent="middle")
    elsewhere = started(loom, ANA, Checkout(identity="elsewhere"))
    orphan = started(loom, child)
    root = started(loom, ANA)
    with_root = started(loom, child)
    middle = started(loom, replace(ANA, agent="middle"))
    with_middle = started(loom, child)
    recorded(loom, replace(ANA, agent="middle"), status="done")
    after_middle = started(loom, child)

    assert elsewhere.parent_id is None
    assert [run.parent_id for run in (orphan, with_root, with_middle, after_middle)] == [
        None, root.id, middle.id, root.id,
    ]  # fmt: skip


def test_the_parent_of_a_run_is_not_another_persons(loom: Loom) -> None:
    started(loom, BEA)

    assert started(loom, Caller(principal="ana", session=BEA.session, agent="sub")).parent_id is None


@pytest.mark.parametrize(("certain", "is_asked"), [(True, False), (False, True)])
def test_a_start_asks_for_the_run_in_each_call_where_agents_are_not_told_apart(
    loom: Loom, certain: bool, is_asked: bool
) -> None:
    caller = replace(ANA, certain=certain)
    started_run = loom.runs.start(caller, SHOP, loop="loop", goal="goal", budget_tokens=100)

    assert started_run.next.endswith("Pass run in each call.") == is_asked


@pytest.mark.parametrize("idle_minutes", [1, 27, 40])
def test_a_run_on_another_machine_goes_on_however_long_its_client_was_idle_before_it_ended(
    loom: Loom, clocks: Clocks, idle_minutes: int
) -> None:
    before, anew = (replace(ANA, process=f"far:{digit * 16}") for digit in "12")
    first = started(loom, before)
    clocks.pass_minutes(idle_minutes)
    loom.runs.shorten(before)

    assert started(loom, anew).id == first.id
