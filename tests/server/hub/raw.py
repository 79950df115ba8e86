"""What tests send to a hub byte by byte, in this process or another, and read from it."""

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.api import Api
from loomstack_mcp.server.hub.door import Door
from loomstack_mcp.server.hub.hosts import Hosts
from loomstack_mcp.server.hub.keys import Keys
from loomstack_mcp.server.hub.open_questions import OpenQuestions
from loomstack_mcp.server.hub.standing import Standing
from loomstack_mcp.server.waits import Waits
from tests.deadlines import seconds
from tests.hubs import ADMIN

VERSION = "LoomStack-Version: 0.1.0\r\n"
Served = Callable[..., contextlib.AbstractContextManager[int]]


def door(loom: Loom, api: Api | None = None) -> Door:
    async def mcp(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()

    hosts = Hosts(address="127.0.0.1")
    questions = OpenQuestions(Waits(loom.events.cursor))
    keys, standing = Keys(tokens=loom.tokens), Standing(lambda: None)
    return Door(mcp, api or Api(loom), keys=keys, hosts=hosts, standing=standing, questions=questions)


def head(token: str, more: str = "", *, path: str = "/api/repos/ids") -> bytes:
    said = f"POST {path} HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer {token}\r\n{VERSION}{more}\r\n"
    return said.encode()


def token_of(loom: Loom, owner: str = "ana") -> str:
    return loom.tokens.create(ADMIN, owner=owner, role="developer").text


def connected(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=seconds(10))
    connection.sendall(sent)
    return connection


def read(connection: socket.socket, *, until: bytes = b"") -> bytes:
    """All that comes until the end, or until this has come."""
    found = b""
    while not (until and until in found):
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:
            part = b""
        if not part:
            break
        found += part
    return found
