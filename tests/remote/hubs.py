"""A hub in a thread: a real store behind a real socket, each call built and answered by annotations alone."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from loomstack_mcp import __version__
from loomstack_mcp.adapters.policy.cache import PolicyFile
from loomstack_mcp.adapters.policy.hub_layer import offered_layer
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.errors import LoomError, NotFound
from loomstack_mcp.core.permits import PERMITS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.wire import argument_kinds, built_value, told_json
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.store.sqlite.migrate import migrating_store

TOKEN = "loom_0a1b2c3d_" + "t" * 43
OTHER = "loom_99999999_" + "u" * 43


@dataclass
class Hub:
    """What a hub was sent, and what it answers instead of an answer of its own."""

    loom: Loom
    people: Mapping[str, str] = field(default_factory=lambda: {TOKEN: "ana", OTHER: "bea"})
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    told: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=list)
    """Answered first, each once."""
    connections: int = 0
    """That were opened so far."""
    drops: int = 0
    """So many connections are closed once a request was done, before it is answered."""
    done: dict[str, bytes] = field(default_factory=dict)
    rules: Sequence[PolicyFile] = ()
    """The organisation's."""
    url: str = ""
    stop: Callable[[], None] = field(default=lambda: None)
    """End it before its time."""

    def answer(self, path: str, body: bytes, token: str, request: str) -> tuple[int, bytes]:
        """Status and body."""
        if token not in self.people:
            return 401, _error("unauthorized", "no such token")
        if path == "/api/hello":
            who = {"version": __version__, "principal": self.people[token], "role": "developer", "repos": ["**"]}
            return 200, json.dumps({"answer": who}).encode()
        if path == "/api/policies":
            return 200, json.dumps({"answer": offered_layer(self.rules)}).encode()
        if request in self.done:
            return 200, self.done[request]
        service, method = path.removeprefix("/api/").split("/")
        try:
            told = self._called(service, method, json.loads(body), self.people[token])
        except LoomError as error:
            return 400, _error(error.code, str(error))
        if request and PERMITS[f"{service}.{method}"].how == "once":
            self.done[request] = told
        return 200, told

    def _called(self, service: str, method: str, arguments: dict[str, Any], principal: str) -> bytes:
        if f"{service}.{method}" not in PERMITS:
            raise NotFound(f"{service}.{method} is no call of this hub")
        own = getattr(self.loom, service)
        kinds = argument_kinds(getattr(type(own), method))
        built = {name: built_value(value, kinds[name]) for name, value in arguments.items()}
        built = {
            name: replace(value, principal=principal) if isinstance(value, Caller) else value
            for name, value in built.items()
        }
        return json.dumps({"answer": told_json(getattr(own, method)(**built))}).encode()


@contextmanager
def a_hub(folder: Path, *, port: int = 0) -> Iterator[Hub]:
    """A hub over a store in a folder."""
    with Loom(migrating_store(folder / "hub.db"), rework_max=3) as loom:
        hub = Hub(loom)
        with serving(hub, port=port):
            yield hub


@contextmanager
def serving(hub: Hub, *, port: int = 0) -> Iterator[None]:
    """The hub can be reached."""

    opened: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            opened.append(self.connection)
            hub.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            request = self.headers.get("LoomStack-Request", "")
            hub.sent.append((self.path, body))
            hub.tokens.append(token)
            hub.requests.append(request)
            if hub.told:
                status, headers, told = hub.told.pop(0)
            else:
                (status, told), headers = hub.answer(self.path, body, token, request), {}
            if hub.drops:
                hub.drops -= 1
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(told)

        do_GET = do_POST  # noqa: N815 as the library calls it

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        for each in opened:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    hub.stop = stop
    try:
        yield
    finally:
        stop()


def joined(home: Path, hub: Hub, *, token: str = TOKEN) -> Path:
    """A home whose person has joined the hub, as `init --hub` leaves it."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "hub-tokens.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps([{"origin": hub.url, "token": token}]))
    (home / "config.yaml").write_text(f"store: {hub.url}\n")
    return home


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@contextmanager
def answering(raw: bytes, *, after_s: float = 0) -> Iterator[str]:
    """Whatever answers this to each request, in its time."""

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = listener.accept()
                with opened:
                    opened.recv(65_536)
                    time.sleep(after_s)
                    opened.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def opened(home: Path) -> Loom:
    return open_loom(load_settings({}, environment={"LOOMSTACK_HOME": str(home)}))
