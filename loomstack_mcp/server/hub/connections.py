"""Connections of the hub: few for those who showed no token, none for long without a request, each with its limits.

What uvicorn has settings for is set in `serving`; here is what it has none for.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Hashable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from loomstack_mcp.server.hub.certificates import Certificate
from loomstack_mcp.server.hub.peers import Peer

CONNECTION = "loomstack.connection"
"""Under which a request finds its connection in the scope's state."""
STRANGERS_MAX = 256
"""Connections that showed no token; of more than that, the one that came first is closed."""
TOKEN_CONNECTIONS_MAX = 250
"""Connections over which one token comes."""
HEAD_S = 10.0
"""From the first byte of a request's head, or from the connection on, to its last."""
SEND_S = 60.0
"""In which a client takes the next part of an answer."""
_CLOSING_S = 10.0
"""In which it takes the rest, once the connection is closed."""


class HubConnections:
    """All that are open. Whoever proves nothing makes room for whoever comes."""

    def __init__(
        self, most: int, *, strangers_max: int = STRANGERS_MAX, certificate: Certificate | None = None
    ) -> None:
        self.certificate = certificate
        self._most, self._strangers_max = most, strangers_max
        self._strangers: dict[HubProtocol, None] = {}
        self._known: dict[HubProtocol, Hashable] = {}
        self._of_token: defaultdict[Hashable, dict[HubProtocol, None]] = defaultdict(dict)

    def enter(self, one: "HubProtocol") -> None:
        """A connection is there."""
        self._strangers[one] = None
        is_full = len(self._strangers) + len(self._known) > self._most
        if is_full or len(self._strangers) > self._strangers_max:
            next(iter(self._strangers)).drop()

    def prove(self, one: "HubProtocol", token: Hashable) -> None:
        """A token came over it, perhaps another one than before: a proxy's connections are everybody's.

        Of more than a token may have, the one goes that is idle for longest, else the oldest.
        """
        if self._known.get(one) == token:
            return
        self.leave(one)
        self._known[one] = token
        others = self._of_token[token]
        others[one] = None
        if len(others) > TOKEN_CONNECTIONS_MAX:
            next((other for other in others if other.is_idle), next(iter(others))).drop()

    def leave(self, one: "HubProtocol") -> None:
        """It is gone."""
        self._strangers.pop(one, None)
        if one in self._known:
            token = self._known.pop(one)
            del self._of_token[token][one]
            if not self._of_token[token]:
                del self._of_token[token]


class HubProtocol(H11Protocol):
    """One connection."""

    def __init__(self, connections: HubConnections, **given: Any) -> None:
        given["app_state"] = {**given["app_state"], CONNECTION: self}
        super().__init__(**given)
        self._open = connections
        self._early: list[bytes] | None = None
        self._securing: asyncio.Task[None] | None = None
        self._raw: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None
        self._slow: asyncio.TimerHandle | None = None
        self._peer: Peer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is counted from here on, before any handshake: that may never come."""
        self._raw = transport
        self._late = self.loop.call_later(HEAD_S, self.drop)
        self._open.enter(self)
        if self._open.certificate is None:
            super().connection_made(transport)
            return
        transport.pause_reading()
        self._early = []
        self._securing = self.loop.create_task(self._secure(transport, self._open.certificate))

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.leave(self)
        for timer in (self._late, self._slow):
            if timer:
                timer.cancel()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._early is not None:  # the client's first request came with the last of its handshake
            self._early.append(data)
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._late = self._late or self.loop.call_later(HEAD_S, self.drop)
        elif self._late:
            self._late.cancel()
            self._late = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._slow = self.loop.call_later(SEND_S, self.drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._slow:
            self._slow.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._end_soon()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_soon()

    def shutdown(self) -> None:
        if self.transport is None:
            self.drop()
            return
        super().shutdown()
        self._end_soon()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked over it now."""
        return self.cycle is None or self.cycle.response_complete

    def peer_at(self, host: str, port: int) -> Peer:
        """Who is at its other end, which is there as long as it is."""
        self._peer = self._peer or Peer(host, port)
        return self._peer

    def prove(self, token: Hashable) -> None:
        """A token came over it."""
        self._open.prove(self, token)

    def drop(self) -> None:
        """End it at once, whatever was under way."""
        self._open.leave(self)
        if self._raw:
            self._raw.abort()

    def _end_soon(self) -> None:
        """A transport that is closed waits until its client has read everything, however long that takes."""
        if self.transport.is_closing():
            self.loop.call_later(_CLOSING_S, self.drop)

    async def _secure(self, transport: asyncio.Transport, certificate: Certificate) -> None:
        secured = None
        with contextlib.suppress(OSError, asyncio.TimeoutError):  # whoever speaks no TLS, or leaves, is nobody's fault
            secured = await self.loop.start_tls(
                transport, self, certificate.context, server_side=True, ssl_handshake_timeout=HEAD_S
            )
        if secured is None or self._early is None:
            self.drop()
            return
        early, self._early = b"".join(self._early), None
        super().connection_made(secured)
        if early:
            self.data_received(early)
