"""Real hubs: processes over one store, tokens of people, and requests to them over connections of their own."""

import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loomstack_mcp import __version__
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.permits import HubRole
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.core.wire import told_json
from loomstack_mcp.loom import open_loom
from tests.conftest import environment
from tests.deadlines import seconds
from tests.processes import MODULE, start

ADMIN = Principal(name="root", role="admin")


def made_token(
    home: Path, owner: str, role: HubRole = "developer", repos: tuple[str, ...] = (), *, store: str = ""
) -> str:
    """The text of a token, made where the hub's store is."""
    with open_loom(Settings(store=store or str(home / "loomstack" / "loom.db"))) as loom:
        return loom.tokens.create(ADMIN, owner=owner, role=role, repos=repos).text


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str
    body: Any = field(init=False)

    def __post_init__(self) -> None:
        is_json = self.headers.get("content-type") == "application/json" and bool(self.text)
        self.body = json.loads(self.text) if is_json else self.text

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


class Hub:
    """A hub's process; `secured` is what a client knows of its certificate."""

    def __init__(
        self, home: Path, *options: str, host: str = "127.0.0.1", secured: ssl.SSLContext | None = None,
        program: Sequence[str] = MODULE, **env: str,
    ) -> None:  # fmt: skip
        self.home, self._host, self._secured = home, host, secured
        command = [*program, "serve", "--http", "--host", host, "--port", "0", *options]
        self.process = start(
            command,
            cwd=home,
            env=environment(home, **env),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stderr
        self.said = self.process.stderr.readline()
        found = re.search(r"listens on \S*:(\d+)", self.said) or re.search(r":(\d+)/mcp", self.said)
        assert found, self.said + self.process.stderr.read()
        self.port = int(found[1])
        self._rest = list[str]()
        # What it says is read as it is said, so that it never waits for a reader.
        self._reader = threading.Thread(target=self._rest.extend, args=(self.process.stderr,), daemon=True)
        self._reader.start()

    def connection(self) -> http.client.HTTPConnection:
        if self._secured:
            return http.client.HTTPSConnection(self._host, self.port, timeout=seconds(10), context=self._secured)
        return http.client.HTTPConnection(self._host, self.port, timeout=seconds(10))

    def send(
        self, path: str, body: object = None, *, method: str = "", token: str = "", **headers: str | None
    ) -> Answer:
        """One request over a connection of its own. A header that is None is left out."""
        with contextlib.closing(self.connection()) as connection:
            return self.sent_over(connection, path, body, method=method, token=token, **headers)

    def sent_over(
        self, connection: http.client.HTTPConnection, path: str, body: object = None, *, method: str = "",
        token: str = "", **headers: str | None,
    ) -> Answer:  # fmt: skip
        usual = {"LoomStack-Version": __version__, "LoomStack-Request": str(uuid.uuid4())}
        usual |= {"Authorization": f"Bearer {token}"} if token else {}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in {**usual, **told}.items() if value is not None}
        text = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, text, given)
        found = connection.getresponse()
        told_headers = {name.lower(): value for name, value in found.getheaders()}
        return Answer(found.status, told_headers, found.read().decode())

    def ask(self, token: str, name: str, /, **arguments: Any) -> Answer:
        """One call of a service."""
        return self.send(f"/api/{name.replace('.', '/')}", told_json(arguments), token=token)

    def raw(self, sent: bytes, *, quiet_s: float = 5) -> bytes:
        """What comes back until the hub closes the connection."""
        with socket.create_connection((self._host, self.port), timeout=seconds(quiet_s)) as connection:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def stop(self) -> str:
        """What it wrote to its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds(10))
        self._reader.join()
        return "".join(self._rest)


def mcp_call(hub: Hub, token: str, tool: str, *, session: str, **arguments: Any) -> Any:
    """What a tool answers a thread of Codex."""
    meta = {"threadId": session, "sessionId": session}
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    told = {"Content_Type": "application/json", "Accept": "application/json, text/event-stream"}
    answer = hub.send("/mcp", body, token=token, MCP_Protocol_Version="2025-11-25", **told)
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    assert answer.status == 200, answer.text
    result = json.loads((lines or [answer.text])[-1])["result"]
    return result.get("structuredContent") or result


@contextlib.contextmanager
def running_hub(home: Path, *options: str, **more: Any) -> Iterator[Hub]:
    hub = Hub(home, *options, "--grace", "0", **more)
    try:
        yield hub
    finally:
        hub.stop()
