"""stdio: tolerate a discover probe, answer what was asked, then end. The private touches of the SDK live here."""

import contextlib
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.inbound import InboundLadderRejection, classify_inbound_request
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    DiscoverResult,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

Beside = Callable[[], Coroutine[Any, Any, None]]

_log = logging.getLogger(__name__)


class Streams(NamedTuple):
    """What the server reads and writes instead of the descriptors 0 and 1, which are somebody else's."""

    stdin: Any
    """With `readline()`: a line of text with its end, "" at the end of file."""
    stdout: Any
    """With `write(text)` and `flush()`."""


def serve_stdio(
    server: MCPServer[Any], *, beside: Beside, on_eof: Callable[[], None], streams: Streams | None = None
) -> None:
    """Serve until stdin ends. `beside` runs as long as the server does.

    At the end of stdin, `on_eof` is called in the event loop, whatever was asked is answered, and this returns as soon
    as nothing is owed, or the client is gone.
    """
    try:
        anyio.run(_serve, server, beside, on_eof, streams)
    except* (BrokenPipeError, ConnectionResetError):
        pass
    except* BaseException as failures:  # noqa: BLE001 the process's last handler: say what ended it, not its text
        _log.error("stopped by %s", ", ".join(type(failure).__name__ for failure in failures.exceptions))


async def _serve(server: MCPServer[Any], beside: Beside, on_eof: Callable[[], None], streams: Streams | None) -> None:
    lowlevel = server._lowlevel_server  # noqa: SLF001 MCPServer.run() offers no way to put a stream in between
    owed = _Owed()
    stdin, stdout = map(anyio.wrap_file, streams) if streams else (None, None)
    async with stdio_server(stdin, stdout) as (read, write):
        to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)

        async def forward() -> None:
            undecided = True
            async for found in read:
                item = _mended(found) if isinstance(found, ValidationError) else found
                if isinstance(item, JSONRPCError):
                    await write.send(SessionMessage(item))
                    continue
                message = item.message if isinstance(item, SessionMessage) else None
                if undecided and isinstance(message, JSONRPCRequest):
                    if message.method == "server/discover":
                        await write.send(SessionMessage(_discovered(lowlevel, message)))
                        continue
                    undecided = False
                owed.note_request(message)
                await to_server.send(item)
            on_eof()
            await owed.nothing()
            to_server.close()

        async def answer() -> None:
            # That it ends, and with it the SDK's writer behind `write`, says that every answer is out of the house.
            async with from_server, write:
                async for item in from_server:
                    await write.send(item)
                    owed.note_answer(item.message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(forward)
            tasks.start_soon(beside)
            async with anyio.create_task_group() as answers:
                answers.start_soon(answer)
                await lowlevel.run(from_client, to_client, lowlevel.create_initialization_options())
            tasks.cancel_scope.cancel()


class _Owed:
    """The requests that wait for an answer, without those that never get one."""

    def __init__(self) -> None:
        self._ids: list[RequestId] = []
        self._changed = anyio.Event()

    def note_request(self, message: JSONRPCMessage | None) -> None:
        match message:
            case JSONRPCRequest(method="subscriptions/listen"):
                pass  # answered when the session ends
            case JSONRPCRequest(id=id):
                self._ids.append(coerce_request_id(id))
            case JSONRPCNotification(method="notifications/cancelled", params=params):
                if (cancelled := cancelled_request_id_from_params(params)) is not None:
                    self._settled(cancelled)

    def note_answer(self, message: JSONRPCMessage) -> None:
        if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id is not None:
            self._settled(message.id)

    async def nothing(self) -> None:
        """Returns once nothing is owed."""
        while self._ids:
            self._changed = anyio.Event()
            await self._changed.wait()

    def _settled(self, id: RequestId) -> None:  # noqa: A002 the protocol's word
        with contextlib.suppress(ValueError):
            self._ids.remove(coerce_request_id(id))
        self._changed.set()


def _mended(failure: ValidationError) -> SessionMessage | JSONRPCError | ValidationError:
    """A line that the SDK could not read: mended, or an error for whoever waits for its answer.

    JavaScript's JSON.stringify writes half a surrogate pair as an escape (ECMA-262, QuoteJSONString), which pydantic
    refuses; the SDK then drops the request without an answer. What has no usable id is dropped as before.
    """
    first = failure.errors(include_url=False)
    whole = next((error["input"] for error in first if error["type"] in ("json_invalid", "missing")), None)
    try:
        body = json.loads(whole) if isinstance(whole, str) else whole
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        body = json.loads(text)
    except (ValueError, RecursionError):
        return failure
    if not isinstance(body, dict):
        return failure
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
    except ValidationError:
        id = body.get("id")  # noqa: A001 the protocol's word
        if "method" not in body or isinstance(id, bool) or not isinstance(id, int | str):
            return failure
        error = ErrorData(code=INVALID_REQUEST, message="the message is no JSON-RPC 2.0 request")
        return JSONRPCError(jsonrpc="2.0", id=id, error=error)


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
