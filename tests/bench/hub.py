"""A hub over both databases: grants a second, how long a lock is held, wake-ups, and all that goes over HTTP.

Each grant is followed by a release, both durable; databases, hubs and clients share the cores.
"""

import multiprocessing as mp
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.store.postgres.transaction import PostgresTx
from tests.bench.hub_calls import claim_figures, hook_figures, rate_figures
from tests.bench.hub_idle import idle_figures, wake_figures
from tests.bench.hub_team import team_figures
from tests.bench.measure import Figure, at_least, at_most
from tests.databases import PostgresServer, own_server
from tests.factories import SHOP

_SECONDS = 4
_THREADS = 8
"""Calls at once in each process, as a hub's own threads."""
_ROUNDS = 2
_WAKES = 60
_APART_S = 0.15
_SPAWN = mp.get_context("spawn")
_REPOS = (1, 64)
_LEAST = {1: 300, 64: 600}
_HOLD_MS_MAX = 3.0


def figures(home: Path, shop: Path, calls: int) -> Iterator[Figure]:
    """Both databases in turn, or at once, so that a busy machine is busy for both. Each part has stores of its own."""
    parts: tuple[Callable[[Mapping[str, str]], Iterator[Figure]], ...] = (
        lambda stores: claim_figures(home, shop, stores, calls),
        lambda stores: hook_figures(home, shop, stores, max(10, calls // 4)),
        grant_figures,
        lambda stores: rate_figures(home, stores),
        lambda stores: idle_figures(home, stores, calls),
        lambda stores: wake_figures(home, shop, stores, calls),
        lambda stores: team_figures(home, stores, calls),
    )
    with own_server(durable=True) as server:
        for number, part in enumerate(parts):
            yield from part(
                {"PostgreSQL": new_database(server, f"hub_{number}"), "SQLite": f"sqlite:///{home}/hub-{number}.db"}
            )
            yield Figure("", f"load {os.getloadavg()[0]:.1f}")


def grant_figures(stores: Mapping[str, str]) -> Iterator[Figure]:
    """Through the store's own API."""
    rates: dict[tuple[str, int, int], list[float]] = {}
    holds: list[float] = []
    for _ in range(_ROUNDS):
        for repos in _REPOS:
            for processes in (1, 2):
                for name, store in stores.items():
                    rate, held = _burnt(store, processes=processes, repos=repos)
                    rates.setdefault((name, repos, processes), []).append(rate)
                    holds += held if (name, repos, processes) == ("PostgreSQL", 1, 1) else []
    for (name, repos, processes), found in rates.items():
        what = f"{name}: grants and releases, {repos} repos, {processes} replicas"
        least = _LEAST[repos] if (name, processes) == ("PostgreSQL", 1) else 0
        yield at_least(what, statistics.median(found), "grants/s", least=least)
    cuts = statistics.quantiles(holds, n=100)
    yield at_most("PostgreSQL: a repo's lock held, p50, one repo", cuts[49], "ms", most=_HOLD_MS_MAX)
    yield Figure("PostgreSQL: a repo's lock held, p99, one repo", f"{cuts[98]:.1f} ms")
    yield from _woken(stores["PostgreSQL"])
    yield from _idle(stores["PostgreSQL"])


def new_database(server: PostgresServer, name: str) -> str:
    """The URL of a new, empty database."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.url(name)


def _burnt(store: str, *, processes: int, repos: int) -> tuple[float, list[float]]:
    """Grants a second, and the milliseconds for which locks were held."""
    barrier, results = _SPAWN.Barrier(processes), _SPAWN.Queue()
    workers = [
        _SPAWN.Process(target=_replica, args=(store, f"r{number}", repos, barrier, results))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    heard = [results.get(timeout=_SECONDS * 20) for _ in workers]
    for worker in workers:
        worker.join()
    return sum(count for count, _ in heard) / _SECONDS, [hold for _, found in heard for hold in found]


def _replica(store: str, name: str, repos: int, barrier: Barrier, results: Any) -> None:
    holds: list[float] = []
    _timed(holds)
    counts: list[int] = []
    with open_loom(Settings(store=store), full_sync=True) as loom:
        started = [_runs(loom, f"{name}-{thread}", repos) for thread in range(_THREADS)]
        barrier.wait()
        until_s = time.monotonic() + _SECONDS
        threads = [
            threading.Thread(target=_claims, args=(loom, number, runs, until_s, counts))
            for number, runs in enumerate(started)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    results.put((sum(counts), holds))


def _runs(loom: Loom, session: str, repos: int) -> list[tuple[Caller, str]]:
    caller = Caller(principal="bench", session=session)
    shops = [replace(SHOP, identity=f"github.com/acme/shop-{number}", clone="") for number in range(repos)]
    started = [
        loom.runs.start(caller, shop, loop="bench", goal="measure", key=session, budget_tokens=100) for shop in shops
    ]
    return [(caller, one.run.id) for one in started]


def _claims(loom: Loom, number: int, runs: list[tuple[Caller, str]], until_s: float, counts: list[int]) -> None:
    count = 0
    while time.monotonic() < until_s:
        caller, run = runs[(number * 8 + count) % len(runs)]
        done = loom.claims.claim_paths(
            caller, run, patterns=[f"{caller.session}/f.py"], intent="measure", mode="exclusive", ttl_ms=3_600_000
        )
        assert done.claim
        loom.claims.release_paths(caller, run, claims=[done.claim.id])
        count += 1
    counts.append(count)


def _woken(store: str) -> Iterator[Figure]:
    """How soon a waiter in another process knows that something happened in its repo."""
    began, heard = _SPAWN.Queue(), _SPAWN.Queue()
    releasing = _SPAWN.Process(target=_releases, args=(store, began, heard))
    took: list[float] = []
    with open_loom(Settings(store=store)) as loom:
        repo_id = heard_repo(loom)
        releasing.start()
        with loom.listening(repo_id) as news:
            heard.get(timeout=60)
            for _ in range(_WAKES):
                time.sleep(_APART_S)  # so that no word of the release before is taken for this one
                news.clear()
                began.put(True)
                news.wait(5)
                now_s = time.monotonic()
                took.append((now_s - heard.get(timeout=60)) * 1000)
        began.put(False)
        releasing.join()
    cuts = statistics.quantiles(took, n=20)
    yield Figure("PostgreSQL: a waiter in another process woken, p50", f"{cuts[9]:.0f} ms")
    yield at_most("PostgreSQL: a waiter in another process woken, p95", cuts[18], "ms", most=250)


def heard_repo(loom: Loom) -> str:
    """The repo in which all of it happens."""
    [(_, run)] = _runs(loom, "waiter", 1)
    return loom.runs.details(run).run.repo_id


def _releases(store: str, began: Any, heard: Any) -> None:
    with open_loom(Settings(store=store)) as loom:
        [(caller, run)] = _runs(loom, "holder", 1)
        heard.put(0.0)
        while began.get():
            done = loom.claims.claim_paths(
                caller, run, patterns=["woken.py"], intent="measure", mode="exclusive", ttl_ms=60_000
            )
            heard.put(time.monotonic())
            assert done.claim
            loom.claims.release_paths(caller, run)


def _idle(store: str) -> Iterator[Figure]:
    """What a replica costs where somebody listens and nothing happens."""
    with open_loom(Settings(store=store)) as loom, loom.listening("nothing"):
        time.sleep(1)
        began_s, cpu_s = time.monotonic(), time.process_time()
        time.sleep(_SECONDS)
        percent = (time.process_time() - cpu_s) / (time.monotonic() - began_s) * 100
    yield Figure("PostgreSQL: a replica that listens, idle", f"{percent:.2f} % of a core")


def _timed(holds: list[float]) -> None:
    """From here on it is noted how long each lock was held, as its client sees it."""
    took = threading.local()
    locked, commit = PostgresTx.locked, PostgresTx.commit

    def noted(tx: PostgresTx, repo_id: str) -> bool:
        found = locked(tx, repo_id)
        took.at_s = time.perf_counter()
        return found

    def ended(tx: PostgresTx) -> bool:
        said = commit(tx)
        if at_s := getattr(took, "at_s", 0):
            holds.append((time.perf_counter() - at_s) * 1000)
            took.at_s = 0
        return said

    PostgresTx.locked, PostgresTx.commit = noted, ended  # type: ignore[method-assign,assignment]  # of this process alone
