"""Tells those who listen which resources changed, for as long as anybody listens."""

import contextlib
from collections.abc import Callable

import anyio
import anyio.lowlevel
import anyio.to_thread
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.principals import acting_principal
from loomstack_mcp.server.resources import Watch

_POLL_S = 1


class Bus:
    """The bus behind `subscriptions/listen`, and the watcher that feeds it from the repo's events.

    Subscriptions are made by any process, so the store is asked once a second; nobody listening, nothing is asked.
    """

    def __init__(self, face: Face) -> None:
        self._face = face
        self._listeners: dict[object, tuple[Principal | None, Callable[[ServerEvent], None]]] = {}
        self._wanted = anyio.Event()
        self._newcomers: set[Principal | None] = set()

    async def publish(self, event: ServerEvent) -> None:
        """Every listener of whoever this is told for has the event."""
        whose = acting_principal.get()
        for principal, listener in tuple(self._listeners.values()):
            if principal == whose:
                listener(event)
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """The listener hears of what changes from now on, until what is returned is called."""
        token, principal = object(), acting_principal.get()
        self._listeners[token] = principal, listener
        self._newcomers.add(principal)
        self._wanted.set()

        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe

    async def watch(self) -> None:
        """Publish what changes, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            watches: dict[Principal | None, Watch] = {}
            while self._listeners:
                for principal in {whose for whose, _ in self._listeners.values()}:
                    acting_principal.set(principal)  # each hears of what their token opens
                    with contextlib.suppress(LoomError):  # the store does not answer now: it is told once it does
                        await self._publish_news(watches.setdefault(principal, Watch(self._face)))
                await anyio.sleep(_POLL_S)

    async def _publish_news(self, watch: Watch) -> None:
        newcomer = acting_principal.get() in self._newcomers
        self._newcomers.discard(acting_principal.get())
        work = self._face.work
        for uri in await anyio.to_thread.run_sync(lambda: work(lambda: self._news(watch, newcomer=newcomer))):
            await self.publish(ResourceUpdated(uri=uri))

    def _news(self, watch: Watch, *, newcomer: bool) -> tuple[str, ...]:
        """What changed; nothing for whoever listens on with a token that opens nothing any more."""
        principal = acting_principal.get()
        if principal and not self._face.loom.tokens.opens_still(principal):
            return ()
        return watch.stale(newcomer=newcomer)
