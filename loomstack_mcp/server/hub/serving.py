"""The hub's server: uvicorn with its limits, and an end that loses nobody's call."""

import functools
import resource
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn

from loomstack_mcp.server.hub.certificates import Certificate
from loomstack_mcp.server.hub.connections import HubConnections, HubProtocol
from loomstack_mcp.server.hub.replies import App
from loomstack_mcp.server.hub.standing import Standing

if TYPE_CHECKING:
    from loomstack_mcp.server.sdk.transport import Beside  # the SDK, which pages do without

CONNECTIONS_MAX = 4_000
IDLE_S = 75
"""A kept-alive connection without a request; longer than proxies keep theirs, which would send one into the end."""
_HEAD_BYTES_MAX = 32_768
_OTHER_FILES = 200
"""That the process may have open beside connections."""
_GOODBYE_S = 5
_CTRL_C_S = 1


class HubServer(uvicorn.Server):
    """It ends in steps: no load balancer sends anything more, then nobody can come in, then what runs has ended."""

    def __init__(
        self, config: uvicorn.Config, standing: Standing, *, grace_s: float, on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._standing, self._grace_s, self._on_end = standing, grace_s, on_end
        self._ends_at_s: float | None = None
        self.ended_by = signal.SIGTERM
        """The signal that did."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the end, the second is the end; Ctrl-C waits for no load balancer."""
        is_second = self._ends_at_s is not None
        super().handle_exit(sig, frame)
        self._standing.is_stopping = True
        self._ends_at_s = time.monotonic() + self._grace_s
        if is_second:
            self.force_exit = True
        elif sig == signal.SIGTERM:
            self.should_exit = False
        else:
            self.config.timeout_graceful_shutdown = _CTRL_C_S

    async def on_tick(self, counter: int) -> bool:
        """Whether the time has come."""
        is_over = self._ends_at_s is not None and time.monotonic() >= self._ends_at_s
        return await super().on_tick(counter) or is_over

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever waits for others is told to ask again: another replica may answer then."""
        self._on_end()
        await super().shutdown(sockets)
        if self._captured_signals:  # which uvicorn would raise again before the store is closed
            self.ended_by = signal.Signals(self._captured_signals[0])
            self._captured_signals.clear()


async def serve_hub(
    app: App,
    listener: socket.socket,
    standing: Standing,
    connections: HubConnections,
    *,
    beside: "Beside",
    on_end: Callable[[], None],
    grace_s: float = 0,
) -> signal.Signals:
    """Serve until SIGINT or SIGTERM, and return which of them.

    `beside` runs as long as the server does. SIGHUP reads the certificate again.
    """
    protocol: Any = functools.partial(HubProtocol, connections)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=protocol,
        ws="none",
        proxy_headers=False,  # what a proxy says is believed at the door, of those that are named
        server_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=_GOODBYE_S,
        h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beside)
        if certificate := connections.certificate:
            tasks.start_soon(certificate.follow)
            tasks.start_soon(_read_on_hangup, certificate)
        server = HubServer(config, standing, grace_s=grace_s, on_end=on_end)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()
    return server.ended_by


async def _read_on_hangup(certificate: Certificate) -> None:
    with anyio.open_signal_receiver(signal.SIGHUP) as signals:
        async for _ in signals:
            certificate.read_again()


def refuse_core_dumps() -> None:
    """What it held in memory when it died, tokens among it, is written nowhere, unless `prlimit` asks for it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def connections_max() -> int:
    """As many as the system lets this process have, once it has asked for more: a shell's limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - _OTHER_FILES, wanted // 2)
