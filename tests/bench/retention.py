"""What is old goes: how long others wait meanwhile, how long a step holds the gate, and what the file gives back."""

import multiprocessing as mp
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from random import Random
from typing import Any

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.services.retention import before_of, pruned_repo
from loomstack_mcp.store.sqlite import gate
from loomstack_mcp.store.sqlite.space import drained, given_back, space_of
from tests.bench.measure import Figure, at_most
from tests.bench.year import Year, filled
from tests.factories import SHOP

_RUNS = 10_000
_KEEP_DAYS = 90
_WRITERS = 20
_PAUSE_S = 0.2
_ROUNDS = 3
_PEER_S = 10.0
_SPAWN = mp.get_context("spawn")


def figures(home: Path) -> Iterator[Figure]:
    store = home / "retention.db"
    with open_loom(store) as loom:
        filled(loom.store, Year(runs=_RUNS, repos=20))
    cases = {"a peer claims all the time": _peer, "what is old goes": _prune}
    late: dict[str, list[float]] = {what: [] for what in cases}
    for number in range(_ROUNDS):  # in turn, so that a busy machine is busy for both
        for what, beside in cases.items():
            copy = Path(shutil.copy(home / "retention.db", home / f"retention-{number}-{beside.__name__}.db"))
            waits = sorted(_waits(copy, beside))
            late[what].append(waits[len(waits) * 99 // 100])
            told = f"median {statistics.median(waits):.1f}, p99 {late[what][-1]:.0f}, longest {waits[-1]:.0f} ms"
            yield Figure(f"{_WRITERS} writers while {what}", f"{told} ({len(waits)} calls)")
            store = copy
    peer, pruning = (min(found) for found in late.values())
    yield at_most("the p99 beside it, to that beside a peer, of the calmer round", pruning / peer, "×", most=2)
    before, held = space_of(store), sorted(_held(store))
    yield at_most("a step that moves pages, at the gate: median CPU", statistics.median(held), "ms", most=20)
    yield at_most("the longest", held[-1], "ms", most=20)
    after = space_of(store)
    yield Figure("the file", f"{before.file_bytes / 1e6:.0f} MB before, {after.file_bytes / 1e6:.0f} MB after")
    yield at_most("its log", after.log_bytes / 1e6, "MB", most=0)


def _waits(store: Path, beside: Callable[[Path], None]) -> list[float]:
    """How long each call of the writers took, in milliseconds, for as long as the other was at it."""
    results, over, ready = _SPAWN.Queue(), _SPAWN.Event(), _SPAWN.Barrier(_WRITERS + 1)
    workers = [_SPAWN.Process(target=_write, args=(store, n, ready, over, results)) for n in range(_WRITERS)]
    for worker in workers:
        worker.start()
    ready.wait()
    other = _SPAWN.Process(target=beside, args=(store,))
    other.start()
    other.join()
    over.set()
    found = [wait for _ in workers for wait in results.get()]
    for worker in workers:
        worker.join()
    return found


def _write(store: Path, number: int, ready: Barrier, over: Event, results: Any) -> None:
    random, caller = Random(number), Caller(principal="bench", session=f"w{number}")
    waits: list[float] = []
    with open_loom(store) as loom:
        loom.runs.start(caller, SHOP, loop="bench", goal="measure", budget_tokens=100)
        ready.wait()
        while not over.is_set():
            time.sleep(random.uniform(0, 2 * _PAUSE_S))
            began = time.perf_counter()
            _claimed(loom, caller, f"w{number}/f{len(waits)}.py")
            waits.append((time.perf_counter() - began) * 1000)
    results.put(waits)


def _claimed(loom: Loom, caller: Caller, path: str) -> None:
    loom.claims.claim_paths(caller, "", patterns=[path], intent="measure", mode="exclusive", ttl_ms=3_600_000)


def _peer(store: Path) -> None:
    caller, until = Caller(principal="bench", session="peer"), time.monotonic() + _PEER_S
    with open_loom(store) as loom:
        loom.runs.start(caller, SHOP, loop="bench", goal="measure", budget_tokens=100)
        count = 0
        while time.monotonic() < until:
            _claimed(loom, caller, f"peer/f{count}.py")
            count += 1


def _prune(store: Path) -> None:
    with open_loom(store) as loom, drained(store) as drain:
        before_ms = before_of(loom.store, _KEEP_DAYS, window_days=30)
        for repo_id in loom.repos.ids():
            pruned_repo(loom.store, repo_id, before_ms=before_ms, who="bench", told=lambda _: drain())


def _held(store: Path) -> list[float]:
    """The CPU of each step that gives pages back, at the gate."""
    held, passed = [], gate.passed

    @contextmanager
    def timed(path: Path, **given: Any) -> Iterator[None]:
        with passed(path, **given):
            began = time.thread_time()
            yield
            held.append((time.thread_time() - began) * 1000)

    gate.passed = timed
    try:
        given_back(store)
    finally:
        gate.passed = passed
    return held
