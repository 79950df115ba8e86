"""The receiver, served: on loopback alone, for as long as the person who started it lets it run."""

import functools
import signal
import sys
from typing import Any

import anyio
import uvicorn

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.loom import open_loom
from loomstack_mcp.server.hub.addresses import listening
from loomstack_mcp.server.hub.connections import HubConnections, HubProtocol
from loomstack_mcp.server.hub.quiet import quiet_log
from loomstack_mcp.server.telemetry.app import TelemetryApp

HOST = "127.0.0.1"
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_CONNECTIONS_MAX = 200
_HEAD_BYTES_MAX = 32_768
_GOODBYE_S = 5


def run_receiver(settings: Settings, *, port: int) -> None:
    """Serve until SIGINT or SIGTERM: what is under way is answered. Raises Invalid for a port in use."""
    with open_loom(settings) as loom, listening(HOST, port) as listener:
        place = f"http://{HOST}:{listener.getsockname()[1]}"
        app: Any = TelemetryApp(loom, hosts=HOSTS)
        # Another account's idle connections make room, and none of them stays long.
        protocol: Any = functools.partial(HubProtocol, HubConnections(_CONNECTIONS_MAX))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GOODBYE_S,
            h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
            http=protocol,
        )
        quiet_log()
        sys.stderr.write(f"LoomStack takes in telemetry at {place}; `loomstack-mcp help telemetry` says who sends it\n")
        sys.stderr.flush()
        server = _Receiver(config)
        anyio.run(server.serve, [listener])
    signal.raise_signal(server.ended_by)


class _Receiver(uvicorn.Server):
    """Whoever ended it sees what did, once the store is closed."""

    ended_by = signal.SIGTERM

    async def shutdown(self, sockets: Any = None) -> None:
        await super().shutdown(sockets)
        if self._captured_signals:
            self.ended_by = signal.Signals(self._captured_signals[0])
            self._captured_signals.clear()
