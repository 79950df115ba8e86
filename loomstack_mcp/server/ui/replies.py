"""Answers to a browser: what it may do with them, compressed, and not sent again where it has them."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

from loomstack_mcp.core.records import record
from loomstack_mcp.server.hub.replies import Send
from loomstack_mcp.server.ui.requests import PageRequest

_SELF = "'self'"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{what} {_SELF}" for what in ("script-src", "style-src", "connect-src", "img-src", "form-action")),
        *(f"{what} 'none'" for what in ("base-uri", "frame-ancestors")),
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
"""Of every answer."""
PRIVATE = b"private, no-cache"
NEVER_KEPT = b"no-store"
_GZIP_BYTES = 1_000
_GZIP_LEVEL = 5
_PART_BYTES = 65_536


@record
class PageContent:
    """What is answered, plain and, where that is worth it, compressed."""

    kind: bytes
    plain: bytes
    zipped: bytes = b""
    tag: str = ""
    """By which a browser says that it has it."""


@record
class PageReply:
    """An answer, whole."""

    status: int = 200
    content: PageContent
    kept: bytes = NEVER_KEPT
    headers: tuple[tuple[bytes, bytes], ...] = ()


def content_of(kind: str, plain: bytes, /, *, tag: str = "", level: int = _GZIP_LEVEL) -> PageContent:
    """With its compressed form, where that is shorter."""
    zipped = gzip.compress(plain, level, mtime=0) if len(plain) > _GZIP_BYTES else b""
    return PageContent(kind=kind.encode(), plain=plain, zipped=zipped if len(zipped) < len(plain) else b"", tag=tag)


def json_content(body: Any, /, *, tag: str = "") -> PageContent:
    """A body as JSON, as short as it can be written."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return content_of("application/json", text.encode("utf-8", "backslashreplace"), tag=tag)


def json_page(body: Any, /, *, status: int = 200, headers: Mapping[str, str] | None = None) -> PageReply:
    """What is of this moment, and kept nowhere; nor compressed: its length would tell of what it holds."""
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    more = tuple((name.lower().encode(), value.encode()) for name, value in (headers or {}).items())
    return PageReply(status=status, content=PageContent(kind=b"application/json", plain=text), headers=more)


async def send_page(reply: PageReply, request: PageRequest, send: Send) -> None:
    """Send it, or that the browser has it."""
    zips = bool(reply.content.zipped) and _takes_gzip(request)
    headers = _headers(reply, zips=zips)
    if reply.content.tag and _tag(reply.content, zips=zips) in _known_tags(request):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    body = reply.content.zipped if zips else reply.content.plain
    headers += [(b"content-type", reply.content.kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = b"" if request.method == "HEAD" else body
    while len(body) > _PART_BYTES:
        await send({"type": "http.response.body", "body": body[:_PART_BYTES], "more_body": True})
        body = body[_PART_BYTES:]
    await send({"type": "http.response.body", "body": body})


def _headers(reply: PageReply, *, zips: bool) -> list[tuple[bytes, bytes]]:
    """Those that also stand where the body is left out."""
    headers = [*SECURITY, (b"cache-control", reply.kept), (b"vary", b"Accept-Encoding, Cookie"), *reply.headers]
    if reply.content.tag:
        headers.append((b"etag", _tag(reply.content, zips=zips).encode()))
    if zips:
        headers.append((b"content-encoding", b"gzip"))
    return headers


def _tag(content: PageContent, *, zips: bool) -> str:
    return f'"{content.tag}{"-z" if zips else ""}"'


def _takes_gzip(request: PageRequest) -> bool:
    """RFC 9110, §12.5.3, as browsers write it."""
    taken = [one.strip().partition(";") for one in request.headers.get("accept-encoding", "").split(",")]
    return any(name.strip() == "gzip" and weight.replace(" ", "") not in ("q=0", "q=0.0") for name, _, weight in taken)


def _known_tags(request: PageRequest) -> list[str]:
    return [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
