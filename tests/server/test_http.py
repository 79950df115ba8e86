"""HTTP as clients really use it: both eras, the token, and who may not come in."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import environment
from tests.deadlines import seconds
from tests.processes import MODULE, run, start
from tests.wire import MODERN

_META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
COMMAND = [*MODULE, "serve", "--http", "--port", "0"]


class HttpServer:
    """A server process, and requests to it over connections of their own."""

    def __init__(self, home: Path, cwd: Path, host: str = "127.0.0.1") -> None:
        self._host = host
        command = [*COMMAND, "--host", host]
        self.process = start(command, cwd=cwd, env=environment(home), stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        line = self.process.stderr.readline()
        [self.port] = [int(port) for port in re.findall(r":(\d+)/mcp", line)]
        self.token = (home / "loomstack" / "token").read_text()

    def send(self, body: object, *, method: str = "POST", path: str = "/mcp", **headers: str) -> tuple[int, Any]:
        """Status and body; of an event stream, the message in it."""
        connection = self._sent(body, method=method, path=path, **headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
        text = lines[-1] if lines else text
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    def call(self, tool: str, *, modern: bool = True, meta: dict[str, str] | None = None, **arguments: Any) -> Any:
        body, headers = _call(tool, arguments, modern=modern, meta=meta or {})
        status, answer = self.send(body, **headers)
        assert status == 200, answer
        return answer["result"]

    def asked(self, tool: str, *, modern: bool = True, **arguments: Any) -> http.client.HTTPConnection:
        """A connection on which a call was sent, and that nobody reads."""
        body, headers = _call(tool, arguments, modern=modern, meta={})
        return self._sent(body, **headers)

    def _sent(
        self, body: object, *, method: str = "POST", path: str = "/mcp", **headers: str
    ) -> http.client.HTTPConnection:
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                "Authorization": f"Bearer {self.token}", **headers}  # fmt: skip
        connection = http.client.HTTPConnection(self._host, self.port, timeout=seconds(20))
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        return connection


def _call(
    tool: str, arguments: dict[str, Any], *, modern: bool, meta: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    params = {"name": tool, "arguments": arguments, "_meta": {**(_META if modern else {}), **meta}}
    headers = {"Mcp-Method": "tools/call", "Mcp-Name": tool} if modern else {}
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return request, {"MCP-Protocol-Version": MODERN if modern else "2025-11-25", **headers}


@pytest.fixture
def server(tmp_path: Path, shop: Path) -> Iterator[HttpServer]:
    with running(tmp_path, shop) as started:
        yield started


@contextlib.contextmanager
def running(home: Path, cwd: Path, host: str = "127.0.0.1") -> Iterator[HttpServer]:
    started = HttpServer(home, cwd, host)
    yield started
    started.process.send_signal(signal.SIGTERM)
    started.process.wait(seconds(5))


@pytest.mark.parametrize("modern", [True, False])
def test_both_eras_are_served_without_sessions(server: HttpServer, modern: bool) -> None:
    started = server.call("start_run", modern=modern, loop="loop", goal="goal", repo="github.com/acme/shop")
    claimed = server.call("claim_paths", modern=modern, paths=["src"], intent="mine")

    assert started["structuredContent"]["run"].startswith("run_")
    assert claimed["structuredContent"]["granted"] is True


def test_old_clients_may_initialize(server: HttpServer) -> None:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    status, answer = server.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})

    assert status == 200
    assert answer["result"]["protocolVersion"] == "2025-06-18"


def test_without_a_worktree_a_repo_must_be_named(server: HttpServer) -> None:
    refused = server.call("start_run", loop="loop", goal="goal")

    assert refused["isError"]
    assert "over HTTP no worktree is seen; pass repo to start_run" in refused["content"][0]["text"]


def test_codex_threads_are_told_apart_and_the_rest_is_one_person(server: HttpServer) -> None:
    start_run = partial(server.call, "start_run", loop="loop", goal="goal", repo="acme/shop")
    for thread in ("t-1", "t-2"):
        start_run(meta={"threadId": thread, "sessionId": thread})
    server.call("claim_paths", meta={"threadId": "t-1", "sessionId": "t-1"}, paths=["src"], intent="x")
    refused = server.call("claim_paths", meta={"threadId": "t-2", "sessionId": "t-2"}, paths=["src"], intent="x")
    for _ in range(2):
        start_run()
    ambiguous = server.call("claim_paths", paths=["docs"], intent="x")

    assert refused["structuredContent"]["granted"] is False
    assert "several live runs could be yours" in ambiguous["content"][0]["text"]


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "Basic wrong"])
def test_nobody_comes_in_without_the_token(server: HttpServer, sent: str) -> None:
    status, answer = server.send({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Authorization=sent)

    assert status == 401
    assert "token" in answer["error"]


def test_the_scheme_of_the_token_has_no_case(server: HttpServer) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    assert server.send(ping, Authorization=f"bearer {server.token}")[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_other_hosts_and_origins_are_refused_on_every_loopback_address(tmp_path: Path, shop: Path, host: str) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    with running(tmp_path, shop, host) as server:
        statuses = [
            server.send(ping)[0],
            server.send(ping, Host="evil.example")[0],
            server.send(ping, Origin="https://evil.example")[0],
        ]

    assert statuses == [200, 421, 403]


def test_health_is_open_and_says_nothing_else(server: HttpServer) -> None:
    status, answer = server.send(None, method="GET", path="/health", Authorization="")

    assert status == 200
    assert answer.keys() == {"name", "status", "version"}


@pytest.mark.parametrize(
    "body", [{}, [], {"jsonrpc": "2.0", "id": 1}, "text", {"jsonrpc": "2.0", "id": 1, "method": "no"}]
)
def test_garbage_is_an_error_and_the_server_goes_on(server: HttpServer, body: object) -> None:
    status, _ = server.send(body)

    assert status in (200, 202, 400, 404)
    assert server.send(None, method="GET", path="/health")[0] == 200


def test_fifty_clients_at_once_are_all_served(server: HttpServer) -> None:
    def work(number: int) -> bool:
        meta = {"threadId": f"t-{number}", "sessionId": f"t-{number}"}
        server.call("start_run", meta=meta, loop="loop", goal="goal", repo="acme/shop")
        claims = [server.call("claim_paths", meta=meta, paths=[f"a{number}/{n}.py"], intent="x") for n in range(5)]
        return all(claim["structuredContent"]["granted"] for claim in claims)

    with ThreadPoolExecutor(50) as clients:
        assert all(clients.map(work, range(50)))


def test_the_token_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path, server: HttpServer, shop: Path) -> None:
    path = tmp_path / "loomstack" / "token"
    other = HttpServer(tmp_path, shop)
    other.process.kill()
    other.process.wait()
    mode = path.stat().st_mode & 0o777
    path.chmod(0o644)
    refused = run(COMMAND, cwd=shop, env=environment(tmp_path))

    assert other.token == server.token
    assert len(server.token) >= 40
    assert mode == 0o600
    assert refused.returncode == 1
    assert "can be read by others" in refused.stderr


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes("tökén".encode()), "holds no token"),
        (lambda path: path.write_bytes(b""), "holds no token"),
        (lambda path: path.symlink_to("nowhere"), "is no file"),
        (lambda path: path.mkdir(), "is no file"),
    ],
)
def test_a_token_file_that_cannot_be_one_is_said(
    tmp_path: Path, shop: Path, make: Callable[[Path], object], said: str
) -> None:
    (tmp_path / "loomstack").mkdir()
    before = os.umask(0o077)
    make(tmp_path / "loomstack" / "token")
    os.umask(before)
    done = run(COMMAND, cwd=shop, env=environment(tmp_path))

    assert (done.returncode, said in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com", ""])
def test_a_public_address_is_refused(tmp_path: Path, shop: Path, host: str) -> None:
    command = [*COMMAND, "--host", host]
    done = run(command, cwd=shop, env=environment(tmp_path))

    assert done.returncode == 1
    assert "no loopback address" in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path, shop: Path, server: HttpServer) -> None:
    command = [*COMMAND[:-1], str(server.port)]
    done = run(command, cwd=shop, env=environment(tmp_path))

    assert done.returncode == 1
    assert "choose another --port" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_ends_on_a_signal_although_somebody_listens(server: HttpServer, number: signal.Signals, status: int) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
               "params": {"notifications": {"resourceSubscriptions": ["loom://runs"]}, "_meta": _META}}  # fmt: skip
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "Authorization": f"Bearer {server.token}", "MCP-Protocol-Version": MODERN,
               "Mcp-Method": "subscriptions/listen"}  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=seconds(10))
    connection.request("POST", "/mcp", json.dumps(request), headers)
    stream = connection.getresponse()
    assert any(b"acknowledged" in stream.readline() for _ in range(5))
    os.kill(server.process.pid, number)

    assert server.process.wait(seconds(4)) == status
