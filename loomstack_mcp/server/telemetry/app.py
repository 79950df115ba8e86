"""OTLP over HTTP, as much of it as clients speak: their logs are read for usage, their metrics and traces let pass."""

import json
import time
import zlib
from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.clients.telemetry import told_usage
from loomstack_mcp.core.errors import Invalid, LimitExceeded, LoomError
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.usage import ENTRIES_MAX
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.bodies import json_object
from loomstack_mcp.server.hub.connections import CONNECTION
from loomstack_mcp.server.hub.peers import is_own_peer
from loomstack_mcp.server.hub.replies import HubReply, Receive, Refusal, Scope, Send, json_reply, send_reply

BODY_BYTES_MAX = 8_000_000
"""Also of what was compressed. Codex's metrics have 1.2 MB (0.169.0)."""
BODY_S = 15.0
_READ_AT_ONCE, _QUEUE = 2, 30
_LOGS, _OTHERS = "/v1/logs", ("/v1/metrics", "/v1/traces")
_JSON = "application/json"
_AGAIN = ((b"retry-after", b"5"),)
_OWN = "own"
"""Under which the connections of our own programs are counted: no stranger's take their place."""
_JSON_ONLY = (
    "this receiver reads OTLP as JSON: OTEL_EXPORTER_OTLP_PROTOCOL=http/json for Claude Code, "
    'protocol = "json" for Codex; `loomstack-mcp init --user --telemetry` writes both'
)


class TelemetryApp:
    """The receiver. What it has answered with 200 is in the store, or is nothing that is kept."""

    def __init__(self, loom: Loom, *, hosts: frozenset[str]) -> None:
        """`hosts` are the names by which it may be called: whoever is led here by another name comes from a page."""
        self._loom = loom
        self._hosts = hosts
        self._caller = Caller(principal=principal())
        self._threads = anyio.CapacityLimiter(_READ_AT_ONCE)
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            reply = await self._answered(scope, receive)
        except Refusal as refusal:
            body = {"code": _GRPC.get(refusal.status, 3), "message": str(refusal)}
            reply = HubReply(
                status=refusal.status, body=json.dumps(body).encode(), headers=refusal.headers, closes=True
            )
        await send_reply(reply, send)

    async def _answered(self, scope: Scope, receive: Receive) -> HubReply:
        """The answer. Raises Refusal."""
        self._refuse_stranger(scope)
        path = scope["path"]
        if path not in (_LOGS, *_OTHERS):
            raise Refusal(404, f"there is nothing here; clients send to {_LOGS}")
        if scope["method"] != "POST":
            raise Refusal(405, f"{path} takes POST", headers=((b"allow", b"POST"),))
        if _header(scope, b"content-type").partition(";")[0].strip().lower() != _JSON:
            raise Refusal(415, _JSON_ONLY)
        if self._open >= _QUEUE:
            raise Refusal(503, "too much at once; send it again", headers=_AGAIN)
        self._open += 1
        try:
            body = await _body(scope, receive)
            if path != _LOGS:
                return json_reply(200, {})
            return await anyio.to_thread.run_sync(partial(self._taken, body), limiter=self._threads)
        finally:
            self._open -= 1

    def _taken(self, body: bytes) -> HubReply:
        """Raises Refusal; where the store does not answer, one after which clients send the same again."""
        try:
            told = told_usage(json_object(body), now_ms=round(time.time() * 1000))
        except LimitExceeded as error:
            raise Refusal(413, str(error)) from None
        except Invalid:
            raise Refusal(
                400, "the body is no JSON object of OTLP; it was cut off, or is of another protocol"
            ) from None
        refused, why = told.refused, told.why
        for start in range(0, len(told.entries), ENTRIES_MAX):
            try:
                taken = self._loom.usage.take_in(self._caller, told.entries[start : start + ENTRIES_MAX])
            except LoomError as error:
                raise Refusal(503, f"the store did not take it ({error.code}); send it again", headers=_AGAIN) from None
            refused, why = refused + taken.refused, why or taken.why
        return json_reply(
            200, {"partialSuccess": {"rejectedLogRecords": refused, "errorMessage": why}} if refused else {}
        )

    def _refuse_stranger(self, scope: Scope) -> None:
        """No page in a browser, and no other account, tells what anything cost. Raises Refusal."""
        host = _header(scope, b"host").rpartition(":")[0] or _header(scope, b"host")
        if host.lower() not in self._hosts or _header(scope, b"origin"):
            raise Refusal(403, "programs of this machine send here, and no page")
        client = scope.get("client")
        if client and not is_own_peer(client[0], client[1]):
            raise Refusal(403, "this receiver is another account's")
        scope["state"][CONNECTION].prove(_OWN)


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body, inflated. Raises Refusal where it is too large, too slow, or cut off."""
    coding = _header(scope, b"content-encoding").lower()
    if coding not in ("", "identity", "gzip"):
        raise Refusal(415, f"content-encoding {coding[:40]} is not read here; send gzip, or none")
    inflate = _inflating() if coding == "gzip" else None
    body = bytearray()
    with anyio.move_on_after(BODY_S):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Refusal(400, "the body ended early")
            part = message.get("body", b"")
            body += inflate(part, BODY_BYTES_MAX + 1 - len(body)) if inflate else part
            if len(body) > BODY_BYTES_MAX:
                raise Refusal(413, f"a body has at most {BODY_BYTES_MAX:,} bytes; send less at once")
            if not message.get("more_body"):
                return bytes(body)
    raise Refusal(408, f"the body did not come within {BODY_S:.0f} s")


def _inflating() -> Callable[[bytes, int], bytes]:
    """What inflates a body, part by part, and never to more than is asked for."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def inflated(part: bytes, most: int) -> bytes:
        try:
            return stream.decompress(part, most)
        except zlib.error:
            raise Refusal(400, "the body says that it is gzip, and is not") from None

    return inflated


_GRPC = {403: 7, 404: 5, 408: 4, 413: 8, 415: 3, 503: 14}
"""Statuses of the protocol's error bodies (google.rpc.Code); what is not here is an invalid argument."""
