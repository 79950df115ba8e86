"""Correctness under fire: many processes, one file, processes that die or stop in the middle of it."""

import json
import multiprocessing as mp
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core import limits
from loomstack_mcp.core.claims import Claim, blockers
from loomstack_mcp.core.events import Event
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.store.sqlite.clock import Clock
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.deadlines import seconds, wait_until
from tests.factories import REPO, SHOP, make_claim
from tests.processes import MODULE, run
from tests.wire import Server

pytestmark = pytest.mark.sqlite("processes of one machine over its file")

PROCESSES, SERVERS, ROUNDS = 100, 20, 15
KILLS, EVENTS_A_KILL = 12, 60
FORKS = mp.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
WAIT_S = seconds(200)
GATE_WAIT_MS = round(seconds(limits.GATE_WAIT_MS))
"""A hundred at one gate: on a busy machine the last of them waits longer than a caller would."""


def session(name: str) -> Caller:
    return Caller(principal="ana", session=name)


def started(loom: Loom, name: str) -> str:
    return loom.runs.start(session(name), SHOP, loop="loop", goal="goal", budget_tokens=100).run.id


def contend(path: Path, name: str, barrier: Barrier, results: Any) -> None:
    """Claim one path a round, at the same moment as everybody else."""
    with Loom(migrating_store(path, gate_wait_ms=GATE_WAIT_MS), rework_max=3) as loom:
        started(loom, name)
        fences: list[tuple[int, int]] = []
        slowest_s = 0.0
        for number in range(ROUNDS):
            barrier.wait(WAIT_S)
            before = time.monotonic()
            result = loom.claims.claim_paths(
                session(name), "", patterns=[f"round/{number}.py"], intent="mine", mode="exclusive", ttl_ms=3_600_000
            )
            slowest_s = max(slowest_s, time.monotonic() - before)
            if result.claim:
                fences.append((number, result.claim.fence))
        results.put((name, fences, slowest_s))


def assert_one_winner_a_round(grants: list[tuple[int, int]]) -> None:
    rounds = Counter(number for number, _ in grants)
    fences = [fence for _, fence in sorted(grants)]

    assert rounds == dict.fromkeys(range(ROUNDS), 1)
    assert fences == sorted(set(fences))


def test_a_hundred_processes_have_one_winner_a_round_and_nobody_starves(tmp_path: Path) -> None:
    barrier, results = FORKS.Barrier(PROCESSES), FORKS.Queue()
    workers = [
        FORKS.Process(target=contend, args=(tmp_path / "loom.db", f"s{number}", barrier, results), daemon=True)
        for number in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    heard = [results.get(timeout=WAIT_S) for _ in workers]
    for worker in workers:
        worker.join(seconds(30))

    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert_one_winner_a_round([grant for _, fences, _ in heard for grant in fences])
    assert max(slowest_s for _, _, slowest_s in heard) < seconds(5)


def test_twenty_servers_have_one_winner_a_round(serve: Callable[..., Server]) -> None:
    servers = [serve(initialize=False) for _ in range(SERVERS)]
    with ThreadPoolExecutor(SERVERS) as threads:
        list(threads.map(lambda server: server.initialize(), servers))
        list(threads.map(lambda server: server.answer("start_run", loop="loop", goal="goal"), servers))
        grants = []
        for number in range(ROUNDS):
            arguments = {"paths": [f"round/{number}.py"], "intent": "mine"}
            answers = list(threads.map(lambda server: server.answer("claim_paths", **arguments), servers))  # noqa: B023
            grants += [(number, answer["fence"]) for answer in answers if answer["granted"]]

    assert_one_winner_a_round(grants)


PATTERNS = ["a/x.py", "a/y.py", "a/", "a/*.py", "b/", "b/**/z.py", "**/*.py", "c/{x,y}.py", "c/x.py"]
FILES = ["a/x.py", "b/c/z.py", "c/x.py", "d.md"]
"""Which sessions edit, whoever claimed them."""


def hasty_loom(path: Path) -> Loom:
    """A loom whose minutes take a tenth of a second, in every process alike."""
    clock = Clock(boot_id="boot", boot_ms=lambda: time.monotonic_ns() * 600 // 1_000_000, wall_ms=lambda: 1)
    return Loom(migrating_store(path, clock=clock, gate_wait_ms=GATE_WAIT_MS), rework_max=3)


def misbehave(path: Path, name: str, seed: int) -> None:
    """Random claims, edits, commits, renewals, waits, lapses and releases, without end."""
    chance = random.Random(seed)
    with hasty_loom(path) as loom:
        started(loom, name)
        while True:
            if chance.random() < 0.3:
                loom.claims.release_paths(session(name), "")
                continue
            if chance.random() < 0.5:
                files = chance.sample(FILES, chance.choice((1, 1, 2)))
                loom.edits.hold(session(name), SHOP, files)
                if chance.random() < 0.3:
                    loom.edits.settle(session(name), SHOP, files)
                continue
            loom.claims.claim_paths(
                session(name), "", patterns=chance.sample(PATTERNS, chance.choice((1, 1, 2))), intent="mine",
                mode=chance.choice(("exclusive", "exclusive", "shared")), ttl_ms=60_000,
                wait_ms=chance.choice((0, 0, 0, 1_000)),
            )  # fmt: skip
            time.sleep(chance.choice((0, 0, 0.01, 0.3)))


def test_the_log_of_killed_processes_replays_in_a_sequential_model(tmp_path: Path) -> None:
    path, chance, killed = tmp_path / "loom.db", random.Random(7), 0
    workers: list[Any] = []
    with hasty_loom(path) as watching:
        for round_ in range(1, KILLS + 1):
            while len(workers) < 8:
                seed = chance.randrange(1 << 30)
                workers.append(FORKS.Process(target=misbehave, args=(path, f"s{seed}", seed), daemon=True))
                workers[-1].start()
            wait_until(lambda: watching.events.cursor(REPO) > round_ * EVENTS_A_KILL, 60)  # noqa: B023
            victim = workers.pop(chance.randrange(4))
            os.kill(victim.pid, signal.SIGKILL)
            killed += 1
        wait_until(lambda: kinds(watching)["claim.expired"] > 10 and automatic(watching) > 10, 60)
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join(seconds(10))

    with hasty_loom(path) as loom:
        events, held = read_all(loom), loom.claims.held(REPO, limit=10_000)[0]
    grants = replayed(events)
    assert killed == KILLS
    assert Counter(event.kind for event in events)["claim.expired"] > 10
    assert {claim.id for claim in held} <= grants.keys()
    assert run([*MODULE, "--store", str(path), "db", "check"], cwd=tmp_path).returncode == 0


def kinds(loom: Loom) -> Counter[str]:
    return Counter(event.kind for event in read_all(loom))


def automatic(loom: Loom) -> int:
    """Files that were held because somebody edited them."""
    return sum(event.kind == "claim.granted" and event.payload.get("origin") == "auto" for event in read_all(loom))


def read_all(loom: Loom) -> list[Event]:
    events: list[Event] = []
    while page := loom.events.since(REPO, since=events[-1].seq if events else 0, limit=5_000)[0]:
        events += page
    return events


def replayed(events: list[Event]) -> dict[str, Claim]:
    """Grant and end claims one after the other, as the log says; no grant may meet a claim that forbids it."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    held: dict[str, Claim] = {}
    for event in events:
        if event.kind == "claim.granted":
            wanted = make_claim(
                id=event.about,
                run_id=event.run_id,
                mode=event.payload["mode"],
                patterns=tuple(event.payload["patterns"]),  # type: ignore[arg-type]
            )
            assert blockers(wanted, held.values()) == (), event
            held[event.about] = wanted
        elif event.kind in ("claim.released", "claim.expired"):
            del held[event.about]
    return held


_HOLD = """
import json, sys
from pathlib import Path
from loomstack_mcp.loom import open_loom
from tests.acceptance.test_fire import session, started
with open_loom(Path(sys.argv[1])) as loom:
    started(loom, "holder")
    claim = dict(patterns=["src/"], intent="mine", mode="exclusive", ttl_ms=1000)
    for _ in range(2):
        result = loom.claims.claim_paths(session("holder"), "", **claim)
        print(json.dumps([result.claim and result.claim.fence, [a.kind for a in result.alerts]]), flush=True)
        sys.stdin.readline()
"""


def test_a_stopped_holder_learns_that_its_lease_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "loom.db"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder, open_loom(path) as loom:  # fmt: skip
        assert holder.stdin
        assert holder.stdout
        [fence, _] = json.loads(holder.stdout.readline())
        holder.send_signal(signal.SIGSTOP)
        started(loom, "other")
        claim = partial(loom.claims.claim_paths, patterns=["src/a.py"], intent="mine", mode="exclusive", ttl_ms=60_000)
        taken = wait_until(lambda: claim(session("other"), "").claim)
        holder.send_signal(signal.SIGCONT)
        holder.stdin.write("\n\n")
        holder.stdin.flush()
        woken = json.loads(holder.stdout.readline())

    assert taken
    assert taken.fence > fence
    assert woken == [None, ["expired"]]


@pytest.mark.parametrize("wait_seconds", [20])
def test_a_waiter_is_woken_by_a_release_in_another_process(serve: Callable[..., Server], wait_seconds: int) -> None:
    holder, waiter = serve(), serve()
    for server in (holder, waiter):
        server.answer("start_run", loop="loop", goal="goal")
    holder.answer("claim_paths", paths=["src"], intent="first")
    waiting = waiter.start_call("claim_paths", {"paths": ["src/a.py"], "intent": "next", "wait_seconds": wait_seconds})
    refused_by_queue = None
    while not refused_by_queue:
        holder.answer("claim_paths", paths=["docs"], intent="busy")
        refused_by_queue = [e for e in activity(holder) if e["kind"] == "claim.refused"]
    freed = holder.answer("release_paths")
    granted = waiter.wait(waiting, quiet_s=5)["result"]["structuredContent"]

    assert len(freed["now_free_for"]) == 1
    assert granted["granted"]


def activity(server: Server) -> list[dict[str, Any]]:
    [content] = server.request("resources/read", {"uri": "loom://activity"})["result"]["contents"]
    events: list[dict[str, Any]] = json.loads(content["text"])
    return events
