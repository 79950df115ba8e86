"""Calls through a hub: claim_paths beside a no-op of the same SDK over the same HTTP, a hook, and grants a second."""

import itertools
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from loomstack_mcp.core.runs import Caller
from tests.bench.hooks import cpu_ms
from tests.bench.hub_places import BenchHub, Edge, joined_home, made_tokens, started_hub
from tests.bench.measure import Figure, at_most, medians, ratio
from tests.bench.over_http import NOOP, Connection, started
from tests.conftest import COMMAND, environment
from tests.factories import SHOP
from tests.processes import HOOK
from tests.wire import Server

_CLAIM_MOST, _HOOK_MOST_MS = 3.0, 60.0
_TTL_MS = 900_000
_CLIENTS, _SECONDS, _ROUNDS = 8, 4, 3
_WARM_UP = 3


def claim_figures(home: Path, shop: Path, stores: Mapping[str, str], calls: int) -> Iterator[Figure]:
    """Through `serve` of an edge, through its services alone, and through a client that connects directly."""
    with ExitStack() as ending:
        noop = Connection(started(NOOP, home, ending).port, "")
        cases: dict[str, Callable[[], object]] = {"no-op": lambda: noop.call("noop", {"text": "x"})}
        for name, store in stores.items():
            hub = started_hub(home / f"claims-{name}", store, ending)
            cases |= _claim_cases(home / f"claims-{name}", shop, name, hub, ending)
        found = medians(cases, calls=calls)
        noop_ms = found.pop("no-op")
        yield Figure("no-op tool over HTTP", f"{noop_ms:.2f} ms")
        for what, taken_ms in found.items():
            yield ratio(what, taken_ms, noop_ms, most=_CLAIM_MOST if "edge" in what else None, against="no-op")


def _claim_cases(
    home: Path, shop: Path, name: str, hub: BenchHub, ending: ExitStack
) -> dict[str, Callable[[], object]]:
    tokens = made_tokens(hub.store, ("tool", "service", "direct"))
    env = environment(joined_home(home / "tool", hub.url, tokens[0]))
    server = ending.enter_context(Server(COMMAND, env=env, cwd=shop, fresh=True))
    server.initialize()
    server.answer("start_run", loop="bench", goal="measure")
    edge = Edge(hub, tokens[1], home / "service")
    begun = begun_run(edge, "service")
    made = Connection(hub.port, tokens[2])
    own = Connection(hub.port, (home / "loomstack" / "token").read_text())
    for one, thread in ((made, "made"), (own, "own")):
        one.call("start_run", {"loop": "bench", "goal": "measure", "repo": "acme/shop"}, thread=thread)
    numbers = itertools.count()

    def wanted() -> dict[str, Any]:
        return {"paths": [f"a{next(numbers)}/f.py"], "intent": "measure"}

    return {
        f"{name}: hello, which asks for the token": lambda: edge.line.hub_answer("/api/hello", None),
        f"{name}: claim_paths, an edge's serve": lambda: granted(server.answer("claim_paths", **wanted())),
        f"{name}: claim_paths, an edge's service alone": lambda: claimed(edge, begun, f"b{next(numbers)}/f.py"),
        f"{name}: claim_paths at /mcp, made token": lambda: made.call("claim_paths", wanted(), thread="made"),
        f"{name}: claim_paths at /mcp, own token": lambda: own.call("claim_paths", wanted(), thread="own"),
    }


def granted(answer: Mapping[str, Any]) -> None:
    assert answer["granted"]


Begun = tuple[Caller, str]
"""Who calls, and under which run."""


def begun_run(edge: Edge, session: str) -> Begun:
    caller = Caller(principal="", session=session)
    run = edge.runs.start(caller, SHOP, loop="bench", goal="measure", key=session, budget_tokens=100).run
    return caller, run.id


def claimed(edge: Edge, begun: Begun, path: str) -> str:
    """The id of the claim."""
    caller, run = begun
    done = edge.claims.claim_paths(caller, run, patterns=[path], intent="measure", mode="exclusive", ttl_ms=_TTL_MS)
    assert done.claim
    return done.claim.id


def hook_figures(home: Path, shop: Path, stores: Mapping[str, str], calls: int) -> Iterator[Figure]:
    """How long an edit waits for its hook, and its CPU, above a bare interpreter that is started in turn with it."""
    numbers = itertools.count()
    with ExitStack() as ending:
        cases: dict[str, tuple[list[str], Callable[[], str], dict[str, str]]] = {
            "bare": ([sys.executable, "-c", "pass"], lambda: "free.py", environment(home))
        }
        for name, store in stores.items():
            hub = started_hub(home / f"hooks-{name}", store, ending)
            [token] = made_tokens(store, ("hook",))
            env = environment(joined_home(home / f"hooks-{name}" / "edge", hub.url, token))
            hook = [HOOK, "claude", "PreToolUse"]
            cases[f"{name}: hook, a further edit"] = (hook, lambda: "free.py", env)
            cases[f"{name}: hook, a file's first edit"] = (hook, lambda: f"f{next(numbers)}.py", env)
        spent = _hooks_spent(cases, calls, shop)
    (bare_ms, _), *_ = [spent.pop("bare")]
    yield Figure("python -c pass", f"{bare_ms:.1f} ms")
    for what, (took_ms, busy_ms) in spent.items():
        yield at_most(f"{what}, above it", took_ms - bare_ms, "ms", most=_HOOK_MOST_MS)
        yield Figure(f"{what}, CPU of its own", f"{busy_ms:.1f} ms")


def _hooks_spent(
    cases: Mapping[str, tuple[list[str], Callable[[], str], dict[str, str]]], calls: int, shop: Path
) -> dict[str, tuple[float, float]]:
    """Milliseconds until it ended, and of CPU; the medians of each case."""
    taken: dict[str, list[tuple[float, float]]] = {what: [] for what in cases}
    for number in range(calls + _WARM_UP):
        for what, (argv, path, env) in cases.items():
            edit = {"session_id": "s", "tool_name": "Edit", "tool_input": {"file_path": f"{shop}/{path()}"}}
            began = time.perf_counter()
            busy_ms = cpu_ms(argv, json.dumps({"cwd": str(shop), **edit}).encode(), cwd=shop, env=env)
            if number >= _WARM_UP:
                taken[what].append(((time.perf_counter() - began) * 1000, busy_ms))
    medians_of = {what: list(zip(*times, strict=True)) for what, times in taken.items()}
    return {what: (statistics.median(took), statistics.median(busy)) for what, (took, busy) in medians_of.items()}


def rate_figures(home: Path, stores: Mapping[str, str]) -> Iterator[Figure]:
    """Grants and releases through HTTP, by clients in one process on the same cores."""
    rates: dict[str, list[float]] = {}
    with ExitStack() as ending:
        hubs = {
            name: [started_hub(home / f"rate-{name}-{number}", store, ending) for number in range(2)]
            for name, store in stores.items()
        }
        for _ in range(_ROUNDS):
            for replicas in (1, 2):
                for name, found in hubs.items():
                    what = f"{name}: grants and releases over HTTP, {replicas} replicas"
                    rates.setdefault(what, []).append(_rate(home / name, found[:replicas]))
    for what, each in rates.items():
        yield Figure(what, f"{statistics.median(each):.0f} grants/s")


def _rate(home: Path, hubs: list[BenchHub]) -> float:
    names = [f"client-{number}" for number in range(_CLIENTS)]
    tokens = made_tokens(hubs[0].store, names)
    edges = [Edge(hubs[number % len(hubs)], token, home) for number, token in enumerate(tokens)]
    begun = [begun_run(edge, name) for edge, name in zip(edges, names, strict=True)]
    counts: list[int] = []
    until_s = time.monotonic() + _SECONDS

    def work(edge: Edge, one: Begun) -> None:
        count = 0
        while time.monotonic() < until_s:
            claim = claimed(edge, one, f"{one[0].session}/f.py")
            edge.claims.release_paths(one[0], one[1], claims=[claim])
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(edges, begun, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for edge in edges:
        edge.line.close()
    return sum(counts) / _SECONDS
