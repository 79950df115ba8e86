"""`python -m tests.bench`: our figures beside those of a no-op tool of the same SDK, called in turn with it."""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.core.limits import CHARS_PER_TOKEN
from tests.bench import (
    agents,
    audits,
    clients,
    contention,
    edits,
    fill,
    githooks,
    guarded,
    hooks,
    hub,
    landed,
    memory,
    over_http,
    policy,
    retention,
    sessions,
    starts,
    traces,
    tracing,
    ui,
    unattended,
    views,
)
from tests.bench.measure import CALLS, Figure, at_most, medians, ratio
from tests.conftest import COMMAND, commit_all, environment, git
from tests.wire import Server

NOOP = [sys.executable, str(Path(__file__).with_name("noop_server.py"))]
SIZES = (0, 10_000, 1_000_000)
NOTES = 100_000


class Bench:
    """A repository, and servers over stores of every size."""

    def __init__(self, home: Path, calls: int, clones: Sequence[Path] = ()) -> None:
        self.home = home
        self.calls = calls
        self.clones = clones
        self.shop = home / "shop"
        self.shop.mkdir()
        git(self.shop, "init", "--quiet", "--initial-branch=main")
        commit_all(self.shop)
        worktree = worktree_at(self.shop)
        assert worktree
        self.checkout = worktree.checkout()

    @contextlib.contextmanager
    def noop(self) -> Iterator[Server]:
        with Server(NOOP, env=environment(self.home), cwd=self.shop, fresh=True) as server:
            server.initialize()
            yield server

    @contextlib.contextmanager
    def serving(self, store: Path, cwd: Path | None = None) -> Iterator[Server]:
        env = environment(self.home, LOOMSTACK_STORE=f"sqlite:///{store}")
        with Server(COMMAND, env=env, cwd=cwd or self.shop, fresh=True) as server:
            server.initialize()
            server.answer("start_run", loop="bench", goal="measure")
            yield server

    def store(self, name: str) -> Path:
        return self.home / f"{name}.db"

    def claim_paths(self) -> Iterator[Figure]:
        """One file, disjoint prefixes, one repo."""
        for size in SIZES:
            said(f"filling {size:,} claims")
            fill.claims(self.store(f"claims-{size}"), self.checkout, size)
        with contextlib.ExitStack() as open_servers:
            noop = open_servers.enter_context(self.noop())
            servers = {size: open_servers.enter_context(self.serving(self.store(f"claims-{size}"))) for size in SIZES}
            numbers = {size: iter(range(1 << 30)) for size in SIZES}

            def claim(size: int) -> None:
                server = servers[size]
                path = f"mine{next(numbers[size])}/file.py"
                assert server.answer("claim_paths", paths=[path], intent="measure")["granted"]

            cases: dict[str, Callable[[], object]] = {"no-op": lambda: noop.call("noop", {"text": "x"})}
            cases |= {f"{size:,}": lambda size=size: claim(size) for size in SIZES}  # type: ignore[misc]
            found = medians(cases, calls=self.calls)
            yield Figure("no-op tool", f"{found['no-op']:.2f} ms")
            small, large = found["10,000"], found["1,000,000"]
            yield ratio("claim_paths, 0 active claims", found["0"], found["no-op"], most=1.3)
            yield ratio("claim_paths, 10,000 active claims", small, found["no-op"], most=1.3)
            yield ratio("claim_paths, 1,000,000 active claims", large, small, most=10, against="10,000")
            yield from self._refused(servers[10_000])
            yield from self._wide(servers[1_000_000])

    def _refused(self, server: Server) -> Iterator[Figure]:
        paths = [f"area{number}/" for number in range(25)]
        refused = server.answer("claim_paths", paths=paths, intent="measure")
        yield at_most("a refused claim", tokens(refused), "tokens", most=200)

    def _wide(self, server: Server) -> Iterator[Figure]:
        for pattern in ("**", "**/*.py", "**/*.lock", "*", "*.md", "*/*/file.py", "**/test_*.py"):

            def claim(pattern: str = pattern) -> None:
                server.call("claim_paths", {"paths": [pattern], "intent": "measure", "mode": "shared"})
                server.answer("release_paths")

            only = medians({"wide": claim, "release": lambda: server.answer("release_paths")}, calls=self.calls // 10)
            answer = server.call("claim_paths", {"paths": [pattern], "intent": "measure", "mode": "shared"})
            server.answer("release_paths")
            kind = _kind(answer)
            yield at_most(f"claim_paths {pattern}, 1,000,000 ({kind})", only["wide"] - only["release"], "ms", most=50)

    def read_shared_context(self) -> Iterator[Figure]:
        said(f"filling {NOTES:,} notes")
        fill.notes(self.store("notes"), self.checkout, NOTES)
        with self.noop() as noop, self.serving(self.store("notes")) as server:
            found = medians(
                {
                    "no-op": lambda: noop.call("noop", {"text": "x"}),
                    "near": lambda: server.answer("read_shared_context", paths=["area7/part3/a.py"]),
                    "query": lambda: server.answer("read_shared_context", query="parser comments dialect"),
                },
                calls=self.calls,
            )
            yield at_most(f"read_shared_context by paths, {NOTES:,} notes", found["near"], "ms", most=50)
            yield at_most(f"read_shared_context by query, {NOTES:,} notes", found["query"], "ms", most=50)
            for budget in (100, 800, 4_000):
                briefing = server.answer("read_shared_context", paths=["area7/part3/a.py"], budget_tokens=budget)
                yield at_most(f"a briefing of budget_tokens={budget}", tokens(briefing), "tokens", most=budget)

    def start(self) -> Iterator[Figure]:
        said(f"starting {5 * self.calls} processes")
        yield from starts.figures(self.home, self.shop, self.calls, noop=NOOP)

    def memory(self) -> Iterator[Figure]:
        said("64 idle sessions")
        yield from memory.figures(self.home, self.shop)

    def unattended(self) -> Iterator[Figure]:
        said(f"{unattended.SESSIONS} real sessions of Claude Code beside {unattended.BUSY} busy loops")
        yield from unattended.figures(self.home, self.shop)

    def contention(self) -> Iterator[Figure]:
        for processes in (1, 8, 32, 100):
            said(f"{processes} processes on one file")
            rate, share, slowest_ms = contention.claims_per_second(self.store(f"contention-{processes}"), processes)
            value = (
                f"{rate:.0f} claims/s, slowest process {share:.0%} of its fair share, longest wait {slowest_ms:.0f} ms"
            )
            yield Figure(f"{processes} processes, one file", value)

    def definitions(self) -> Iterator[Figure]:
        with self.serving(self.store("tokens")) as server:
            tools = server.request("tools/list")["result"]["tools"]
            sent = [{name: tool[name] for name in ("name", "description", "inputSchema")} for tool in tools]
            for tool in sent:
                yield Figure(f"definition of {tool['name']}", f"{tokens(tool)} tokens")
            yield at_most("all definitions as sent", tokens(sent), "tokens", most=1_400)
        yield from clients.definitions(COMMAND, self.home)

    def agents(self) -> Iterator[Figure]:
        yield from agents.figures(COMMAND, self.home)

    def sessions(self) -> Iterator[Figure]:
        said("32 sessions on one file")
        yield from sessions.figures(self.home, self.shop)

    def tracing(self) -> Iterator[Figure]:
        said("two servers, one of which tells a collector")
        yield from tracing.figures(self.home, self.shop)

    def landed(self) -> Iterator[Figure]:
        said("filling 1,000 and 50,000 landed changes")
        with self.noop() as noop:
            yield from landed.figures(self.home, self.calls, noop, self.serving)

    def policy(self) -> Iterator[Figure]:
        said("making a repository of 3,000 files and 200 rules")
        with self.noop() as noop:
            yield from policy.figures(self.home, self.calls, noop, self.serving)

    def views(self) -> Iterator[Figure]:
        """What people ask of a year's store."""
        yield from views.figures(self.home)

    def retention(self) -> Iterator[Figure]:
        said("what is old goes out of a store of 10,000 runs, beside 20 writers")
        yield from retention.figures(self.home)

    def ui(self) -> Iterator[Figure]:
        """The dashboard."""
        yield from ui.dashboard_figures(self.home, self.shop, self.calls)

    def audit(self) -> Iterator[Figure]:
        said("auditing the last 4,000 commits of each clone that --clones names")
        yield from audits.figures(self.clones)

    def edits(self) -> Iterator[Figure]:
        said(f"{edits.SESSIONS} sessions, {edits.TURNS} turns each")
        yield from edits.figures(self.home, self.shop)

    def hook(self) -> Iterator[Figure]:
        said(f"starting {10 * self.calls} hooks")
        yield from hooks.figures(self.home, self.shop, self.calls)

    def guard(self) -> Iterator[Figure]:
        said("real sessions of Claude Code: without hooks, with the tool, with the command")
        yield from guarded.figures(self.home)

    def githooks(self) -> Iterator[Figure]:
        said(f"starting {9 * self.calls} hooks of git")
        yield from githooks.figures(self.home, self.shop, self.calls)

    def hub(self) -> Iterator[Figure]:
        said(f"hubs over both databases; of a large team's busiest ten minutes {min(600, 3 * self.calls)} s, for each")
        yield from hub.figures(self.home, self.shop, self.calls)

    def trace(self) -> Iterator[Figure]:
        said(f"making a repository of {traces.COMMITS:,} commits and {traces.BOUND_RUNS:,} bound runs")
        yield from traces.figures(self.calls)

    def http(self) -> Iterator[Figure]:
        yield from over_http.figures(self.home, self.calls)


def _kind(answer: dict[str, Any]) -> str:
    if answer.get("isError"):
        return "too wide"
    return "granted" if answer["structuredContent"]["granted"] else "refused"


def tokens(body: object) -> int:
    return -(-len(json.dumps(body, ensure_ascii=False, separators=(",", ":"))) // CHARS_PER_TOKEN)


def said(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


GROUPS = (
    "definitions",
    "agents",
    "start",
    "memory",
    "unattended",
    "tracing",
    "claim_paths",
    "read_shared_context",
    "contention",
    "sessions",
    "landed",
    "policy",
    "hook",
    "edits",
    "guard",
    "githooks",
    "http",
    "hub",
    "retention",
    "views",
    "ui",
    "trace",
    "audit",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="what to measure; default: everything")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls per median")
    parser.add_argument("--clones", nargs="*", type=Path, default=(), help="repositories whose history `audit` reads")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="loomstack-bench-") as home:
        bench = Bench(Path(home), options.calls, options.clones)
        for group in options.groups or GROUPS:
            began = time.monotonic()
            for figure in getattr(bench, group)():
                figures.append(figure)
                if not options.json:
                    mark = {None: " ", True: "✔", False: "✘"}[figure.met]
                    print(f"{mark} {figure.what:<52} {figure.value:<44} {figure.bound}", flush=True)
            said(f"{group}: {time.monotonic() - began:.0f} s")
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))


if __name__ == "__main__":
    main()
