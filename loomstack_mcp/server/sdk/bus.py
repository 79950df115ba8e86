"""Tells those who listen which resources changed, for as long as anybody listens."""

import contextlib
from collections.abc import Callable

import anyio
import anyio.lowlevel
import anyio.to_thread
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.resources import Watch

_POLL_S = 1


class Bus:
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
            watch = Watch(self._face)
            while self._listeners:
                with contextlib.suppress(LoomError):  # the store does not answer now; what changed is told once it does
                    await self._publish_news(watch)
                await anyio.sleep(_POLL_S)

    async def _publish_news(self, watch: Watch) -> None:
        newcomer, self._newcomer = self._newcomer, False
        work = self._face.work
        for uri in await anyio.to_thread.run_sync(lambda: work(lambda: watch.stale(newcomer=newcomer))):
            await self.publish(ResourceUpdated(uri=uri))
