"""Who comes in: with a token, under the hub's own name, by a path that is one; and nobody else."""

import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.deadlines import seconds, wait_until
from tests.hubs import Hub, made_token, running_hub
from tests.processes import MODULE, run

_HEAD = "GET /api/hello HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hub")
    made_token(home, "root", "admin")
    return home


@pytest.fixture(scope="module")
def hub(home: Path) -> Iterator[Hub]:
    with_cores = ["sh", "-c", 'ulimit -S -c unlimited; exec "$@"', "sh", *MODULE]
    with running_hub(home, program=with_cores) as started:
        yield started


@pytest.fixture(scope="module")
def token(home: Path) -> str:
    return made_token(home, "ana")


@pytest.mark.parametrize("path", ["/api/hello", "/api/repos/ids", "/mcp"])
@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer loom_12345678_" + "x" * 43, "Basic x", "Bearer " + "y" * 9_000, "Bearer a b"]
)
def test_nobody_comes_in_without_a_token(hub: Hub, path: str, sent: str | None) -> None:
    answer = hub.send(path, None if path.endswith("hello") else {}, Authorization=sent)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["connection"] == "close"


def test_two_tokens_are_none(hub: Hub, token: str) -> None:
    said = f"{_HEAD}Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n"

    assert hub.raw(said.encode()).startswith(b"HTTP/1.1 401")


def test_a_revoked_token_opens_nothing_at_once(home: Path, hub: Hub) -> None:
    from loomstack_mcp.loom import open_loom
    from tests.hubs import ADMIN

    token = made_token(home, "bea")
    before = hub.send("/api/hello", token=token).status
    with open_loom(home / "loomstack" / "loom.db") as loom:
        loom.tokens.revoke(ADMIN, token[:13])

    assert (before, hub.send("/api/hello", token=token).status) == (200, 401)


@pytest.mark.parametrize(
    "path",
    [
        "/api", "/api/", "/API/hello", "/api/../mcp", "/api/%2e%2e/mcp", "/api/claims%2Fheld", "//api/hello",
        "/api//hello", "/api/hello/", "/mcp/", "/.well-known/oauth-protected-resource", "http://localhost/api/hello",
        "/health/../api/hello", "*",
    ],
)  # fmt: skip
def test_no_other_path_leads_anywhere(hub: Hub, token: str, path: str) -> None:
    assert hub.send(path, token=token).status == 404


def test_a_token_in_an_address_is_refused_and_told_to_no_log(home: Path, token: str) -> None:
    with running_hub(home) as hub:
        statuses = [
            hub.send(f"{path}?token={token}", token=token).status for path in ("/mcp", "/api/hello", "/api/repos/ids")
        ]
        as_user = hub.send(f"http://x:{token}@localhost/api/hello", Host="localhost:1").status
        garbage = hub.raw(f"GET /{token} HTTP/9\r\n\r\n".encode())
        in_head = [hub.send("/api/hello", token=sent).status for sent in (token, f"{token[:14]}{token[:13:-1]}")]
        in_head += [hub.send(path, b"{", method="POST", token=token).status for path in ("/api/repos/ids", "/mcp")]
        said = hub.stop()

    assert [*statuses, as_user] == [400, 400, 400, 404]
    assert in_head == [200, 401, 400, 400]
    assert token[:13:-1] not in said
    assert garbage.startswith(b"HTTP/1.1 400")
    assert token[14:] not in said + garbage.decode()


def test_who_says_at_once_that_nothing_more_comes_has_an_answer(hub: Hub) -> None:
    """As `nc -N` does, and probes."""
    with socket.create_connection(("127.0.0.1", hub.port), timeout=seconds(10)) as connection:
        assert hub.send("/health").status == 200  # the connection that came before is there, too
        hub.process.send_signal(signal.SIGSTOP)
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost:1\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        hub.process.send_signal(signal.SIGCONT)
        told = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert told.startswith(b"HTTP/1.1 200")
    assert b'"status":' in told


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("TRACE", "/api/hello", "GET"),
        ("TRACE", "/mcp", "GET, POST, DELETE"),
        ("OPTIONS", "/mcp", "GET, POST, DELETE"),
        ("OPTIONS", "/api/repos/ids", "POST"),
        ("HEAD", "/api/hello", "GET"),
        ("GET", "/api/repos/ids", "POST"),
        ("PUT", "/api/repos/ids", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("CONNECT", "/ready", "GET, HEAD"),
    ],
)
def test_other_methods_hear_which_there_are(hub: Hub, token: str, method: str, path: str, allowed: str) -> None:
    answer = hub.send(path, method=method, token=token)

    assert (answer.status, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
        ("Content-Length: +5\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
    ],
)
def test_a_body_has_one_length(hub: Hub, token: str, head: str, body: str) -> None:
    start = f"POST /api/repos/ids HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer {token}\r\n"
    hidden = f"GET /api/hello HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer {token}\r\n\r\n"
    said = hub.raw((start + head + "\r\n" + body + hidden).encode())

    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))
    assert said.count(b"HTTP/1.1") == 1


def test_a_page_of_another_site_asks_nothing(hub: Hub, token: str) -> None:
    hosts = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "[::2]:80"]
    origins = ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://[", "//localhost"]
    by_host = {host: hub.send("/api/hello", token=token, Host=host).status for host in hosts}
    by_origin = {origin: hub.send("/api/hello", token=token, Origin=origin).status for origin in origins}
    own = hub.send("/api/hello", token=token, Host="localhost:9", Origin="http://localhost:9").status

    assert set(by_host.values()) == {421}
    assert set(by_origin.values()) == {403}
    assert own == 200


def test_what_nobody_was_asked_to_forward_is_not_believed(hub: Hub, token: str) -> None:
    forged = hub.send("/api/hello", token=token, Host="evil.example", X_Forwarded_Host="localhost")
    forged_too = hub.send("/api/hello", token=token, Host="evil.example", Forwarded="host=localhost;proto=https")
    ignored = hub.send("/api/hello", token=token, X_Forwarded_Host="evil.example", X_Forwarded_Proto="gopher")

    assert [forged.status, forged_too.status, ignored.status] == [421, 421, 200]


def test_health_and_ready_are_open_and_say_nothing_else(hub: Hub) -> None:
    wait_until(lambda: hub.send("/ready").status == 200)  # a busy machine's store may take longer than it has
    health, ready = (hub.send(path, Host="10.0.0.7:80") for path in ("/health", "/ready"))
    head = hub.send("/ready", method="HEAD")

    assert (health.status, health.body["status"]) == (200, "ok")
    assert (ready.status, ready.body["status"]) == (200, "ok")
    assert health.body.keys() == ready.body.keys() == {"name", "status", "version"}
    assert (head.status, head.text) == (200, "")


def test_without_its_store_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        before = hub.send("/ready").status
        for file in (tmp_path / "loomstack").glob("loom.db*"):
            file.unlink()
        (tmp_path / "loomstack" / "loom.db").write_text("no database")
        after, alive = hub.send("/ready"), hub.send("/health").status
        (tmp_path / "loomstack" / "loom-private.db").write_text("no database")
        refused = hub.send("/api/hello", token="loom_12345678_" + "x" * 43)

    assert (refused.status, refused.code, str(tmp_path) in refused.text) == (503, "store_unavailable", False)
    assert (before, after.status, after.body["status"], alive) == (200, 503, "store unavailable", 200)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells it")
def test_a_token_is_in_no_core_dump(hub: Hub) -> None:
    limits = Path(f"/proc/{hub.process.pid}/limits").read_text()

    assert re.search(r"Max core file size +0 ", limits)


def test_the_log_is_not_flooded(home: Path) -> None:
    with running_hub(home) as hub:
        began = time.monotonic()
        for _ in range(60):
            hub.raw(b"no http\r\n\r\n")
        took_s = time.monotonic() - began
        said = hub.stop()

    assert 1 <= said.count("Invalid HTTP request") <= 2 + took_s


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "--tls-cert FILE with --tls-key FILE, or --behind-proxy"),
        (["--host", "::"], "--public-url https://NAME"),
        (["--host", "loom.example"], "no loopback address"),
        (["--behind-proxy", "10.0.0.1"], "--public-url"),
        (["--public-url", "https://loom.example"], "--behind-proxy ADDRESS"),
        (["--behind-proxy", "nginx", "--public-url", "https://loom.example"], "name addresses or networks"),
        (["--tls-cert", "cert.pem"], "belong together"),
        (["--tls-cert", "none.pem", "--tls-key", "none.pem"], "make no certificate"),
        (["--behind-proxy", "10.0.0.1", "--public-url", "http://loom.example"], "in the clear"),
        (["--behind-proxy", "10.0.0.1", "--public-url", "https://loom.example/x"], "without a path"),
        (["--behind-proxy", "10.0.0.1", "--public-url", "https://a:b@loom.example"], "without a path"),
    ],
)
def test_a_hub_that_others_can_reach_has_all_it_needs_or_does_not_start(
    home: Path, options: list[str], said: str
) -> None:
    done = run([*MODULE, "serve", "--http", "--port", "0", *options], cwd=home, env=environment(home))

    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_is_no_store_of_a_hub(home: Path) -> None:
    env = environment(home, LOOMSTACK_STORE="https://loom.example")
    done = run([*MODULE, "serve", "--http", "--port", "0"], cwd=home, env=env)

    assert done.returncode == 1
    assert "https://loom.example" in done.stderr


def test_a_tools_call_is_no_place_for_so_much(hub: Hub, token: str) -> None:
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Bearer {token}\r\nContent-Length: 4000001\r\n\r\n"
    )

    assert hub.raw(head.encode()).startswith(b"HTTP/1.1 413")


def test_it_says_where_it_is_and_how_others_come_in(home: Path) -> None:
    options = ["--behind-proxy", "10.0.0.5", "--public-url", "https://loom.example"]
    with running_hub(home) as own, running_hub(home, *options) as team:
        told = [hub.said + hub.stop() for hub in (own, team)]

    assert f"bearer token is in {home / 'loomstack' / 'token'}" in told[0]
    assert told[1].startswith("LoomStack serves https://loom.example: MCP at /mcp")
    assert "token create --for NAME --role developer" in told[1]
    assert "init --hub https://loom.example" in told[1]


def test_it_is_not_opened_before_a_token_was_made(tmp_path: Path) -> None:
    options = ["--behind-proxy", "127.0.0.1", "--public-url", "https://loom.example"]
    done = run([*MODULE, "serve", "--http", "--port", "0", *options], cwd=tmp_path, env=environment(tmp_path))

    assert done.returncode == 1
    assert "token create --for NAME --role admin" in done.stderr
