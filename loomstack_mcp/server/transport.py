"""stdio: tolerate a discover probe, and end within a second. The private touches of the SDK live here."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.inbound import InboundLadderRejection, classify_inbound_request
from mcp.shared.message import SessionMessage
from mcp.types import DiscoverResult, ErrorData, JSONRPCError, JSONRPCRequest, JSONRPCResponse
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

_GRACE_S = 0.25
"""Calls that a client sent just before it closed the pipe still get their answers."""
_CLOSE_S = 0.4
"""What must be done when the session is gone has this long."""

Beside = Callable[[], Coroutine[Any, Any, None]]

_log = logging.getLogger(__name__)


def serve_stdio(server: MCPServer[Any], *, beside: Beside, on_close: Callable[[], None]) -> NoReturn:
    """Serve until stdin ends, SIGINT or SIGTERM, then end the process with status 0.

    `beside` runs as long as the server does. `on_close` runs once, whatever ended the session, and
    never holds the process up for long. A client that is gone counts as the end of stdin.
    """
    # The SDK's reader is a thread blocked in read(2): nothing can interrupt it, so that an orderly
    # end would wait for the client's next line. Hence the process ends itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _end(on_close))
    try:
        anyio.run(_serve, server, beside, on_close)
    except* (BrokenPipeError, ConnectionResetError):
        pass
    except* BaseException as failures:  # noqa: BLE001 the process's last handler: say what ended it, not its text
        _log.error("stopped by %s", ", ".join(type(failure).__name__ for failure in failures.exceptions))
    _end(on_close)


async def _serve(server: MCPServer[Any], beside: Beside, on_close: Callable[[], None]) -> None:
    lowlevel = server._lowlevel_server  # noqa: SLF001 MCPServer.run() offers no way to put a stream in between
    async with stdio_server() as (read, write):
        to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](0)

        async def forward() -> None:
            undecided = True
            async for item in read:
                message = item.message if isinstance(item, SessionMessage) else None
                if undecided and isinstance(message, JSONRPCRequest):
                    if message.method == "server/discover":
                        await write.send(SessionMessage(_discovered(lowlevel, message)))
                        continue
                    undecided = False
                await to_server.send(item)
            await anyio.sleep(_GRACE_S)
            _end(on_close)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(forward)
            tasks.start_soon(beside)
            await lowlevel.run(from_client, write, lowlevel.create_initialization_options())


def _discovered(lowlevel: Any, request: JSONRPCRequest) -> JSONRPCResponse | JSONRPCError:
    """The answer to a probe, which must not settle the protocol's era for the connection.

    The SDK takes the first request of a pipe for the client's choice; a client that probes and then
    falls back to `initialize` would be refused.
    """
    route = classify_inbound_request({"method": request.method, "params": request.params})
    if isinstance(route, InboundLadderRejection):
        error = ErrorData(code=route.code, message=route.message, data=route.data)
        return JSONRPCError(jsonrpc="2.0", id=request.id, error=error)
    result = DiscoverResult(
        supported_versions=list(MODERN_PROTOCOL_VERSIONS),
        capabilities=lowlevel.get_capabilities(protocol_version=route.protocol_version),
        instructions=lowlevel.instructions,
    ).model_dump(by_alias=True, mode="json", exclude_none=True)
    stamp = {"io.modelcontextprotocol/serverInfo": lowlevel.server_info_stamp}
    return JSONRPCResponse(jsonrpc="2.0", id=request.id, result={**result, "_meta": stamp})


def _end(on_close: Callable[[], None]) -> NoReturn:
    closing = threading.Thread(target=on_close, daemon=True)
    closing.start()
    closing.join(_CLOSE_S)
    os._exit(0)  # an ordinary exit would wait for the blocked reader
