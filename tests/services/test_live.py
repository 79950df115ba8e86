"""Live: who works, on what, and waits for whom; loops: how they fare. On both databases, in few statements."""

from loomstack_mcp.core.limits import MINUTE_MS
from loomstack_mcp.core.live import Live, LiveRun
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.overviews import live_shown, loops_shown
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO
from tests.services.support import CHEN, claimed, recorded, started


def by_run(live: Live) -> dict[str, LiveRun]:
    return {one.run.id: one for lane in live.lanes for one in lane.runs}


def test_live_tells_who_holds_what_and_waits_for_whom(loom: Loom) -> None:
    held, waits, behind = (
        started(loom, who, loop=loop, goal=f"goal of {loop}")
        for who, loop in ((ANA, "billing"), (BEA, "triage"), (CHEN, "docs"))
    )
    claimed(loom, ANA, "src/**", intent="one place for tax")
    claimed(loom, BEA, "src/tax.py", wait_s=40)
    claimed(loom, CHEN, "src/tax.py", "docs/", wait_s=40)

    live = loom.live.live(REPO)
    found = by_run(live)

    assert [(lane.loop, lane.who) for lane in live.lanes] == [("docs", "chen"), ("triage", "bea"), ("billing", "ana")]
    assert {run: one.state for run, one in found.items()} == {
        held.id: "running",
        waits.id: "waiting",
        behind.id: "waiting",
    }
    assert [claim.patterns for claim in found[held.id].claims] == [("src/**",)]
    assert [(one.run, one.paths) for one in found[waits.id].waits_for] == [(held.id, ("src/tax.py",))]
    assert [one.run for one in found[behind.id].waits_for] == [held.id, waits.id]
    assert [one.run for one in found[held.id].waited_on_by] == [waits.id, behind.id]
    assert found[waits.id].waits_for[0].since_at_ms is not None
    assert [one.last_event.kind for one in found.values() if one.last_event][-1] == "claim.granted"
    assert (live.cursor, live.more) == (loom.events.cursor(REPO), 0)
    assert live_shown(live)["lanes"]


def test_live_tells_of_checks_and_ends(loom: Loom, clocks: Clocks) -> None:
    made = started(loom, ANA, loop="billing")
    checks = started(loom, BEA, loop="review", checks_run=made.id)
    recorded(loom, BEA, status="failed", role="checker", checks=CheckCounts(passed=2, failed=6, failing=("test_tax",)))
    working = by_run(loom.live.live(REPO))
    recorded(loom, ANA, status="done")
    over = by_run(loom.live.live(REPO))

    assert working[checks.id].state == "checking"
    assert (working[made.id].progress.rework, working[made.id].progress.failed) == (1, 6)
    assert (over[made.id].state, over[made.id].run.status) == ("ended", "done")

    clocks.pass_minutes(35)
    lapsed = by_run(loom.live.live(REPO))
    assert (lapsed[checks.id].state, lapsed[made.id].state) == ("lapsed", "ended")
    clocks.pass_minutes(150)
    assert by_run(loom.live.live(REPO)).keys() == {checks.id}
    assert by_run(loom.live.live(REPO))[checks.id].state == "lost"
    clocks.pass_minutes(60)
    assert loom.live.live(REPO).lanes == ()


def test_a_run_that_nobody_ended_was_busy_until_its_lease_was_over(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, loop="billing")
    clocks.pass_minutes(5)
    [at_work] = loom.loops.health(REPO, limit=9).loops
    clocks.pass_minutes(6_000)
    [lapsed] = loom.loops.health(REPO, limit=9).loops

    assert round(at_work.busy_ms / MINUTE_MS) == 5
    assert 5 < lapsed.busy_ms / MINUTE_MS <= 60


def test_a_run_that_nobody_ended_is_lost_for_every_list_alike(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, loop="billing")
    recorded(loom, ANA, status="done")
    started(loom, ANA, loop="billing")
    clocks.pass_minutes(6_000)
    [told] = loom.loops.health(REPO, limit=9).loops
    [lane] = loom.live.live(REPO, window_ms=6_001 * MINUTE_MS).lanes
    shown = lane.runs[0].state
    started(loom, BEA, loop="other")  # which finds out that it is lost
    [marked] = [one for one in loom.loops.health(REPO, limit=9).loops if one.loop == "billing"]
    clocks.pass_minutes(31 * 24 * 60)

    assert (told.lost, told.live, told.success, shown) == (1, 0, 0.5, "lost")
    assert (marked.lost, marked.success, marked.busy_ms) == (1, 0.5, told.busy_ms)
    assert loom.loops.health(REPO, limit=9).loops == ()


def test_a_loop_is_told_by_what_came_of_its_runs(loom: Loom) -> None:
    for status in ("done", "abandoned", "done"):
        started(loom, ANA, loop="billing")
        recorded(loom, ANA, status=status)
    started(loom, BEA, loop="billing")

    found = loom.loops.health(REPO, limit=9)
    ana = next(one for one in found.loops if one.who == "ana")

    assert [(one.loop, one.who, one.runs, one.live) for one in found.loops] == [
        ("billing", "bea", 1, 1),
        ("billing", "ana", 3, 0),
    ]
    assert (ana.done, ana.abandoned, round(ana.success or 0, 2)) == (2, 1, 0.67)
    assert (sum(ana.spark), len(ana.spark), ana.spark[-1]) == (3, 30, 3)
    assert loops_shown(found)["days"] == 30
