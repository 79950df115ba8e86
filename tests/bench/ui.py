"""The dashboard: what its first page loads, how soon it is of use, how soon an event is seen, what open pages cost."""

import asyncio
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom, open_loom
from tests.bench.hub_places import cpu_s
from tests.bench.measure import CALLS, Figure, at_most
from tests.bench.year import Year, filled
from tests.dashboards import Page, first_files, running_ui, sent_bytes
from tests.hubs import made_token, running_hub

_RUNS = 10_000
_FIRST_BYTES_MOST, _USABLE_MS_MOST, _SEEN_MS_MOST, _CORE_MOST = 15_000, 500, 1_000, 10.0
_PAGES = 100
_APART_S = 5.0
"""Between two events while open pages are measured; each has all of them read again what they show."""
_READ = ("live",)
"""What Live reads again where a note came: how many questions wait it asks where that may have changed (app.js)."""


def dashboard_figures(home: Path, shop: Path, calls: int) -> Iterator[Figure]:
    """Over a store of 10,000 runs, by the process of `ui` itself."""
    store = home / "loomstack" / "loom.db"
    store.parent.mkdir(mode=0o700, exist_ok=True)
    with open_loom(Settings(store=str(store))) as loom:
        filled(loom.store, Year(runs=_RUNS, repos=1, days=30))
        [repo_id] = loom.repos.ids()
        window_s = max(10.0, 60.0 * calls / CALLS)
        with running_ui(home, shop, "--repo", repo_id, terminal=False) as ui:
            page = ui.page()
            yield from _first_page(page)
            yield from _usable(page, max(5, calls // 10))
            at = _Place(page, ui.process.pid, "of `ui`", loom, repo_id, window_s)
            for pages in (1, _PAGES):
                yield from asyncio.run(_open_pages(at, pages))
        with running_hub(home) as hub:
            page = Page(hub.port)
            page.post("session", token=made_token(home, "ana", repos=(repo_id,)))
            yield from asyncio.run(
                _open_pages(_Place(page, hub.process.pid, "of a hub", loom, repo_id, window_s), _PAGES)
            )


@dataclass
class _Place:
    """Where pages are open, and what they are open on."""

    page: Page
    pid: int
    name: str
    loom: Loom
    repo_id: str
    window_s: float


def _first_page(page: Page) -> Iterator[Figure]:
    """All that a browser loads before the first list, with what the lists of that page are."""
    sizes = dict(first_files(page))
    yield at_most(
        f"the first page, {len(sizes)} files, compressed", sum(sizes.values()), "bytes", most=_FIRST_BYTES_MOST
    )
    lists = sum(sent_bytes(page, f"/api/v1/{name}")[0] for name in ("me", "live", "inbox"))
    yield Figure("its lists, compressed", f"{lists:,} bytes")


def _usable(page: Page, times: int) -> Iterator[Figure]:
    """One request after the other, as the slowest browser would: the page, its files, who looks, and its first list."""
    paths = [path for path, _ in first_files(page)] + ["/api/v1/me", f"/api/v1/{_READ[0]}"]
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        for path in paths:
            sent_bytes(page, path)
        taken.append((time.perf_counter() - began) * 1_000)
    yield at_most(f"the first page and its list, {_RUNS:,} runs", statistics.median(taken), "ms", most=_USABLE_MS_MOST)


@dataclass
class _Open:
    """One open page: its stream, and when it heard of what."""

    page: Page
    heard: dict[int, float]

    async def read(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.page.port)
        head = f"Host: 127.0.0.1:{self.page.port}\r\nCookie: {self.page.cookie}\r\nAccept-Encoding: gzip\r\n"
        writer.write(f"GET /api/v1/events/stream HTTP/1.1\r\n{head}\r\n".encode())
        lists = await asyncio.open_connection("127.0.0.1", self.page.port)
        try:
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    self.heard.setdefault(int(line[4:]), time.perf_counter())
                    await self._read_again(head, *lists)
        finally:
            writer.close()
            lists[1].close()

    async def _read_again(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for name in _READ:
            writer.write(f"GET /api/v1/{name} HTTP/1.1\r\n{head}\r\n".encode())
            told = await reader.readuntil(b"\r\n\r\n")
            assert told.startswith(b"HTTP/1.1 200"), told
            length = re.search(rb"content-length: (\d+)", told)
            assert length
            await reader.readexactly(int(length[1]))


async def _open_pages(at: _Place, pages: int) -> list[Figure]:
    """What so many cost while nothing happens and while something does, and how soon each hears of it."""
    opened = [_Open(at.page, {}) for _ in range(pages)]
    tasks = [asyncio.create_task(one.read()) for one in opened]
    while not all(one.heard for one in opened):  # each connection is looked up once, before
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    what = f"{pages} open page{'s' if pages > 1 else ''} {at.name}"
    idle = await _core_share(at, asyncio.sleep(at.window_s / 2))
    told: dict[int, float] = {}
    busy = await _core_share(at, _happen(at, told, apart_s=_APART_S))
    late = sorted((one.heard[seq] - at_s) * 1_000 for seq, at_s in told.items() for one in opened if seq in one.heard)
    assert len(late) == len(told) * pages, f"{len(told) * pages - len(late)} were not heard"
    busier = await _core_share(at, _happen(at, {}, apart_s=1.0))
    for task in tasks:
        task.cancel()
    then = "all read again"
    return [
        at_most(f"an event seen by {what}, p95", late[int(0.95 * len(late)) - 1], "ms", most=_SEEN_MS_MOST),
        Figure(f"{what}, nothing happens", f"{idle:.1f} % of a core"),
        Figure(
            f"{what}, an event each {_APART_S:.0f} s, {then}",
            f"{busy:.1f} % of a core",
            f"≤ {_CORE_MOST:g}",
            busy <= _CORE_MOST,
        ),
        at_most(f"{what}, one each second, {then}", busier, "% of a core", most=_CORE_MOST),
    ]


async def _happen(at: _Place, told: dict[int, float], *, apart_s: float) -> None:
    """An event after the other; when each began is `told`, by its number."""
    for number in range(int(at.window_s / apart_s)):
        began = time.perf_counter()
        told[await asyncio.to_thread(_share, at, number)] = began
        await asyncio.sleep(apart_s)


async def _core_share(at: _Place, meanwhile: Any) -> float:
    began, spent = time.perf_counter(), cpu_s(at.pid)
    await meanwhile
    return 100 * (cpu_s(at.pid) - spent) / (time.perf_counter() - began)


def _share(at: _Place, number: int) -> int:
    """Something happens, a person's note; returns the event's number."""
    at.loom.notes.add(Checkout(identity=at.repo_id), who="ana", kind="fact", text=f"the fact of number {number}")
    return at.loom.events.cursor(at.repo_id)
