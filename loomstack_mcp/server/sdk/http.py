"""Streamable HTTP on loopback: one server for many sessions, behind a bearer token."""

import ipaddress
import json
import os
import re
import secrets
import socket
import stat
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse

from loomstack_mcp import __version__
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.server.sdk.transport import Beside

_TOKEN_BYTES = 32
_TOKEN = re.compile(rb"[\x21-\x7e]+")
_GOODBYE_S = 1
_BACKLOG = 512

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


def listening(host: str, port: int) -> socket.socket:
    """A socket on a loopback address; port 0 takes a free one.

    Raises Invalid for any other address: one token means one person, and whoever can reach a public
    address would be that person.
    """
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise Invalid(f"--host {host} is no loopback address; this version serves one person, on 127.0.0.1 or ::1")
    # Named as TCP: asyncio turns Nagle's algorithm off only for sockets that say so, and answers came 40 ms late.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Invalid(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    return listener


def token_in(path: Path) -> str:
    """The token of this file, which only its owner may read; made when there is none. Raises Invalid."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.lexists(path):
            return _kept_token(path)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token := secrets.token_urlsafe(_TOKEN_BYTES))
        return token
    except OSError as error:
        raise Invalid(f"{path} can neither be read nor made ({error.strerror}); see to its folder") from None


def _kept_token(path: Path) -> str:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise Invalid(f"{path} is no file; move it away, and a new one is made")
    if about.st_mode & 0o077 or about.st_uid != os.getuid():
        raise Invalid(f"{path} can be read by others; remove it, and a new one is made")
    token = path.read_bytes().strip()
    if not _TOKEN.fullmatch(token):
        raise Invalid(f"{path} holds no token; remove it, and a new one is made")
    return token.decode("ascii")


async def serve_http(server: MCPServer[Any], listener: socket.socket, *, token: str, beside: Beside) -> None:
    """Serve `/mcp` and `/health` until SIGINT or SIGTERM; `beside` runs as long as the server does."""
    server.custom_route("/health", methods=["GET"])(_health)
    host = listener.getsockname()[0]
    app = server.streamable_http_app(stateless_http=True, transport_security=_known_as(host))
    config = uvicorn.Config(
        _Bearer(app, token), log_level="warning", access_log=False, http="h11", timeout_graceful_shutdown=_GOODBYE_S
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beside)
        await uvicorn.Server(config).serve(sockets=[listener])
        tasks.cancel_scope.cancel()


def _known_as(host: str) -> TransportSecuritySettings:
    """The names by which this machine calls itself; a page of another site comes under its own (DNS rebinding)."""
    names = sorted({"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host})
    return TransportSecuritySettings(
        allowed_hosts=[f"{name}:*" for name in names], allowed_origins=[f"http://{name}:*" for name in names]
    )


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"name": "loomstack", "status": "ok", "version": __version__})


class _Bearer:
    """Lets in who has the token (RFC 6750, §2.1), and anybody to `/health`.

    The SDK's own check advertises an OAuth server, which would send clients looking for one.
    """

    def __init__(self, app: _App, token: str) -> None:
        self._app = app
        self._wanted = token.encode("ascii")

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health" or self._has_token(scope):
            await self._app(scope, receive, send)
            return
        body = json.dumps({"error": "unauthorized: send the bearer token of the server's token file"}).encode()
        headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _has_token(self, scope: _Scope) -> bool:
        sent = [value.partition(b" ") for name, value in scope["headers"] if name == b"authorization"]
        # The name of the scheme has no case (RFC 9110, §11.1).
        return len(sent) == 1 and sent[0][0].lower() == b"bearer" and secrets.compare_digest(sent[0][2], self._wanted)
