"""Entering a call: which run is meant, who may act for it, and what use does to its lease."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid, LeaseLost, NotFound, Unauthorized
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.acting import acting_run
from tests.conftest import Clocks
from tests.factories import ANA, REPO
from tests.services.support import claimed, recorded, started

SUB, OTHER = (Caller(principal="ana", session="s-ana", agent=name) for name in ("sub", "other"))


def acting(loom: Loom, caller: Caller, run: str = "") -> Run:
    with acting_run(loom.store, caller, run) as (_, found):
        return found


def minutes_left(loom: Loom, run: Run) -> float:
    details = loom.runs.details(run.id)
    return (details.run.expires_at_ms - details.now_ms) / 60_000


def test_a_call_in_the_first_half_of_a_lease_marks_the_run_as_seen_and_no_more(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    clocks.pass_minutes(10)
    used = acting(loom, ANA)

    assert used == replace(run, seen_at_ms=run.seen_at_ms + 10 * 60_000)
    assert loom.events.cursor(REPO) == 1


def test_a_lapsed_run_is_renewed_by_use_which_the_log_says(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    clocks.pass_minutes(31)
    acting(loom, ANA)
    [event] = loom.events.latest(REPO, limit=1)[0]

    assert minutes_left(loom, run) == 30
    assert (event.kind, event.about, event.payload) == ("run.renewed", run.id, {"lapsed": True})


def test_a_call_renews_all_forebears_but_no_sibling_and_no_child(loom: Loom, clocks: Clocks) -> None:
    grandparent = started(loom, ANA)
    parent = started(loom, SUB)
    child = started(loom, replace(ANA, agent="subsub", parent_agent="sub"))
    sibling = started(loom, OTHER)
    clocks.pass_minutes(20)
    acting(loom, replace(ANA, agent="subsub"))
    after_child = [minutes_left(loom, run) for run in (grandparent, parent, child, sibling)]
    clocks.pass_minutes(20)
    acting(loom, ANA)

    assert after_child == [30, 30, 30, 10]
    assert [minutes_left(loom, run) for run in (grandparent, parent, child)] == [30, 10, 10]


def test_a_forebear_that_is_over_stays_so(loom: Loom) -> None:
    parent = started(loom, ANA)
    started(loom, SUB)
    recorded(loom, ANA, status="done")
    ended = loom.runs.details(parent.id).run
    acting(loom, SUB)

    assert loom.runs.details(parent.id).run == ended


def test_a_run_is_lost_at_its_instant_and_then_neither_meant_nor_usable(loom: Loom, clocks: Clocks) -> None:
    older = started(loom, ANA)
    clocks.pass_minutes(45)
    newer = started(loom, ANA)
    clocks.pass_minutes(44)
    acting(loom, ANA, newer.id)
    clocks.pass_minutes(1)

    assert acting(loom, ANA).id == newer.id
    with pytest.raises(LeaseLost, match="start_run"):
        acting(loom, ANA, older.id)


def test_an_ended_run_names_its_end(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    recorded(loom, ANA, status="abandoned")
    clocks.pass_minutes(3)

    with pytest.raises(Invalid, match=r"ended 3 min ago \(abandoned\)"):
        acting(loom, ANA, run.id)
    with pytest.raises(NotFound, match="start_run"):
        acting(loom, ANA)


def test_a_sub_agent_has_no_run_of_its_sessions(loom: Loom) -> None:
    run = started(loom, ANA)

    with pytest.raises(NotFound):
        acting(loom, SUB)
    with pytest.raises(Unauthorized):
        acting(loom, SUB, run.id)


def test_who_cannot_be_told_apart_may_act_for_each_run_of_the_session_and_has_to_name_it(
    loom: Loom, clocks: Clocks
) -> None:
    runs = [started(loom, caller, goal=f"goal of {caller.agent}").id for caller in (ANA, SUB)]
    guess = replace(ANA, agent="who knows", certain=False)

    assert [acting(loom, guess, run).id for run in runs] == runs
    with pytest.raises(Invalid, match=r"goal of sub.*goal of "):
        acting(loom, guess)
    recorded(loom, SUB, status="done")
    assert acting(loom, guess).id == runs[0]
    with pytest.raises(Unauthorized):
        acting(loom, replace(guess, session="s-bea"), runs[0])


def test_a_call_that_fails_leaves_the_lease_as_it_was(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    clocks.pass_minutes(20)
    with pytest.raises(ZeroDivisionError), acting_run(loom.store, ANA, ""):
        raise ZeroDivisionError

    assert loom.runs.details(run.id).run == run


def test_the_longest_of_its_claims_sets_the_lease_of_a_run(loom: Loom) -> None:
    run = started(loom, ANA)
    left = []
    for minutes, path in ((60, "a/"), (10, "b/"), (90, "c/"), (5, "a/")):
        claimed(loom, ANA, path, minutes=minutes)
        left.append(minutes_left(loom, run))

    assert left == [60, 60, 90, 90]


def test_whose_run_it_is_instead_is_said_by_session_and_by_agent(loom: Loom) -> None:
    run = started(loom, SUB)
    told = []
    for caller in (OTHER, ANA, replace(SUB, session="s-2")):
        with pytest.raises(Unauthorized) as refused:
            acting(loom, caller, run.id)
        told.append(str(refused.value).split(" to ")[1].split(";")[0])

    assert told == ["another agent of this session", "another agent of this session", "another session"]
