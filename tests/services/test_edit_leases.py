"""How long files stay held that are merely edited, by several kernels and stepped clocks too, and what ends it."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.core.limits import AUTO_LEASE_MS, LEASE_AFTER_GONE_MS, MINUTE_MS, OTHER_BOOT_MARGIN_MS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.sessions import session_loop
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.factories import REPO
from tests.services.editing import ANA, BEA, ELSEWHERE, HERE, SIBLING, SUB, claim_of, edited, held, in_the_way
from tests.services.support import claimed, heard, recorded, started


def gone_process() -> str:
    """A process of this boot and pid namespace that is over."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as running:
        pass
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()} {running.pid} 1"


def test_a_lease_ends_ten_minutes_after_the_last_edit(loom: Loom, clocks: Clocks) -> None:
    edited(loom, ANA, "src/a.py")
    clocks.pass_minutes((AUTO_LEASE_MS - 1) / MINUTE_MS)
    last = edited(loom, BEA, "src/a.py")
    clocks.pass_minutes(1 / MINUTE_MS)

    assert last != []
    assert held(loom) == []
    assert edited(loom, BEA, "src/a.py") == []
    assert held(loom) == [("src/a.py", "auto", "claude-bbbbbbbb")]
    assert heard(loom, ANA) == ()


def test_an_edit_renews_a_lease_of_which_less_than_half_is_left(loom: Loom, clocks: Clocks) -> None:
    edited(loom, ANA, "src/a.py")
    first = claim_of(loom, "src/a.py")
    clocks.pass_minutes(AUTO_LEASE_MS / 2 / MINUTE_MS)
    edited(loom, ANA, "src/a.py")
    as_it_was = claim_of(loom, "src/a.py")
    clocks.pass_minutes(1 / MINUTE_MS)
    edited(loom, ANA, "src/a.py")

    assert as_it_was == first
    assert claim_of(loom, "src/a.py") == replace(first, expires_at_ms=first.expires_at_ms + AUTO_LEASE_MS // 2 + 1)


def test_whoever_edits_again_late_holds_what_nobody_took(loom: Loom, clocks: Clocks) -> None:
    edited(loom, ANA, "src/a.py")
    first = claim_of(loom, "src/a.py")
    clocks.pass_minutes(2 * AUTO_LEASE_MS / MINUTE_MS)
    edited(loom, ANA, "src/a.py")

    assert claim_of(loom, "src/a.py").id == first.id


def test_a_short_lease_of_its_run_ends_it_sooner(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, HERE)
    claimed(loom, ANA, "docs/", minutes=1)
    edited(loom, ANA, "src/a.py")
    clocks.pass_minutes(1)

    assert edited(loom, BEA, "src/a.py") == []


def test_it_does_not_lengthen_what_was_asked_for(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, HERE)
    edited(loom, ANA, "src/a.py")
    claimed(loom, ANA, "docs/", minutes=1)
    clocks.pass_minutes(1)

    assert edited(loom, BEA, "docs/x.md") == []


def test_it_ends_with_the_commit_that_takes_it_in(loom: Loom) -> None:
    edited(loom, ANA, "src/a.py", "src/[b].py")
    edited(loom, BEA, "src/c.py")
    edited(loom, BEA, "src/d.py", checkout=ELSEWHERE)
    ended = loom.edits.settle(None, HERE, ["src/[b].py", "src/c.py", "src/d.py", "other.py"])

    assert len(ended) == 2
    assert [each[0] for each in held(loom)] == ["src/a.py", "src/d.py"]


def test_a_caller_settles_its_own_files_alone(loom: Loom) -> None:
    edited(loom, ANA, "src/a.py")
    edited(loom, SUB, "src/b.py")
    edited(loom, BEA, "src/c.py")
    loom.edits.settle(SUB, HERE, ["src/a.py", "src/b.py", "src/c.py"])
    of_sub = [each[0] for each in held(loom)]
    loom.edits.settle(ANA, HERE, ["src/a.py", "src/b.py", "src/c.py"])

    assert of_sub == ["src/a.py", "src/c.py"]
    assert [each[0] for each in held(loom)] == ["src/c.py"]


def test_it_ends_with_its_agent_or_its_session_though_what_these_asked_for_goes_on(loom: Loom) -> None:
    started(loom, SUB, HERE)
    claimed(loom, SUB, "docs/")
    for caller in (ANA, SUB, SIBLING, BEA):
        edited(loom, caller, f"src/{caller.session[-1]}{caller.agent}.py")
    edited(loom, SUB, "src/there.py", checkout=Checkout(identity="github.com/acme/other"))
    of_agent = len(loom.edits.leave(SUB))
    rest = [each[0] for each in held(loom)]
    loom.edits.leave(ANA)

    assert of_agent == 2
    assert rest == ["docs/", "src/1.py", "src/1a2.py", "src/2.py"]
    assert [each[0] for each in held(loom)] == ["docs/", "src/2.py"]


def test_it_ends_with_its_run(loom: Loom) -> None:
    started(loom, ANA, HERE)
    edited(loom, ANA, "src/a.py")
    recorded(loom, ANA, status="done")

    assert held(loom) == []


def test_it_ends_soon_after_its_process(loom: Loom, clocks: Clocks) -> None:
    gone = replace(ANA, process=gone_process())
    edited(loom, gone, "src/a.py")
    found = in_the_way(loom, BEA, "src/a.py")
    clocks.pass_minutes(LEASE_AFTER_GONE_MS / MINUTE_MS)

    assert found == ["edited by claude, session aaaaaaaa"]
    assert edited(loom, BEA, "src/a.py") == []


def test_lapsed_ones_leave_the_index_when_a_run_starts(loom: Loom, clocks: Clocks) -> None:
    edited(loom, ANA, "src/a.py")
    clocks.pass_minutes(AUTO_LEASE_MS / MINUTE_MS)
    started(loom, BEA, HERE)

    assert loom.runs.details(_only_run(loom, "claude-aaaaaaaa")).claims[0].ended_how == "expired"


_OF_BOOTS = pytest.mark.sqlite("a machine's boots: a database has one clock for all")


@_OF_BOOTS
def test_another_kernel_counts_its_lease_by_the_wall_clock_and_a_margin(loom: Loom, tmp_path: Path) -> None:
    theirs = Clocks(boot_id="boot-2", boot_ms=9_000_000)
    edited(loom, ANA, "src/a.py")
    with Loom(migrating_store(tmp_path / "loom.db", clock=theirs.clock()), rework_max=3) as other:
        theirs.pass_minutes((AUTO_LEASE_MS + OTHER_BOOT_MARGIN_MS - 1) / MINUTE_MS)
        early = edited(other, BEA, "src/a.py")
        theirs.pass_minutes(1 / MINUTE_MS)
        late = edited(other, BEA, "src/a.py")

    assert early != []
    assert late == []
    assert held(loom) == [("src/a.py", "auto", "claude-bbbbbbbb")]


@_OF_BOOTS
def test_whoever_goes_on_under_another_kernel_has_its_lease_by_that_ones_clock(loom: Loom, tmp_path: Path) -> None:
    theirs = Clocks(boot_id="boot-2", boot_ms=9_000_000)
    edited(loom, ANA, "src/a.py")
    with Loom(migrating_store(tmp_path / "loom.db", clock=theirs.clock()), rework_max=3) as other:
        theirs.pass_minutes(4)
        edited(other, ANA, "src/a.py")
        theirs.pass_minutes((AUTO_LEASE_MS - 1) / MINUTE_MS)
        early = edited(other, BEA, "src/a.py")
        theirs.pass_minutes(1 / MINUTE_MS)
        late = edited(other, BEA, "src/a.py")

    assert (early != [], late) == (True, [])


@_OF_BOOTS
@pytest.mark.parametrize("step_minutes", [-60, 60])
def test_a_step_of_the_wall_clock_moves_no_lease(loom: Loom, clocks: Clocks, step_minutes: int) -> None:
    edited(loom, ANA, "src/a.py")
    clocks.wall_ms += step_minutes * MINUTE_MS
    clocks.pass_minutes((AUTO_LEASE_MS - 1) / MINUTE_MS)
    early = edited(loom, BEA, "src/a.py")
    clocks.pass_minutes(1 / MINUTE_MS)

    assert (early != [], edited(loom, BEA, "src/a.py")) == (True, [])


def _only_run(loom: Loom, loop: str) -> str:
    [run] = [run.id for run in loom.runs.latest(REPO, limit=10)[0] if run.loop == loop]
    return run


@pytest.mark.parametrize("seed", range(4))
def test_whoever_edits_holds_and_nobody_else_as_a_model_of_it_says(loom: Loom, clocks: Clocks, seed: int) -> None:
    chance, model = random.Random(seed), Model()
    agents, files = (ANA, SUB, SIBLING, BEA), ("src/a.py", "src/b.py")
    for _ in range(150):
        who, file = chance.choice(agents), chance.choice(files)
        minutes = chance.choice((0, 1, 3, 6, 11))
        clocks.pass_minutes(minutes)
        model.now += minutes
        if chance.random() < 0.1:
            loom.edits.settle(None, HERE, [file])
            model.holds.pop(file, None)
        assert (edited(loom, who, file) == []) == model.edited(who, file)
        assert held(loom) == model.held()


class Model:
    """Who holds which file until which minute, in the plainest words."""

    def __init__(self) -> None:
        self.now = 0
        self.holds: dict[str, tuple[Caller, int]] = {}

    def edited(self, who: Caller, file: str) -> bool:
        holder, until = self.holds.get(file, (who, 0))
        in_line = who.session == holder.session and "" in (who.agent, holder.agent)
        if until > self.now and holder != who and not in_line:
            return False
        if holder != who or until - self.now < 5:
            self.holds[file] = (who, self.now + 10)
        return True

    def held(self) -> list[tuple[str, ...]]:
        live = [(file, who) for file, (who, until) in self.holds.items() if until > self.now]
        return sorted((file, "auto", session_loop(who.session, who.agent)) for file, who in live)
