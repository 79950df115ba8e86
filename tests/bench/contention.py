"""Claims per second when many processes write to one file, each as fast as it can."""

import multiprocessing as mp
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import open_loom
from tests.factories import SHOP

_SECONDS = 5
_SPAWN = mp.get_context("spawn")


def claims_per_second(path: Path, processes: int) -> tuple[float, float, float]:
    """Grants per second; the slowest process's part of its fair share; the longest call in milliseconds."""
    barrier, results = _SPAWN.Barrier(processes), _SPAWN.Queue()
    workers = [
        _SPAWN.Process(target=_claim, args=(path, f"s{number}", barrier, results)) for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    heard = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    counts = [count for count, _ in heard]
    return sum(counts) / _SECONDS, min(counts) * processes / sum(counts), max(slowest for _, slowest in heard)


def _claim(path: Path, name: str, barrier: Barrier, results: Any) -> None:
    caller = Caller(principal="bench", session=name)
    with open_loom(path) as loom:
        loom.runs.start(caller, SHOP, loop="bench", goal="measure", budget_tokens=100)
        barrier.wait()
        until = time.monotonic() + _SECONDS
        count, slowest_s, before = 0, 0.0, time.monotonic()
        while before < until:
            loom.claims.claim_paths(
                caller, "", patterns=[f"{name}/f{count}.py"], intent="measure", mode="exclusive", ttl_ms=3_600_000
            )
            now = time.monotonic()
            count, slowest_s, before = count + 1, max(slowest_s, now - before), now
    results.put((count, slowest_s * 1000))
