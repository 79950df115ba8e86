"""The receiver as a process: what it acknowledged is in the store once, and no body breaks it or fills its memory."""

import gzip
import http.client
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.hub_joining import join_hub
from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import open_loom
from loomstack_mcp.server.hub.peers import is_own_peer
from tests.clients.telemetry import recorded
from tests.conftest import environment
from tests.deadlines import seconds, wait_until
from tests.factories import SHOP
from tests.hubs import running_hub
from tests.processes import SCRIPT, start
from tests.services.support import started

JSON = "application/json"


class Receiver:
    """One that listens, and what it is sent."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self._process = start(
            [SCRIPT, "telemetry", "receive", "--port", "0"], cwd=home, env=environment(home, **env),
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr
        self.said = self._process.stderr.readline()
        self.port = int(self.said.split("127.0.0.1:")[1].split(";")[0])

    def post(self, body: bytes, path: str = "/v1/logs", **headers: str) -> tuple[int, Any]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds(20))
        given = {"content-type": JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        line.request("POST", path, body, given)
        answer = line.getresponse()
        told = json.loads(answer.read() or b"{}")
        line.close()
        return answer.status, told

    def peak_mb(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds(20))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    (tmp_path / "loomstack").mkdir(mode=0o700)
    one = Receiver(tmp_path)
    yield one
    one.end()


def of_now(client: str) -> list[bytes]:
    """What a client told, as if it had been a moment ago."""
    bodies = []
    for export in recorded()[client]:
        for scope in (scope for each in export["resourceLogs"] for scope in each["scopeLogs"]):
            for at, one in enumerate(scope["logRecords"]):
                one["timeUnixNano"] = str(time.time_ns() + at)
        bodies.append(json.dumps(export).encode())
    return bodies


def session_of(bodies: list[bytes]) -> str:
    text = bodies[0].decode()
    name = "session.id" if "claude_code." in text else "conversation.id"
    kind = "claude" if "claude_code." in text else "codex"
    return f"{kind}:{text.split(name, 1)[1].split(chr(34))[6]}"


def test_a_session_s_telemetry_gives_its_run_tokens_and_cost_once(receiver: Receiver) -> None:
    claude, codex = of_now("Claude Code"), of_now("Codex")
    with open_loom(receiver.home / "loomstack" / "loom.db") as loom:
        callers = [Caller(principal=principal(), session=session_of(one)) for one in (claude, codex)]
        runs = [started(loom, caller, SHOP) for caller in callers]
        answers = [receiver.post(body) for body in (*claude, *codex, *claude)]  # the last is an exporter's second try
        answers.append(receiver.post(gzip.compress(codex[0]), content_encoding="gzip"))
        answers += [receiver.post(b"\x00 nobody reads it", path) for path in ("/v1/metrics", "/v1/traces")]
        of_claude, of_codex = loom.usage.of_runs([run.id for run in runs])

    assert answers == [(200, {})] * len(answers)
    assert [sum(one.requests for one in each.models) for each in (of_claude, of_codex)] == [6, 5]
    assert 0.3 < (of_claude.cost_usd or 0) < 0.4
    assert (of_codex.cost_usd, of_codex.tokens > 40_000) == (None, True)
    assert (of_claude.permissions[0].source, of_claude.permissions[0].accepted) == ("config", 4)


def test_what_is_no_telemetry_is_told_so_and_costs_no_memory(receiver: Receiver) -> None:
    bomb = gzip.compress(b"[" + b"0," * 40_000_000 + b"0]", 1)
    before = receiver.peak_mb()
    answers = {
        "cut off": receiver.post(of_now("Claude Code")[0][:-100])[0],
        "deep": receiver.post(b'{"resourceLogs":' + b"[" * 200_000 + b"]" * 200_000 + b"}")[0],
        "crowded": receiver.post(b'{"resourceLogs":[' + b"{}," * 700_000 + b"{}]}")[0],
        "a number": receiver.post(b"7")[0],
        "NaN": receiver.post(b'{"resourceLogs":NaN}')[0],
        "bomb": receiver.post(bomb, content_encoding="gzip")[0],
        "no gzip": receiver.post(b"{}", content_encoding="gzip")[0],
        "brotli": receiver.post(b"{}", content_encoding="br")[0],
        "huge": receiver.post(b"{" + b" " * 9_000_000 + b"}")[0],
        "protobuf": receiver.post(b"{}", content_type="application/x-protobuf")[0],
        "a page": receiver.post(b"{}", origin="https://evil.example")[0],
        "another name": receiver.post(b"{}", host="evil.example:4318")[0],
        "elsewhere": receiver.post(b"{}", "/v1/profiles")[0],
    }

    assert answers == {
        "cut off": 400, "deep": 400, "crowded": 413, "a number": 400, "NaN": 400, "bomb": 413, "no gzip": 400,
        "brotli": 415, "huge": 413, "protobuf": 415, "a page": 403, "another name": 403, "elsewhere": 404,
    }  # fmt: skip
    assert receiver.post(b"{}")[0] == 200
    assert receiver.peak_mb() - before < 150
    assert receiver.end() == -signal.SIGTERM


def test_a_store_that_does_not_answer_has_it_sent_again(receiver: Receiver) -> None:
    (receiver.home / "loomstack" / "loom.db").write_bytes(b"no database, and long enough to be none" * 100)
    status, told = receiver.post(of_now("Claude Code")[0])

    assert (status, "send it again" in told["message"]) == (503, True)


def test_what_it_takes_in_is_a_hub_s_where_that_is_the_store(tmp_path: Path) -> None:
    for folder in ("hub", "loomstack"):
        (tmp_path / folder).mkdir(mode=0o700)
    bodies = of_now("Claude Code")
    with running_hub(tmp_path / "hub") as hub:
        token = (tmp_path / "hub" / "loomstack" / "token").read_text().strip()
        join_hub(str(tmp_path / "loomstack"), f"http://127.0.0.1:{hub.port}", token=token)
        receiver = Receiver(tmp_path)
        with open_loom(load_settings({}, environment={"LOOMSTACK_HOME": str(tmp_path / "loomstack")})) as loom:
            run = started(loom, Caller(principal=principal(), session=session_of(bodies)), SHOP)
            answers = [receiver.post(body) for body in bodies]
            [found] = loom.usage.of_runs([run.id])
        hub.stop()
        away = receiver.post(of_now("Claude Code")[0])[0]
        receiver.end()

    assert (answers, away) == ([(200, {})] * len(bodies), 503)
    assert 0.3 < (found.cost_usd or 0) < 0.4


def test_only_this_account_s_connections_are_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as line:
        assert is_own_peer(*line.getsockname())
    assert not is_own_peer("127.0.0.1", 1)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system tells no account of a connection")
def test_whoever_leaves_before_the_answer_is_not_taken_for_root() -> None:
    table = Path("/proc/net/tcp")
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = socket.create_connection(server.getsockname())
        where = line.getsockname()
        arrived, _ = server.accept()
        line.close()

        wait_until(lambda: f":{where[1]:04X} 0100007F:{arrived.getsockname()[1]:04X} 05 " in table.read_text())
        assert not is_own_peer(*where)
        arrived.close()


def test_idle_connections_keep_no_client_out(receiver: Receiver) -> None:
    lines = [socket.create_connection(("127.0.0.1", receiver.port)) for _ in range(230)]

    status, _ = receiver.post(b"{}")

    assert status == 200
    for line in lines:
        line.close()


def test_a_model_that_cannot_be_printed_loses_nothing_beside_it(receiver: Receiver) -> None:
    [body, *_] = of_now("Claude Code")
    odd = [body.replace(b"claude-opus-4-8", name) for name in (b"\\ud800", b"\\u0000", b"\\u202e")]

    assert body not in odd
    assert [receiver.post(one) for one in odd] == [(200, {})] * 3
