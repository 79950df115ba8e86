"""Tells those who listen which resources changed, for as long as anybody listens."""

import contextlib
from collections.abc import Callable, Iterator

import anyio
import anyio.lowlevel
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.events import Event
from loomstack_mcp.server.face import Face

_POLL_S = 1
_PAGE = 500
_LISTS = ("loom://runs", "loom://claims", "loom://activity")


class Subscriptions:
    """The bus behind `subscriptions/listen`, and the watcher that feeds it from the repo's events.

    Subscriptions are made by any process, so the store is asked once a second; nobody listening, nothing is asked.
    """

    def __init__(self, face: Face) -> None:
        self._face = face
        self._listeners: dict[object, Callable[[ServerEvent], None]] = {}
        self._wanted = anyio.Event()
        self._newcomer = False

    async def publish(self, event: ServerEvent) -> None:
        """Every listener of now has the event."""
        for listener in tuple(self._listeners.values()):
            listener(event)
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """The listener hears of what changes from now on, until what is returned is called."""
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
            cursors: dict[str, int] = {}
            while self._listeners:
                with contextlib.suppress(ToolError):  # the store does not answer now; what changed is told once it does
                    await self._publish_news(cursors)
                await anyio.sleep(_POLL_S)

    async def _publish_news(self, cursors: dict[str, int]) -> None:
        """Publish what changed in each repo after its cursor, and move that on.

        A newcomer hears of every list once, for it may have read before it came.
        """
        newcomer, self._newcomer = self._newcomer, False
        for uri in dict.fromkeys(await self._face.run(lambda: list(self._news(cursors, newcomer)))):
            await self.publish(ResourceUpdated(uri=uri))

    def _news(self, cursors: dict[str, int], newcomer: bool) -> Iterator[str]:
        loom = self._face.loom
        if newcomer:
            yield from _LISTS
        for repo_id in self._face.repo_ids():
            since = cursors.setdefault(repo_id, loom.events.cursor(repo_id) if newcomer else 0)
            for event in loom.events.since(repo_id, since=since, limit=_PAGE)[0]:
                cursors[repo_id] = event.seq
                yield from _stale(event)


def _stale(event: Event) -> Iterator[str]:
    """The resources that an event makes stale."""
    yield "loom://activity"
    if event.kind.startswith("run."):
        yield "loom://runs"
    if event.kind.startswith("claim.") and event.kind not in ("claim.refused", "claim.withdrawn"):
        yield "loom://claims"
    if event.run_id:
        yield f"loom://runs/{event.run_id}"
    if event.kind == "outcome.recorded":  # a checker's is about the run that it checks
        yield f"loom://runs/{event.payload['about']}"
