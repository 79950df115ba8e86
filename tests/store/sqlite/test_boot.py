"""Several kernels on one file, and one machine over its reboots: who holds what, by whose clock."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loomstack_mcp.core.limits import MINUTE_MS, OTHER_BOOT_MARGIN_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.blockers import EditService
from loomstack_mcp.store.sqlite.backend import SqliteStore
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, claimed, started

Boot = Callable[..., Loom]
YEAR_MS = 365 * 24 * 60 * MINUTE_MS
DEE = Caller(principal="dee", session="s-dee")
MARGIN_MIN = OTHER_BOOT_MARGIN_MS // MINUTE_MS


@pytest.fixture
def boot(tmp_path: Path, clocks: Clocks) -> Boot:
    """The services of a machine that was started anew, its wall clock moved by so much."""

    def booted(name: str, *, wall_ms: int = 0) -> Loom:
        clocks.boot_id, clocks.boot_ms = name, 7
        clocks.wall_ms += wall_ms
        return Loom(migrating_store(tmp_path / "loom.db", clock=clocks.clock()), rework_max=3)

    return booted


@pytest.mark.parametrize(("wall_ms", "minutes"), [(0, 60), (1, 60), (YEAR_MS, 0), (-YEAR_MS, 60)])
def test_nothing_of_the_last_boot_outlasts_its_lease_and_a_margin(
    boot: Boot, clocks: Clocks, wall_ms: int, minutes: int
) -> None:
    with boot("first") as loom:
        for caller in (BEA, ANA, CHEN):
            started(loom, caller)
        old = claimed(loom, BEA, "src/", minutes=60).claim
        claimed(loom, ANA, "src/", wait_s=45)
    with boot("second", wall_ms=wall_ms) as loom:
        started(loom, DEE)
        if minutes:
            clocks.pass_minutes(minutes - 1)
            assert claimed(loom, DEE, "src/").blockers
        clocks.pass_minutes(MARGIN_MIN + 1)
        held = loom.claims.held(REPO, limit=9)[0]
        granted = claimed(loom, DEE, "src/").claim

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


def test_a_run_of_the_last_boot_is_lost_an_hour_after_its_lease(boot: Boot, clocks: Clocks) -> None:
    with boot("first") as loom:
        first = started(loom, ANA, key="nightly")
    with boot("second", wall_ms=-YEAR_MS) as loom:
        started(loom, BEA)
        clocks.pass_minutes(61 + 30 + MARGIN_MIN)
        new = Caller(principal="ana", session="s-new")

        assert started(loom, new, key="nightly").id == first.id


def test_two_processes_of_one_boot_share_its_clock(boot: Boot, tmp_path: Path, clocks: Clocks) -> None:
    with boot("first") as loom:
        started(loom, ANA)
        clocks.wall_ms += YEAR_MS
        with Loom(migrating_store(tmp_path / "loom.db", clock=clocks.clock()), rework_max=3) as late:
            assert late.runs.latest(REPO, limit=1)[1] == loom.runs.latest(REPO, limit=1)[1]
            assert claimed(late, ANA, "src/").claim


class Machines:
    """Kernels that are up at the same time, over one file: a host and its containers, two machines with one home."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path, self._stack = path, stack
        self.clocks: dict[str, Clocks] = {}

    def up(self, name: str, *, boot_ms: int = 5, wall_ms: int = 0) -> Loom:
        self.clocks[name] = Clocks(boot_id=name, boot_ms=boot_ms, wall_ms=Clocks.wall_ms + wall_ms)
        return self._stack.enter_context(
            Loom(migrating_store(self._path, clock=self.clocks[name].clock()), rework_max=3)
        )

    def hooked(self, name: str) -> list[str]:
        """What a hook on that machine finds in the way of `src/a.py`."""
        store = SqliteStore(self._path, clock=self.clocks[name].clock())
        found, _ = EditService(store).blockers(DEE, SHOP, ["src/a.py"])
        store.close()
        return [blocker.claim for blocker in found]

    def pass_minutes(self, minutes: float) -> None:
        for clocks in self.clocks.values():
            clocks.pass_minutes(minutes)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path / "loom.db", stack)


@pytest.mark.parametrize("boot_ms", [5, YEAR_MS])
@pytest.mark.parametrize("wall_ms", [0, 60_000, -60_000])
def test_two_kernels_never_grant_one_path_to_both(machines: Machines, boot_ms: int, wall_ms: int) -> None:
    first, second = machines.up("first"), machines.up("second", boot_ms=boot_ms, wall_ms=wall_ms)
    started(first, ANA)
    held = claimed(first, ANA, "src/").claim
    assert held
    assert machines.hooked("second") == [held.id]
    started(second, BEA)
    refusals = []
    for _ in range(9):  # an hour and a half in which the holder works on
        machines.pass_minutes(10)
        claimed(first, ANA, "src/")
        refusals.append([blocker.claim for blocker in claimed(second, BEA, "src/a.py").blockers])

    assert refusals == [[held.id]] * 9
    assert [claim.id for loom in (first, second) for claim in loom.claims.held(REPO, limit=9)[0]] == [held.id] * 2


def test_readers_and_hooks_of_another_kernel_end_nothing(machines: Machines) -> None:
    first = machines.up("first")
    started(first, ANA)
    held = claimed(first, ANA, "src/").claim
    before = first.events.cursor(REPO)
    second = machines.up("second")
    assert held
    assert machines.hooked("second") == [held.id]
    assert [claim.id for claim in second.claims.held(REPO, limit=9)[0]] == [held.id]
    assert [run.state for run in second.runs.latest(REPO, limit=9, live=True)[0]] == ["live"]

    assert first.events.cursor(REPO) == before
    assert first.claims.held(REPO, limit=9)[0] == (held,)


def test_another_kernels_lease_is_over_at_its_end_by_the_wall_and_a_margin(machines: Machines) -> None:
    first, second = machines.up("first"), machines.up("second")
    started(first, ANA)
    held = claimed(first, ANA, "src/", minutes=30).claim
    started(second, BEA)
    machines.pass_minutes(30.5)
    own = started(first, CHEN)
    within = claimed(second, BEA, "src/a.py")
    machines.pass_minutes(MARGIN_MIN)
    after = claimed(second, BEA, "src/a.py")

    assert held
    assert [blocker.claim for blocker in within.blockers] == [held.id]
    assert after.claim
    assert claimed(first, CHEN, "src/a.py", run=own.id).blockers


def test_a_machine_that_slept_is_judged_by_the_wall_clock(machines: Machines) -> None:
    """A virtual machine's boot clock stands still while its host sleeps; then its wall clock is set right."""
    first, second = machines.up("first"), machines.up("second")
    started(first, ANA)
    started(second, BEA)
    machines.clocks["second"].wall_ms += 8 * 60 * MINUTE_MS
    machines.clocks["first"].pass_minutes(8 * 60)
    started(second, BEA)
    held = claimed(second, BEA, "src/").claim
    started(first, DEE)

    assert held
    assert [blocker.claim for blocker in claimed(first, DEE, "src/a.py").blockers] == [held.id]
    assert machines.hooked("first") == [held.id]


def test_a_place_in_the_queue_holds_across_kernels(machines: Machines) -> None:
    first, second = machines.up("first"), machines.up("second", wall_ms=30_000)
    for loom, caller in ((first, ANA), (first, CHEN), (second, BEA)):
        started(loom, caller)
    claimed(first, ANA, "src/")
    claimed(first, CHEN, "src/", wait_s=30)
    waiting = claimed(second, BEA, "src/", wait_s=30)

    assert waiting.position == 2


def test_kernels_that_take_turns_are_told_from_a_reboot(machines: Machines) -> None:
    first = machines.up("first")
    started(first, ANA)
    machines.pass_minutes(5)
    second = machines.up("second")
    started(second, BEA)
    after_reboot = second.runs.boots_alternate()
    machines.pass_minutes(5)
    started(second, BEA)
    still = second.runs.boots_alternate()
    started(first, ANA)

    assert (after_reboot, still) == (False, False)
    assert first.runs.boots_alternate()
    assert second.runs.boots_alternate()
    machines.pass_minutes(25 * 60)
    assert not first.runs.boots_alternate()
