"""What the hub answers over HTTP: a status, JSON, and what else a client must know."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.records import record

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_STATUSES = {
    "invalid": 400,
    "limit_exceeded": 400,
    "policy_error": 400,
    "unauthorized": 403,
    "not_found": 404,
    "lease_lost": 409,
    "paused": 409,
    "store_unavailable": 503,
}
_INTERNAL = 500


@record
class HubReply:
    """An answer, whole."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    closes: bool = False
    """Whether the connection ends with it: whoever was refused may be anybody."""
    after: Callable[[], None] | None = None
    """What is left to do once it was sent."""


class Refusal(Exception):
    """A request that goes no further, for a reason of HTTP's."""

    def __init__(
        self, status: int, message: str, *, code: str = "invalid", headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def answer_reply(answer: bytes, *, after: Callable[[], None] | None = None) -> HubReply:
    """What a service said, which is JSON already."""
    return HubReply(status=200, body=b'{"answer": ' + answer + b"}", after=after)


def json_reply(status: int, body: Any) -> HubReply:
    """Any other body."""
    return HubReply(status=status, body=json.dumps(body).encode())


def error_reply(error: Exception) -> HubReply:
    """What a service raised. Of what nobody foresaw only the kind is told: its text may hold anything."""
    if isinstance(error, LoomError):
        return _told_error(_STATUSES[error.code], error.code, str(error))
    return _told_error(_INTERNAL, "internal", f"the call failed on the hub, whose log names the cause ({_kind(error)})")


def refusal_reply(refusal: Refusal, *, over_api: bool) -> HubReply:
    """What the door says: to edges as every error, to MCP's clients and people in one line."""
    told: Any = {"code": refusal.code, "message": str(refusal)} if over_api else f"{refusal.code}: {refusal}"
    body = json.dumps({"error": told}).encode()
    return HubReply(status=refusal.status, body=body, headers=refusal.headers, closes=True)


async def send_reply(reply: HubReply, send: Send) -> None:
    """Send it in parts: whoever reads slowly holds one up, and the next waits for that."""
    length = (b"content-length", str(len(reply.body)).encode())
    headers = [(b"content-type", b"application/json"), length, (b"cache-control", b"no-store"), *reply.headers]
    if reply.closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = memoryview(reply.body)
    for start in range(0, len(body), _PART_BYTES):
        await send({"type": "http.response.body", "body": bytes(body[start : start + _PART_BYTES]), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _told_error(status: int, code: str, message: str) -> HubReply:
    return json_reply(status, {"error": {"code": code, "message": message}})


def _kind(error: Exception) -> str:
    return type(error).__name__


_PART_BYTES = 65_536
