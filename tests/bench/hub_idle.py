"""Edges that are connected and idle: what their real looks cost a hub, and how soon one that waits is woken."""

import heapq
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from loomstack_mcp.server.face import Face
from loomstack_mcp.server.far_waits import FarWaits
from loomstack_mcp.server.push import HubBell, Push
from tests.bench.hub_calls import Begun, begun_run
from tests.bench.hub_places import BenchHub, Edge, cpu_s, joined_home, made_tokens, started_hub
from tests.bench.measure import CALLS, Figure, at_most
from tests.bench.over_http import Connection
from tests.conftest import COMMAND, environment
from tests.wire import Server

_EDGES, _WAITING = 200, 20
_IDLE_MOST = 3.0
_WINDOW_S = 60.0
"""An edge looks once a minute, where nothing waits."""
_WAKES = 60
_WAKE_MS_MOST = 250
_REPO = "acme/woken"

Call = Callable[..., dict[str, Any]]
"""A tool of one session."""


class IdleEdge:
    """An edge as `serve` keeps it for a session that sleeps: its watch, which asks in its own time."""

    def __init__(self, edge: Edge, session: str, home: Path) -> None:
        self.edge = edge
        self.begun: Begun = begun_run(edge, f"claude:{session}")
        here = SimpleNamespace(own_settings=SimpleNamespace(push="on"))
        waits = FarWaits(lambda: edge.events)
        face = cast("Face", SimpleNamespace(here=here, loom=edge, work=lambda do: do(), waits=waits))
        self.push = Push(
            HubBell(lambda: face), str(home), session=f"claude:{session}", inbox="/nowhere", token="", face=lambda: face
        )


def idle_figures(home: Path, stores: Mapping[str, str], calls: int) -> Iterator[Figure]:
    """Both hubs at the same time, so that a busy machine is busy for both."""
    window_s = min(_WINDOW_S, _WINDOW_S * calls / CALLS)
    with ExitStack() as ending:
        hubs = {name: started_hub(home / f"idle-{name}", store, ending) for name, store in stores.items()}
        edges = {name: _connected(home / f"idle-{name}", hub, ending) for name, hub in hubs.items()}
        every = [one for each in edges.values() for one in each]
        spread = random.Random(1)
        now_s = time.monotonic()
        due = [(now_s + spread.uniform(0, _WINDOW_S), number) for number in range(len(every))]
        yield from _costs(hubs, every, due, window_s, f"{_EDGES} idle edges")
        for name, each in edges.items():
            for one in each[1 : _WAITING + 1]:
                _refuse(one, each[0], name)
        waiting = _waiting(edges)
        due = [(at_s, number) for at_s, number in due if every[number] not in waiting]
        for one in waiting:
            one.push.look()
            threading.Thread(target=one.push.watch, daemon=True).start()
            ending.callback(setattr, one.push, "look", _ended)
        yield from _costs(hubs, every, due, window_s, f"{_EDGES} edges, of which {_WAITING} were refused and wait")


def _connected(home: Path, hub: BenchHub, ending: ExitStack) -> list[IdleEdge]:
    names = [f"idle-{number}" for number in range(_EDGES)]
    made = [
        IdleEdge(Edge(hub, token, home / "edges"), name, home / "edges")
        for name, token in zip(names, made_tokens(hub.store, names), strict=True)
    ]
    for one in made:
        ending.callback(one.edge.line.close)
    return made


def _ended() -> None:
    """No watch looks any more."""
    raise SystemExit


def _waiting(edges: Mapping[str, list[IdleEdge]]) -> list[IdleEdge]:
    return [one for each in edges.values() for one in each[1 : _WAITING + 1]]


def _refuse(one: IdleEdge, holder: IdleEdge, what: str) -> None:
    for (caller, run), edge in ((holder.begun, holder.edge), (one.begun, one.edge)):
        edge.claims.claim_paths(
            caller, run, patterns=[f"{what}.py"], intent="measure", mode="exclusive", ttl_ms=3_600_000
        )


def _costs(
    hubs: Mapping[str, BenchHub], every: list[IdleEdge], due: list[tuple[float, int]], window_s: float, what: str
) -> Iterator[Figure]:
    """CPU of each hub while every watch looks when it says that it will; those that wait are watched beside it."""
    heapq.heapify(due)
    before = {name: cpu_s(hub.pid) for name, hub in hubs.items()}
    began_s, looks = time.monotonic(), 0
    while (at_s := due[0][0]) < began_s + window_s:
        time.sleep(max(0, at_s - time.monotonic()))
        _, number = heapq.heappop(due)
        again_s = every[number].push.look()
        assert again_s
        heapq.heappush(due, (again_s, number))
        looks += 1
    time.sleep(max(0, began_s + window_s - time.monotonic()))
    took_s = time.monotonic() - began_s
    for name, hub in hubs.items():
        percent = (cpu_s(hub.pid) - before[name]) / took_s * 100
        each = looks / len(hubs) / took_s
        figure = at_most(f"{name}: {what}", percent, "%", most=_IDLE_MOST)
        yield Figure(figure.what, f"{percent:.2f} % of a core, {each:.1f} looks/s", figure.bound, figure.met)


def wake_figures(home: Path, shop: Path, stores: Mapping[str, str], calls: int) -> Iterator[Figure]:
    """A path is released at one replica, and a call that waits for it at the other is answered, all at once."""
    took: dict[str, list[float]] = {}
    with ExitStack() as ending:
        threads = []
        for name, store in stores.items():
            hubs = [started_hub(home / f"wake-{name}-{number}", store, ending) for number in range(2)]
            for where, pair in _pairs(home / f"wake-{name}", shop, hubs, ending).items():
                times = took[f"{name}: a waiter {where} on another replica woken"] = []
                threads.append(threading.Thread(target=_wakes, args=(*pair, times, max(20, _WAKES * calls // CALLS))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for what, times in took.items():
        cuts = statistics.quantiles(times, n=20)
        figure = at_most(f"{what}, p95", cuts[18], "ms", most=_WAKE_MS_MOST)
        yield Figure(figure.what, f"{cuts[18]:.0f} ms, p50 {cuts[9]:.0f} ms", figure.bound, figure.met)


def _pairs(home: Path, shop: Path, hubs: list[BenchHub], ending: ExitStack) -> dict[str, tuple[Call, Call]]:
    """Whoever holds, at the first hub, and whoever waits, at the second: at /mcp, and each through an edge's serve."""
    tokens = made_tokens(hubs[0].store, ("holder", "waiter"))
    direct, through = [], []
    for hub, token, who in zip(hubs, tokens, ("holder", "waiter"), strict=True):
        direct.append(_direct(Connection(hub.port, token), who))
        env = environment(joined_home(home / who, hub.url, token), CLAUDE_CODE_SESSION_ID=who)
        server = ending.enter_context(Server(COMMAND, env=env, cwd=shop, fresh=True))
        server.initialize()
        through.append(server.answer)
    direct_holder, direct_waiter = direct
    holder, waiter = through
    for one in (direct_holder, direct_waiter):
        one("start_run", loop="bench", goal="measure", repo=_REPO)
    for one in (holder, waiter):
        one("start_run", loop="bench", goal="measure")
    return {"at /mcp": (direct_holder, direct_waiter), "at an edge": (holder, waiter)}


def _direct(connection: Connection, who: str) -> Call:
    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = connection.call(tool, arguments, thread=who)["structuredContent"]
        return found

    return call


def _wakes(holder: Call, waiter: Call, took: list[float], count: int) -> None:
    pause = random.Random(count)
    for _ in range(count):
        assert holder("claim_paths", paths=["woken.py"], intent="hold")["granted"]
        woken: list[float] = []

        def wait(woken: list[float] = woken) -> None:
            assert waiter("claim_paths", paths=["woken.py"], intent="wait", wait_seconds=20)["granted"]
            woken.append(time.monotonic())

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(pause.uniform(0.5, 2.5))  # until it is looked seldom
        began_s = time.monotonic()
        holder("release_paths")
        thread.join()
        took.append((woken[0] - began_s) * 1000)
        waiter("release_paths")
