"""Sightings: what hooks saw of agents, and how long that is kept."""

from dataclasses import replace

from loomstack_mcp.core.limits import CALL_SEEN_FOR_MS, EDIT_SEEN_FOR_MS, MINUTE_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import SHOP
from tests.services.support import started

LEAD = Caller(principal="ana", session="claude:s", folder="/lead")
SUB = replace(LEAD, agent="sub", folder="/sub")
UNKNOWN = replace(LEAD, folder="", certain=False)


def edited(loom: Loom, caller: Caller) -> tuple[str, ...]:
    return loom.sightings.edited(caller, SHOP)


def test_a_call_that_was_seen_tells_its_agent_and_its_folder(loom: Loom) -> None:
    loom.sightings.saw_call(SUB, "toolu_1")
    loom.sightings.saw_call(LEAD, "toolu_2")

    assert [loom.sightings.known_caller(UNKNOWN, f"toolu_{number}") for number in (1, 2, 3)] == [SUB, LEAD, UNKNOWN]
    assert loom.sightings.known_caller(UNKNOWN, "") == UNKNOWN
    other = replace(UNKNOWN, session="claude:t")
    assert loom.sightings.known_caller(other, "toolu_1") == other


def test_edits_are_an_agent_s_own_where_it_is_certain_who_calls(loom: Loom) -> None:
    loom.sightings.saw_edits(SUB, SHOP, {"/w1": "", "/w2": ""})
    loom.sightings.saw_edits(LEAD, SHOP, {"/w1": ""})
    loom.sightings.saw_edits(replace(LEAD, session="claude:t"), SHOP, {"/w3": ""})
    loom.sightings.saw_edits(LEAD, replace(SHOP, identity="host/other", clone="clone:other"), {"/w4": ""})

    assert (edited(loom, SUB), edited(loom, LEAD), edited(loom, UNKNOWN)) == (("/w1", "/w2"), ("/w1",), ("/w1", "/w2"))


def test_what_was_looked_at_is_forgotten_for_its_agent_until_the_next_edit(loom: Loom) -> None:
    for caller in (SUB, LEAD):
        loom.sightings.saw_edits(caller, SHOP, {"/w": ""})
    loom.sightings.looked_at(SUB, "/w")
    after_one = edited(loom, SUB), edited(loom, LEAD)
    loom.sightings.saw_edits(SUB, SHOP, {"/w": ""})
    loom.sightings.looked_at(UNKNOWN, "/w")

    assert (after_one, edited(loom, UNKNOWN)) == (((), ("/w",)), ())


def test_a_caller_without_a_session_is_never_told_another_s_edits(loom: Loom) -> None:
    nobody = Caller(principal="ana", certain=False)
    loom.sightings.saw_edits(nobody, SHOP, {"/w": ""})

    assert edited(loom, nobody) == ()


def test_calls_are_kept_for_an_hour_and_edits_for_a_week(loom: Loom, clocks: Clocks) -> None:
    loom.sightings.saw_call(SUB, "toolu_1")
    loom.sightings.saw_edits(SUB, SHOP, {"/w": ""})
    clocks.pass_minutes(CALL_SEEN_FOR_MS // MINUTE_MS + 1)
    loom.sightings.saw_call(SUB, "toolu_2")
    after_an_hour = loom.sightings.known_caller(UNKNOWN, "toolu_1"), edited(loom, SUB)
    clocks.pass_minutes(EDIT_SEEN_FOR_MS // MINUTE_MS)
    loom.sightings.saw_call(SUB, "toolu_3")

    assert (after_an_hour, edited(loom, SUB)) == ((UNKNOWN, ("/w",)), ())


def test_a_worktree_is_the_repository_s_also_before_its_first_run(loom: Loom) -> None:
    loom.sightings.saw_edits(LEAD, SHOP, {"/w": ""})
    started(loom, LEAD)

    assert edited(loom, LEAD) == ("/w",)


def test_a_call_is_of_the_session_that_goes_on_in_its_process(loom: Loom) -> None:
    process = "boot pid:[1] 7 99"
    cleared = replace(LEAD, session="claude:after-clear", process=process)
    loom.sessions.start(cleared, SHOP)
    loom.sightings.saw_call(cleared, "toolu_1")
    mine, elsewhere = replace(UNKNOWN, process=f"5/6 {process}"), replace(UNKNOWN, process="5/6 boot pid:[1] 8 99")

    assert loom.sightings.known_caller(mine, "toolu_1") == replace(cleared, process=mine.process)
    assert loom.sightings.known_caller(mine, "toolu_2") == mine
    assert loom.sightings.known_caller(elsewhere, "toolu_1") == elsewhere
    assert loom.sightings.known_caller(replace(mine, principal="bea"), "toolu_1").session == UNKNOWN.session
