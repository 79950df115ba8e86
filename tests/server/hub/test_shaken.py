"""What befalls the machine of a hub: it is restarted under load, its clock is stepped, its disk is full."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.claims import Claim, ClaimResult
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from tests.deadlines import wait_until
from tests.factories import REPO, SHOP
from tests.hubs import ADMIN, Hub, made_token, running_hub

Found = TypeVar("Found")

_EDGES = 30
_LOADED = 8
_STEPPED = """
import os, pathlib, time
seconds, nanoseconds, ahead = time.time, time.time_ns, pathlib.Path(os.environ["AHEAD"])
time.time = lambda: seconds() + int(ahead.read_text() or 0)
time.time_ns = lambda: nanoseconds() + int(ahead.read_text() or 0) * 10**9
from loomstack_mcp.start import main
main()
"""
_FULL_BYTES = 3_000_000


class Edge:
    """Somebody's session at a hub."""

    def __init__(self, folder: Path, hub: Hub, name: str, token: str) -> None:
        home = folder / "homes" / name
        home.mkdir(parents=True)
        origin = f"http://127.0.0.1:{hub.port}"
        tokens = home / "hub-tokens.json"
        tokens.touch(mode=0o600)
        tokens.write_text(json.dumps([{"origin": origin, "token": token}]))
        self.name, self.caller = name, Caller(principal="", session=f"s-{name}")
        self.loom: Loom = open_loom(Settings(store=origin, home=str(home)))

    def started(self) -> str:
        """The id of its run."""
        return self.loom.runs.start(
            self.caller, SHOP, loop=self.name, goal="goal", key=self.name, budget_tokens=100
        ).run.id  # fmt: skip

    def claimed(self, path: str, *, ttl_ms: int = 1_800_000) -> ClaimResult:
        """The answer to a claim, which is sent until the hub answers."""

        def answer() -> ClaimResult | None:
            with contextlib.suppress(StoreUnavailable):
                return self.loom.claims.claim_paths(
                    self.caller, "", patterns=[path], intent="mine", mode="exclusive", ttl_ms=ttl_ms
                )
            return None

        found = wait_until(answer)
        assert found
        return found


@contextlib.contextmanager
def edges(folder: Path, hub: Hub, count: int) -> Iterator[list[Edge]]:
    with open_loom(Settings(store=str(hub.home / "loomstack" / "loom.db"))) as loom:
        tokens = [loom.tokens.create(ADMIN, owner=f"e{one}", role="developer").text for one in range(count)]
    made = [Edge(folder, hub, f"e{one}", token) for one, token in enumerate(tokens)]
    try:
        yield made
    finally:
        for edge in made:
            edge.loom.close()


def test_edges_that_come_all_at_once_are_all_answered(tmp_path: Path) -> None:
    made_token(tmp_path, "root", "admin")
    with running_hub(tmp_path) as hub, edges(tmp_path, hub, _EDGES) as made, ThreadPoolExecutor(_EDGES) as all_at_once:
        runs = list(all_at_once.map(lambda edge: wait_until(lambda: _told(edge.started)), made))
        claims = [got.claim for got in all_at_once.map(lambda edge: edge.claimed(f"{edge.name}.py"), made)]
        held, _ = made[0].loom.claims.held(REPO, limit=1_000)

    assert len(set(runs)) == _EDGES
    assert {claim.run_id for claim in claims if claim} == set(runs)
    assert {claim.id for claim in held} == {claim.id for claim in claims if claim}


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_hub_that_is_restarted_under_load_loses_no_session(tmp_path: Path, *, is_killed: bool) -> None:
    made_token(tmp_path, "root", "admin")
    over = threading.Event()

    def renewing(edge: Edge) -> list[ClaimResult]:
        answers = [edge.claimed("own.py" if edge.name == "e0" else f"{edge.name}.py")]
        while not over.is_set():
            answers.append(edge.claimed(f"{edge.name}.py"))
        return answers

    with contextlib.ExitStack() as running:
        hub = running.enter_context(running_hub(tmp_path))
        made = running.enter_context(edges(tmp_path, hub, _LOADED))
        runs = [edge.started() for edge in made]
        renewals = running.enter_context(ThreadPoolExecutor(_LOADED))
        renewed = [renewals.submit(renewing, edge) for edge in made]
        try:
            for _ in range(2):
                if is_killed:
                    hub.process.kill()
                hub.stop()
                hub = running.enter_context(running_hub(tmp_path, "--port", str(hub.port)))
                wait_until(lambda: _told(lambda: made[0].loom.claims.held(REPO, limit=1)))
        finally:
            over.set()
        answers = [one.result() for one in renewed]
        after = [edge.claimed(f"{edge.name}.py") for edge in made]

    assert all(answer.claim for each in answers for answer in each)
    assert [answer.claim.run_id for answer in after if answer.claim] == runs


@pytest.mark.parametrize("step_days", [400, -400])
def test_a_step_of_the_hubs_clock_ends_no_lease_and_makes_none_longer(tmp_path: Path, step_days: int) -> None:
    made_token(tmp_path, "root", "admin")
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    program = (sys.executable, "-c", _STEPPED)
    with running_hub(tmp_path, program=program, AHEAD=str(ahead)) as hub, edges(tmp_path, hub, 3) as (ana, cleo, bea):
        for edge in (ana, cleo, bea):
            edge.started()
        long, short = ana.claimed("long.py").claim, cleo.claimed("short.py", ttl_ms=1_500).claim
        ahead.write_text(str(step_days * 86_400))
        refused = bea.claimed("long.py").claim
        taken = wait_until(lambda: bea.claimed("short.py").claim)
        kept = ana.claimed("long.py").claim

    assert long
    assert short
    assert taken
    assert kept
    assert refused is None
    assert taken.fence > short.fence
    assert kept.fence == long.fence


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="a small disk needs root")
def test_a_full_disk_of_the_hub_is_said_and_what_was_acknowledged_is_kept(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_FULL_BYTES}", "tmpfs", disk], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(mounted.stderr)
    try:
        made_token(disk, "root", "admin")
        with running_hub(disk) as hub, edges(tmp_path, hub, 1) as (ana,):
            run = ana.started()
            granted = [ana.claimed("first.py").claim]
            _fill(disk)
            with pytest.raises(StoreUnavailable) as told:
                for number in range(2_000):
                    granted.append(_claim(ana, f"f{number}.py"))
            alive = hub.send("/health").status
            (disk / "ballast").unlink()
            granted.append(ana.claimed("last.py").claim)
            held, _ = ana.loom.claims.held(REPO, limit=10_000)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)

    assert "disk" in str(told.value)
    assert alive == 200
    assert {claim.id for claim in granted if claim} <= {claim.id for claim in held}
    assert {claim.run_id for claim in held} == {run}


def _told(ask: Callable[[], Found]) -> Found | None:
    """None where the hub is away."""
    with contextlib.suppress(StoreUnavailable):
        return ask()
    return None


def _fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(b"x" * 1024)


def _claim(edge: Edge, path: str) -> Claim | None:
    return edge.loom.claims.claim_paths(
        edge.caller, "", patterns=[path], intent="mine", mode="exclusive", ttl_ms=60_000
    ).claim  # fmt: skip
