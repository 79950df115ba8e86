"""Tells those who listen which resources changed, for as long as anybody listens."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import anyio
import anyio.lowlevel
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.events import Event
from loomstack_mcp.server.face import Face

_POLL_S = 1
_PAGE = 500
_LISTS = ("loom://runs", "loom://claims", "loom://activity")


class Changes:
    """The bus behind `subscriptions/listen`, and the watcher that feeds it from the repo's events.

    Changes are made by any process, so the store is asked once a second; nobody listening, nothing is asked.
    """

    def __init__(self, face: Face) -> None:
        self._face = face
        self._listeners: dict[object, Callable[[ServerEvent], None]] = {}
        self._wanted = anyio.Event()
        self._newcomer = False

    async def publish(self, event: ServerEvent) -> None:
        for listener in tuple(self._listeners.values()):
            listener(event)
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        token = object()
        self._listeners[token] = listener
        self._newcomer = True
        self._wanted.set()

        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe

    async def watch(self) -> None:
        """Publish what changes, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            cursor = 0
            while self._listeners:
                with contextlib.suppress(ToolError):  # the store does not answer now; what changed is told once it does
                    cursor = await self._published(cursor)
                await anyio.sleep(_POLL_S)

    async def _published(self, cursor: int) -> int:
        """Publish what changed after `cursor`, and every list once to a newcomer, for it may have read before it came.

        Returns the next cursor.
        """
        loom = self._face.loom
        newcomer, self._newcomer = self._newcomer, False

        def news() -> tuple[int, Sequence[str]]:
            repo_id = loom.repos.found(self._face.here())
            if newcomer:
                return loom.events.cursor(repo_id), _LISTS
            found, _ = loom.events.since(repo_id, since=cursor, limit=_PAGE)
            return (found[-1].seq if found else cursor), [uri for event in found for uri in _stale(event)]

        cursor_now, stale = await self._face.run(news)
        for uri in dict.fromkeys(stale):
            await self.publish(ResourceUpdated(uri=uri))
        return cursor_now


def _stale(event: Event) -> Iterator[str]:
    """The resources that an event makes stale."""
    yield "loom://activity"
    if event.kind.startswith("run."):
        yield "loom://runs"
    if event.kind.startswith("claim.") and event.kind != "claim.refused":
        yield "loom://claims"
    if event.run_id:
        yield f"loom://runs/{event.run_id}"
