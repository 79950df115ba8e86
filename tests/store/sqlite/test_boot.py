"""The lease clock over boots: what the last boot held is over, whatever the clocks of the next one say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import MINUTE_MS, Clocks
from tests.factories import ANA, BEA, REPO
from tests.services.support import CHEN, claimed, heard, started

Boot = Callable[..., Loom]
YEAR_MS = 365 * 24 * 60 * MINUTE_MS


@pytest.fixture
def boot(tmp_path: Path, clocks: Clocks) -> Boot:
    """The services of a machine that was started anew, its wall clock moved by so much."""

    def booted(name: str, *, wall_ms: int = 0) -> Loom:
        clocks.boot_id, clocks.boot_ms = name, 7
        clocks.wall_ms += wall_ms
        return Loom(migrating_store(tmp_path / "loom.db", clock=clocks.clock()), rework_max=3)

    return booted


@pytest.mark.parametrize("wall_ms", [0, 1, YEAR_MS, -YEAR_MS])
def test_nothing_of_the_last_boot_holds_or_waits(boot: Boot, wall_ms: int) -> None:
    with boot("first") as loom:
        for caller in (BEA, ANA, CHEN):
            started(loom, caller)
        old = claimed(loom, BEA, "src/", minutes=24 * 60).claim
        claimed(loom, ANA, "src/", wait_s=45)
    with boot("second", wall_ms=wall_ms) as loom:
        held = loom.claims.held(REPO, limit=9)[0]
        new = Caller(principal="dee", session="s-dee")
        started(loom, new)
        granted = claimed(loom, new, "src/").claim

    assert old
    assert held == ()
    assert granted
    assert granted.fence > old.fence + 999_999


def test_a_run_of_the_last_boot_goes_on_under_its_old_claims_where_nobody_took_them(boot: Boot) -> None:
    with boot("first") as loom:
        started(loom, BEA)
        old = claimed(loom, BEA, "src/").claim
    with boot("second") as loom:
        again = claimed(loom, BEA, "src/").claim

    assert old
    assert again
    assert (again.id, again.fence) == (old.id, old.fence)


def test_a_run_of_the_last_boot_is_lost_after_an_hour_of_the_new_clock(boot: Boot, clocks: Clocks) -> None:
    with boot("first") as loom:
        first = started(loom, ANA, key="nightly")
    with boot("second", wall_ms=-YEAR_MS) as loom:
        loom.repos.ids()  # opens the store
        clocks.pass_minutes(61)
        new = Caller(principal="ana", session="s-new")

        assert started(loom, new, key="nightly").id == first.id
        assert heard(loom, new) == ()


def test_two_processes_of_one_boot_share_its_clock(boot: Boot, tmp_path: Path, clocks: Clocks) -> None:
    with boot("first") as loom:
        started(loom, ANA)
        clocks.wall_ms += YEAR_MS
        with Loom(migrating_store(tmp_path / "loom.db", clock=clocks.clock()), rework_max=3) as late:
            assert late.runs.latest(REPO, limit=1)[1] == loom.runs.latest(REPO, limit=1)[1]
            assert claimed(late, ANA, "src/").claim
