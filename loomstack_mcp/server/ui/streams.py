"""Streams of events to open pages: the store is looked at once for all of them, however many they are."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence

import anyio
import anyio.to_thread

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.events import Event
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.far_waits import FarWaits
from loomstack_mcp.server.hub.rates import TooMany
from loomstack_mcp.server.hub.replies import Receive, Send
from loomstack_mcp.server.ui.readers import PageReader, is_far_behind, read_repos, stream_message
from loomstack_mcp.server.ui.replies import SECURITY

STREAMS_MAX, SEAT_STREAMS_MAX = 1_000, 200
"""That are open at once, and of one token."""
_LOOK_S, _TOLD_LOOK_S = 0.25, 5.0
"""Between two looks; the latter where the store tells of news by itself."""
_FAR_WAIT_S, _FAR_REPOS_MAX = 15.0, 8
_APART_S, _APART_EACH_S = 0.2, 0.004
"""Between two messages to one page, and more of it for each that is open."""
_HEARTBEAT_S, _CHECK_S = 15.0, 30.0
_EVENTS_MAX = 200
"""Of one look; where more have happened since the last, pages ask for everything anew."""
_BEGIN = b"retry: 2000\n\n"
_HEARTBEAT = b":\n\n"
_HEADERS = (
    *SECURITY,
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep what comes until it has a page of it
)

_Moved = Mapping[str, tuple[int, Sequence[Event]]]
"""Where a repo is, and what has happened there since the last look; nothing where that was too much."""


class EventStreams:
    """All that are open in this process."""

    def __init__(self, loom: Loom) -> None:
        self._loom = loom
        self._readers: dict[PageReader, Hashable] = {}
        self._of_seat: defaultdict[Hashable, int] = defaultdict(int)
        self._wanted = anyio.Event()
        self._ended = anyio.Event()
        self._far_waits = FarWaits(lambda: loom.events)
        self._stopped = threading.Event()

    async def watch(self) -> None:
        """Tell whoever reads what happens, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            await (self._watch_far() if self._loom.is_far else self._watch_near())

    async def stream(
        self,
        repo_id: str,
        *,
        seat: Hashable,
        seen: int | None,
        opens_still: Callable[[], Awaitable[bool]],
        receive: Receive,
        send: Send,
    ) -> None:
        """Send what happens in a repo until the page is gone, its token opens it no more, or the process ends.

        `seen` is the last event that the page was told of before. Raises TooMany, LoomError.
        """
        with self._entered(repo_id, seat) as reader:
            cursor = reader.start = await anyio.to_thread.run_sync(lambda: self._loom.events.cursor(repo_id))
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": _BEGIN + _first(reader, cursor, seen), "more_body": True})
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_left, receive, reader)
                await self._told_on(reader, opens_still, send)
                tasks.cancel_scope.cancel()
            await send({"type": "http.response.body", "body": b""})

    def end(self) -> None:
        """Each stream ends now, and none begins any more."""
        self._ended.set()
        self._stopped.set()
        for reader in self._readers:
            reader.end()

    @contextlib.contextmanager
    def _entered(self, repo_id: str, seat: Hashable) -> Iterator[PageReader]:
        if self._ended.is_set() or len(self._readers) >= STREAMS_MAX or self._of_seat[seat] >= SEAT_STREAMS_MAX:
            raise TooMany
        reader = PageReader(repo_id)
        self._readers[reader] = seat
        self._of_seat[seat] += 1
        self._wanted.set()
        try:
            yield reader
        finally:
            del self._readers[reader]
            self._of_seat[seat] -= 1
            if not self._of_seat[seat]:
                del self._of_seat[seat]

    async def _told_on(self, reader: PageReader, opens_still: Callable[[], Awaitable[bool]], send: Send) -> None:
        checked_s, told_s = time.monotonic(), float("-inf")
        while not reader.is_over:
            with anyio.move_on_after(min(_HEARTBEAT_S, checked_s + _CHECK_S - time.monotonic())):
                await reader.woken.wait()
            if (early_s := told_s + _APART_S + len(self._readers) * _APART_EACH_S - time.monotonic()) > 0:
                with anyio.move_on_after(early_s):
                    await self._ended.wait()  # what happens meanwhile is told together
            told_s = time.monotonic()
            if time.monotonic() - checked_s >= _CHECK_S:
                checked_s = time.monotonic()
                if not await opens_still():
                    return
            message = reader.taken() or _HEARTBEAT
            await send({"type": "http.response.body", "body": message, "more_body": True})

    async def _watch_near(self) -> None:
        seen: dict[str, int] = {}
        with self._loom.listening("") as news:
            looked_s = float("-inf")
            while self._readers:
                repos = read_repos(self._readers)
                is_told = self._loom.tells_news and repos.keys() <= seen.keys()
                if news.is_set() or not is_told or time.monotonic() - looked_s >= _TOLD_LOOK_S:
                    news.clear()
                    looked_s = time.monotonic()
                    with contextlib.suppress(LoomError):  # the store does not answer now: it is told once it does
                        self._tell(await anyio.to_thread.run_sync(self._moved, repos, seen))
                await anyio.sleep(_LOOK_S)

    async def _watch_far(self) -> None:
        """A hub is asked for each repo by a question that it leaves open."""
        async with anyio.create_task_group() as tasks:
            watched: set[str] = set()
            while self._readers:
                for repo_id in sorted(read_repos(self._readers).keys() - watched)[: _FAR_REPOS_MAX - len(watched)]:
                    watched.add(repo_id)
                    tasks.start_soon(self._watch_one, repo_id, watched)
                await anyio.sleep(_LOOK_S)
            tasks.cancel_scope.cancel()

    async def _watch_one(self, repo_id: str, watched: set[str]) -> None:
        seen: dict[str, int] = {}
        while (start := read_repos(self._readers).get(repo_id)) is not None:
            try:
                self._tell(
                    await anyio.to_thread.run_sync(self._moved_far, repo_id, start, seen, abandon_on_cancel=True)
                )
            except LoomError:
                await anyio.sleep(_FAR_WAIT_S / 5)
        watched.discard(repo_id)

    def _moved(self, repos: Mapping[str, int], seen: dict[str, int]) -> _Moved:
        """What happened since the last look, of a new repo since somebody came; `seen` is brought up to now."""
        cursors = self._loom.cursors()
        found: dict[str, tuple[int, Sequence[Event]]] = {}
        for repo_id, start in repos.items():
            cursor = cursors.get(repo_id, 0)
            former = seen.get(repo_id, start)
            if cursor != former:
                found[repo_id] = cursor, self._since(repo_id, former, cursor)
            seen[repo_id] = cursor
        for left in seen.keys() - repos.keys():
            del seen[left]
        return found

    def _moved_far(self, repo_id: str, start: int, seen: dict[str, int]) -> _Moved:
        former = seen.get(repo_id, start)
        until_s = time.monotonic() + _FAR_WAIT_S
        self._far_waits.await_change(repo_id, former, until_s=until_s, stopped=self._stopped)
        cursor = seen[repo_id] = self._loom.events.cursor(repo_id)
        return {} if former == cursor else {repo_id: (cursor, self._since(repo_id, former, cursor))}

    def _since(self, repo_id: str, former: int, cursor: int) -> Sequence[Event]:
        """Those after `former`; none where they are too many, or the repo is not what it was."""
        if is_far_behind(former, cursor):
            return ()
        found, _ = self._loom.events.since(repo_id, since=former, limit=_EVENTS_MAX + 1)
        return found if len(found) <= _EVENTS_MAX else ()

    def _tell(self, moved: _Moved) -> None:
        for reader in self._readers:
            if reader.repo_id in moved:
                cursor, found = moved[reader.repo_id]
                if found:
                    reader.tell(max(cursor, found[-1].seq), found)
                else:
                    reader.lose(cursor)


def _first(reader: PageReader, cursor: int, seen: int | None) -> bytes:
    """Where the repo is; and where the page comes back, that it missed something."""
    body = {"repo": reader.repo_id, "seq": cursor, "kinds": [], "runs": []}
    if seen is None:
        return stream_message("hello", cursor, body)
    is_far = is_far_behind(seen, cursor)
    return stream_message("reset" if is_far else "hello" if seen == cursor else "change", cursor, body)


async def _until_left(receive: Receive, reader: PageReader) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.end()
