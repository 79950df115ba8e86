"""Tells those who listen which resources changed, for as long as anybody listens."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Set

import anyio
import anyio.lowlevel
import anyio.to_thread
from mcp.server.subscriptions import ResourceUpdated, ServerEvent

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.server.face import Face
from loomstack_mcp.server.principals import acting_principal
from loomstack_mcp.server.resources import Watch

_LOOK_S, _FAR_LOOK_S = 1.0, 5.0
_TOLD_LOOK_S = 10.0
"""Where the store tells of news by itself; some may be lost."""


class Bus:
    """The bus behind `subscriptions/listen`, and the watcher that feeds it from the repo's events.

    Subscriptions are made by any process, so the store is asked once a second, for all; nobody listening, or no news
    told by a store that tells them, nothing is asked.
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
            with ListenerNews(self._face) as looks:
                while self._listeners:
                    await self.look(looks)
                    await anyio.sleep(_LOOK_S)

    async def look(self, looks: "ListenerNews") -> None:
        """Publish what changed since the last look, where anything may have."""
        who = {whose for whose, _ in self._listeners.values()}
        self._newcomers &= who
        looks.forget_all_but(who)
        if not (self._newcomers or looks.is_due()):
            return
        with contextlib.suppress(LoomError):  # the store does not answer now: it is told once it does
            cursors = await anyio.to_thread.run_sync(looks.begin)
            for principal in who:
                if principal in self._newcomers or looks.is_behind(principal, cursors):
                    await self._publish_news(looks, principal, cursors)

    async def _publish_news(
        self, looks: "ListenerNews", principal: Principal | None, cursors: Mapping[str, int] | None
    ) -> None:
        acting_principal.set(principal)  # each hears of what their token opens
        is_new = principal in self._newcomers
        with contextlib.suppress(LoomError):
            stale = await anyio.to_thread.run_sync(lambda: looks.stale(principal, cursors, newcomer=is_new))
            if is_new:  # else whoever came meanwhile is still to be told
                self._newcomers.discard(principal)
            for uri in stale:
                await self.publish(ResourceUpdated(uri=uri))


class ListenerNews:
    """What was seen so far on behalf of those who listen."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._listening = contextlib.ExitStack()
        self._news: threading.Event | None = None
        self._looked_s = float("-inf")
        self._watches: dict[Principal | None, Watch] = {}
        self._seen: dict[Principal | None, Mapping[str, int]] = {}

    def __enter__(self) -> "ListenerNews":
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def forget_all_but(self, who: Set[Principal | None]) -> None:
        """Nothing is kept for those who left; who comes again is new."""
        for left in self._watches.keys() - who:
            del self._watches[left]
            self._seen.pop(left, None)

    def is_due(self) -> bool:
        """Whether anything may have happened that nobody saw."""
        if self._news is None:
            return True
        seldom_s = _FAR_LOOK_S if self._face.loom.is_far else _TOLD_LOOK_S if self._face.loom.tells_news else 0
        return self._news.is_set() or time.monotonic() >= self._looked_s + seldom_s

    def begin(self) -> Mapping[str, int] | None:
        """Where each repo is; None where that is not asked at once. Raises LoomError."""
        loom = self._face.loom
        if self._news is None:
            self._news = self._listening.enter_context(loom.listening(""))
        self._news.clear()
        cursors = None if loom.is_far else self._face.work(loom.cursors)
        self._looked_s = time.monotonic()
        return cursors

    def is_behind(self, principal: Principal | None, cursors: Mapping[str, int] | None) -> bool:
        """Whether a repo is elsewhere than when this one was last told."""
        return cursors is None or self._seen.get(principal) != cursors

    def stale(
        self, principal: Principal | None, cursors: Mapping[str, int] | None, *, newcomer: bool
    ) -> tuple[str, ...]:
        """What changed; nothing for whoever listens on with a token that opens nothing any more. Raises LoomError."""
        watch = self._watches.setdefault(principal, Watch(self._face))

        def found() -> tuple[str, ...]:
            if principal and not self._face.loom.tokens.opens_still(principal):
                return ()
            return watch.stale(newcomer=newcomer, cursors=cursors)

        told = self._face.work(found)
        if cursors is not None:
            self._seen[principal] = cursors
        return told
