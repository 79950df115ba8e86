"""The busiest ten minutes of a large team: calls come when they come, whether or not the hub keeps up."""

import itertools
import os
import random
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.claims import Waiter
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.policy.decision_views import DecisionRecord
from loomstack_mcp.core.policy.facts import FactsQuery
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.grants import grant_claim
from loomstack_mcp.services.repos import recorded_repo_id
from loomstack_mcp.services.starts import drafted_run, recorded_run
from loomstack_mcp.store.base import Store
from tests.bench.hub_places import BenchHub, Edge, cpu_s, made_tokens, started_hub
from tests.bench.measure import CALLS, Figure, at_most

DEVELOPERS, RUNS_EACH, CLAIMS_EACH = 500, 4, 25
_REPOS = 40
_PER_S = 20.0
_SLICES = 10
_BUSIEST_CALLS = 12_000
"""Ten minutes of them."""
_P99_MS_MOST = 250
_THREADS = 32
_TTL_MS = 900_000
_CONTENDED = 0.1
"""Of the paths that are asked for, somebody else's."""


@dataclass
class Work:
    """One run that is alive, and what a call does for it."""

    edge: Edge
    caller: Caller
    checkout: Checkout
    run: str
    area: str
    others: list[str]
    lock: threading.Lock = field(default_factory=threading.Lock)
    held: list[tuple[str, str]] = field(default_factory=list)
    """Claims that were made meanwhile, with their paths."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def glance(self) -> None:
        self.edge.glances.is_clear(self.caller, self.checkout, [f"{self.area}f1.py"], claim_edits="auto")

    def edit(self) -> None:
        self.edge.edits.hold(self.caller, self.checkout, [self._path()])

    def commit(self) -> None:
        self.edge.edits.settle(self.caller, self.checkout, [f"{self.area}n{next(self.numbers)}.py"])

    def claim(self) -> None:
        self._claim(self._path())

    def renew(self) -> None:
        self._claim(self.held[-1][1] if self.held else self._path())

    def release(self) -> None:
        if self.held:
            claim, _ = self.held.pop()
            self.edge.claims.release_paths(self.caller, self.run, claims=[claim])
        else:
            self.claim()

    def brief(self) -> None:
        self.edge.context.read_context(self.caller, self.run, None, patterns=[self.area], budget_tokens=800)

    def look(self) -> None:
        self.edge.watches.watched(self.caller)

    def say(self) -> None:
        self.edge.notes.share(
            self.caller, self.run, kind="decision", text=f"keep {next(self.numbers)} as it is", patterns=[self.area]
        )

    def record(self) -> None:
        checks = CheckCounts(passed=7)
        self.edge.outcomes.record(
            self.caller, self.run, status="passed", summary="all is well", role="maker", checks=checks
        )

    def decide(self) -> None:
        query = FactsQuery(point="mcp", actions=("edit",), subject=(f"{self.area}f1.py",))
        relied = self.edge.policy.facts_of_run(self.caller, self.run, query)
        decided = DecisionRecord(answer="allow", fired=(), reasons=(), policy="0" * 16)
        self.edge.policy.keep_of_run(self.caller, query, relied, decided)

    def _path(self) -> str:
        if random.random() < _CONTENDED:
            return f"{random.choice(self.others)}f1.py"
        return f"{self.area}n{next(self.numbers)}.py"

    def _claim(self, path: str) -> None:
        done = self.edge.claims.claim_paths(
            self.caller, self.run, patterns=[path], intent="change it", mode="exclusive", ttl_ms=_TTL_MS
        )
        if done.claim and (done.claim.id, path) not in self.held:
            self.held.append((done.claim.id, path))


MIX: Mapping[str, int] = {
    "glance": 40,
    "edit": 15,
    "commit": 3,
    "claim": 10,
    "renew": 7,
    "release": 7,
    "brief": 6,
    "look": 5,
    "say": 2,
    "record": 2,
    "decide": 3,
}
"""Of a hundred calls: most are hooks of edits."""


def team_figures(home: Path, stores: Mapping[str, str], calls: int) -> Iterator[Figure]:
    """Over both databases in turn, a slice at a time."""
    count = min(_BUSIEST_CALLS, _BUSIEST_CALLS * calls // CALLS) // _SLICES
    with ExitStack() as ending:
        hubs = {name: started_hub(home / f"team-{name}", store, ending) for name, store in stores.items()}
        teams = {name: _team(home / f"team-{name}", hub) for name, hub in hubs.items()}
        took: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in hubs}
        spent: Counter[str] = Counter()
        for number in range(_SLICES):
            for name, team in teams.items():
                before_s = cpu_s(hubs[name].pid)
                _replay(team, random.Random(number), count, took[name])
                spent[name] += round((cpu_s(hubs[name].pid) - before_s) * 1000)
    for name, each in took.items():
        yield from _told(name, each, spent[name], count * _SLICES / _PER_S)


def _told(name: str, took: Mapping[str, list[float]], spent_ms: int, seconds: float) -> Iterator[Figure]:
    every = [one for each in took.values() for one in each]
    cuts = statistics.quantiles(every, n=100)
    what = f"{name}: a large team's busiest {seconds:.0f} s"
    figure = at_most(f"{what}, p99", cuts[98], "ms", most=_P99_MS_MOST)
    load = os.getloadavg()[0]
    yield Figure(figure.what, f"{cuts[98]:.0f} ms, p50 {cuts[49]:.1f} ms, load {load:.0f}", figure.bound, figure.met)
    yield Figure(
        f"{what}, the hub's CPU", f"{spent_ms / seconds / 10:.1f} % of a core, {spent_ms / len(every):.1f} ms each"
    )
    for kind, each in took.items():
        cuts = statistics.quantiles(each, n=100) if len(each) > 1 else each * 99
        yield Figure(f"{name}: of these {kind}", f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.0f} ms, {len(each)} times")


def _replay(team: list[Work], chance: random.Random, count: int, took: Mapping[str, list[float]]) -> None:
    """Calls at chance instants, twenty a second; how long each took since it was due."""

    def do(work: Work, kind: str, due_s: float) -> None:
        with work.lock:
            call: Callable[[], None] = getattr(work, kind)
            try:
                call()
            except LoomError as error:
                raise AssertionError(f"{kind}: {error}") from error
        took[kind].append((time.monotonic() - due_s) * 1000)

    due_s = time.monotonic()
    kinds, weights = list(MIX), list(MIX.values())
    with ThreadPoolExecutor(_THREADS) as threads:
        done = []
        for _ in range(count):
            due_s += chance.expovariate(_PER_S)
            time.sleep(max(0, due_s - time.monotonic()))
            done.append(threads.submit(do, chance.choice(team), chance.choices(kinds, weights)[0], due_s))
        for one in done:
            one.result()


def _team(home: Path, hub: BenchHub) -> list[Work]:
    """The team's runs and claims in the store, and its edges."""
    names = [f"dev-{number}" for number in range(DEVELOPERS)]
    edges = [Edge(hub, token, home / "edges") for token in made_tokens(hub.store, names)]
    chance = random.Random(1)
    team: list[Work] = []
    areas: dict[str, list[str]] = defaultdict(list)
    with open_loom(Settings(store=hub.store)) as loom:
        repos = [Checkout(identity=f"github.com/acme/team-{number}") for number in range(_REPOS)]
        for repo in repos:
            recorded_repo_id(loom.store, repo)
        for number in range(DEVELOPERS * RUNS_EACH):
            # Half of all work is in one repo.
            repo = repos[0] if chance.random() < 0.5 else chance.choice(repos)
            caller = Caller(principal=names[number // RUNS_EACH], session=f"claude:s-{number}")
            area = f"src/area{number % 100}/part{number}/"
            run = _filled(loom.store, caller, repo, area)
            areas[repo.identity].append(area)
            edge = edges[number // RUNS_EACH]
            caller = replace(caller, principal="")
            team.append(Work(edge, caller, repo, run.id, area, areas[repo.identity]))
    if hub.store.startswith("postgresql:"):  # what autovacuum does within a minute
        with psycopg.connect(hub.store, autocommit=True) as connection:
            connection.execute("ANALYZE")
    return team


def _filled(store: Store, caller: Caller, checkout: Checkout, area: str) -> Run:
    """A run that is alive and holds what a run of many hours may hold."""
    repo_id = recorded_repo_id(store, checkout)
    with store.write(repo_id) as tx:
        draft = drafted_run(tx, caller, repo_id, checkout, "")
        run = recorded_run(tx, replace(draft, loop="feature", goal="change an area", paths=(area,)))
        for number in range(CLAIMS_EACH):
            wanted = Waiter(id="", repo_id=repo_id, run_id=run.id, seq=0, mode="exclusive", intent="change it",
                            patterns=(f"{area}f{number}.py",), place_until_ms=0)  # fmt: skip
            grant_claim(tx, run, wanted, fresh_id=f"claim_{run.id[-8:]}{number}", ttl_ms=DAY_MS, longest_ms=DAY_MS)
    return run
