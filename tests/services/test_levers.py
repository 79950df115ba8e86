"""Levers: what a person ends is free at once, and everybody concerned is told who did it and why."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, SHOP
from tests.services.support import CHEN, claimed, heard, recorded, started

WHY = "the release needs it"


def test_a_claim_that_a_person_ends_is_free_and_both_sides_hear_of_it(loom: Loom) -> None:
    mine, theirs = started(loom, BEA), started(loom, ANA)
    held = claimed(loom, BEA, "src/").claim
    assert held
    assert claimed(loom, ANA, "src/a.py").claim is None
    shown = loom.levers.about_claim(held.id)
    done = loom.levers.release_claim(held.id, who="dana", why=WHY)

    assert [run.id for run in shown.runs] == [mine.id]
    assert [waiter.run_id for waiter in shown.waiting] == [theirs.id]
    assert done.freed_for == (theirs.id,)
    assert [(alert.kind, alert.about) for alert in heard(loom, BEA)] == [("revoked", held.id)]
    assert "dana ended your claim on src/: the release needs it" in heard(loom, BEA)[0].text
    assert [alert.kind for alert in heard(loom, ANA)] == ["freed"]
    assert claimed(loom, ANA, "src/a.py").claim
    told = loom.why.behind(held.id)[0].fields
    assert (told["ended"], told["ended_why"]) == ("revoked", f"dana: {WHY}")


def test_it_is_recorded_who_ended_what_and_why(loom: Loom) -> None:
    run = started(loom, BEA)
    held = claimed(loom, BEA, "src/").claim
    assert held
    loom.levers.release_claim(held.id, who="dana", why=WHY)
    loom.levers.stop_run(run.id, who="dana", why=WHY)
    events = loom.events.latest(run.repo_id, limit=2)[0]

    assert [(event.kind, event.about) for event in events] == [("claim.revoked", held.id), ("run.ended", run.id)]
    assert events[0].payload["why"] == f"dana: {WHY}"
    assert events[1].payload["status"] == f"stopped by dana: {WHY}"


def test_a_claim_of_a_lapsed_run_is_ended_as_well(loom: Loom, clocks: Clocks) -> None:
    started(loom, BEA)
    held = claimed(loom, BEA, "src/", minutes=1).claim
    assert held
    clocks.pass_minutes(31)
    loom.levers.release_claim(held.id, who="dana", why=WHY)

    with pytest.raises(Invalid, match="ended 0 s ago \\(revoked\\); nothing was changed"):
        loom.levers.release_claim(held.id, who="dana", why=WHY)


def test_a_stopped_run_holds_nothing_and_its_next_call_is_told_who_and_why(loom: Loom) -> None:
    run, waiting = started(loom, BEA, key="k"), started(loom, ANA)
    claimed(loom, BEA, "src/")
    claimed(loom, ANA, "src/a.py")
    done = loom.levers.stop_run(run.id, who="dana", why=WHY)

    assert done.freed_for == (waiting.id,)
    for call in (
        lambda: claimed(loom, BEA, "docs/"),
        lambda: claimed(loom, BEA, "docs/", run=run.id),
        lambda: recorded(loom, BEA, run.id),
        lambda: started(loom, BEA, key="k"),
    ):
        with pytest.raises(Invalid, match=f"{run.id} was stopped by dana: {WHY}"):
            call()
    assert claimed(loom, ANA, "src/a.py").claim


def test_a_run_that_nobody_stopped_is_not_said_to_be(loom: Loom) -> None:
    run = started(loom, BEA, key="k")
    loom.levers.stop_run(run.id, who="dana", why=WHY)
    other = started(loom, BEA, key="other")
    recorded(loom, BEA, other.id, status="done")

    with pytest.raises(NotFound, match="you have no live run"):
        recorded(loom, BEA)


def test_a_session_that_goes_on_under_another_run_is_told(loom: Loom) -> None:
    other, run = started(loom, BEA, loop="beside"), started(loom, BEA)
    loom.levers.stop_run(run.id, who="dana", why=WHY)
    [alert] = heard(loom, BEA)

    assert (alert.kind, alert.about, alert.who) == ("stopped", run.id, "dana")
    assert f"dana stopped {run.id} (goal): {WHY}" in alert.text
    assert loom.runs.details(other.id).run.state == "live"


def test_what_was_started_in_a_stopped_run_is_stopped_and_what_it_was_started_in_is_told(loom: Loom) -> None:
    top = started(loom, BEA)
    middle = started(loom, replace(BEA, agent="sub"))
    inner = started(loom, replace(BEA, agent="inner", parent_agent="sub"))
    waiting = started(loom, CHEN)
    claimed(loom, replace(BEA, agent="inner"), "src/")
    claimed(loom, CHEN, "src/")
    done = loom.levers.stop_run(middle.id, who="dana", why=WHY)
    states = [loom.runs.details(run.id).run.state for run in (top, middle, inner)]

    assert [run.id for run in done.runs] == [middle.id, inner.id]
    assert states == ["live", "ended", "ended"]
    assert done.freed_for == (waiting.id,)
    assert [alert.about for alert in heard(loom, BEA)] == [middle.id]


def test_what_is_unknown_or_over_is_said_and_changes_nothing(loom: Loom) -> None:
    run = started(loom, BEA)
    recorded(loom, BEA, status="done")

    with pytest.raises(NotFound, match="claim claim_00000000 is unknown"):
        loom.levers.release_claim("claim_00000000", who="dana", why=WHY)
    with pytest.raises(NotFound, match="run run_00000000 is unknown"):
        loom.levers.about_run("run_00000000")
    with pytest.raises(Invalid, match=f"run {run.id} is over \\(done\\); nothing was changed"):
        loom.levers.stop_run(run.id, who="dana", why=WHY)
    with pytest.raises(Invalid, match="why is empty"):
        loom.levers.stop_run(run.id, who="dana", why=" ")


def test_a_stopped_run_waits_for_nothing_and_who_was_behind_it_is_told(loom: Loom) -> None:
    started(loom, BEA)
    run, behind = started(loom, ANA), started(loom, CHEN)
    claimed(loom, BEA, "src/")
    claimed(loom, ANA, "src/", wait_s=30)
    claimed(loom, CHEN, "src/", wait_s=30)
    loom.levers.stop_run(run.id, who="dana", why=WHY)
    freed = loom.claims.release_paths(BEA, "").now_free_for

    assert freed == (behind.id,)
    assert loom.runs.latest(loom.repos.id_of(SHOP), limit=9, live=True)[0]
