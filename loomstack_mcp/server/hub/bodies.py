"""Bodies of requests: what is too much to read is refused before it is read, whoever sent it."""

import json
import re
import threading
from contextlib import nullcontext
from typing import Any

import anyio

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.server.hub.replies import Receive, Refusal

BODY_S = 60.0
"""From the head of a request to the last byte of its body."""

VALUES_MAX, MCP_VALUES_MAX = 500_000, 10_000
"""Names and values of one body. A million empty lists in 3 MB froze a hub for a minute, and took 2 GB (2026-11-28)."""
_LARGE_BYTES = 500_000
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)
"""A text, whole or without its end: else each mark in what is left of it would be tried as the beginning of one."""
_STARTS = (b"[", b"{", b",")
_LARGE = threading.Lock()
"""Large bodies are read one after the other: nothing else runs while one is."""


async def whole_body(length: str, receive: Receive, *, most: int) -> bytes:
    """The whole body, of the length that its head tells. Raises Refusal where it is too large or too slow."""
    if length and int(length) > most:  # digits, as h11 saw to
        raise _too_large(most)
    body = bytearray()
    with anyio.move_on_after(BODY_S):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Refusal(400, "the body ended early")
            body += message.get("body", b"")
            if len(body) > most:
                raise _too_large(most)
            if not message.get("more_body"):
                return bytes(body)
    raise Refusal(408, f"the body did not come within {BODY_S:.0f} s")


def refuse_crowded(body: bytes, /, *, most: int) -> None:
    """Raises LimitExceeded for JSON of more names and values than that, in a time that their number bounds."""
    if sum(map(body.count, _STARTS)) <= most:  # also in texts, where they say nothing
        return
    for number, _ in enumerate(_TOKENS.finditer(body), start=1):
        if number > most:
            raise LimitExceeded(f"a body has at most {most:,} names and values; send less at once")


def json_object(body: bytes, /) -> dict[str, Any]:
    """The arguments of a call by name. Raises Invalid for anything else, LimitExceeded for what is too much."""
    refuse_crowded(body, most=VALUES_MAX)
    try:
        with _LARGE if len(body) > _LARGE_BYTES else nullcontext():
            found = json.loads(body or b"{}", parse_constant=_refuse_constant, object_pairs_hook=_named_once)
    except (ValueError, RecursionError):
        raise Invalid("the body is no JSON object of arguments by name") from None
    if not isinstance(found, dict):
        raise Invalid("the body is no JSON object of arguments by name")
    return found


def _too_large(most: int) -> Refusal:
    return Refusal(413, f"a body has at most {most:,} bytes; send less at once", code="limit_exceeded")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of a name that comes twice would read two things."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refuse_constant(_: str) -> Any:
    raise ValueError
