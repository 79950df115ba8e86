"""stdio as clients really use it: probes, garbage, and every way to end."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import COMMAND, environment
from tests.wire import MODERN, Server

_META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


def ended(server: Server) -> int:
    return server.process.wait(3)


def test_a_probe_does_not_settle_the_era(serve: Callable[..., Server]) -> None:
    server = serve(initialize=False)
    for _ in range(2):
        found = server.request("server/discover", {"_meta": _META})["result"]
        assert MODERN in found["supportedVersions"]
        assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "loomstack"

    assert server.initialize()["result"]["protocolVersion"] == "2025-11-25"
    assert server.answer("start_run", loop="loop", goal="goal")["run"]


def test_a_probe_may_be_followed_by_the_modern_era(serve: Callable[..., Server]) -> None:
    server = serve(initialize=False)
    server.modern_era = True

    assert server.request("server/discover")["result"]["instructions"]
    assert len(server.request("tools/list")["result"]["tools"]) == 8
    assert server.answer("start_run", loop="loop", goal="goal")["run"]


def test_an_unsupported_version_is_answered_with_those_that_are(serve: Callable[..., Server]) -> None:
    server = serve(initialize=False)
    meta = {**_META, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}

    assert MODERN in server.request("server/discover", {"_meta": meta})["error"]["data"]["supported"]
    assert "error" in server.request("server/discover", {})
    assert server.initialize()["result"]


@pytest.mark.parametrize("protocol", ["2024-11-05", "2025-06-18", "2025-11-25"])
def test_old_clients_are_served(serve: Callable[..., Server], protocol: str) -> None:
    server = serve(initialize=False)

    assert server.initialize(protocol)["result"]["protocolVersion"] == protocol
    assert server.answer("start_run", loop="loop", goal="goal")["run"]


@pytest.mark.parametrize(
    "garbage",
    [b"garbage\n", b"\xff\xfe\n", b"{}\n", b"[]\n", b"null\n", b"[[[" * 9999 + b"\n",
     b'{"jsonrpc":"2.0","id":{},"method":1}\n',
     b'{"jsonrpc":"2.0","id":7,"method":"nonsense/method"}\n', b'"' + b"x" * 3_000_000 + b'"\n', b"\n\n"],
    ids=range(10),
)  # fmt: skip
def test_garbage_is_survived(serve: Callable[..., Server], garbage: bytes) -> None:
    server = serve()
    server.send_raw(garbage)

    assert server.answer("start_run", loop="loop", goal="goal")["run"]
    assert "Traceback" not in server.stderr_text()


def test_half_a_surrogate_pair_is_replaced_not_dropped(serve: Callable[..., Server]) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    server.answer("share_context", kind="fact", text="half \ud83d of it, and whole \U0001f9f5")

    assert (
        server.answer("read_shared_context", query="half")["notes"][0]["text"] == "half ? of it, and whole \U0001f9f5"
    )


@pytest.mark.parametrize(
    "request_", [{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": []}, {"id": 7, "method": "ping"}]
)
def test_a_request_that_is_none_is_answered(serve: Callable[..., Server], request_: dict[str, object]) -> None:
    server = serve()
    server.send_raw(json.dumps(request_).encode() + b"\n")

    assert server.wait(7, timeout_s=5)["error"]["code"] == -32600


@pytest.mark.parametrize("end", ["eof", signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("waiting", [False, True])
def test_the_process_ends_within_a_second_and_shortens_its_lease(
    serve: Callable[..., Server], end: str | signal.Signals, waiting: bool
) -> None:
    holder, server = serve(), serve()
    for each in (holder, server):
        each.answer("start_run", loop="loop", goal="goal")
    holder.answer("claim_paths", paths=["src"], intent="mine")
    server.answer("claim_paths", paths=["docs"], intent="mine")
    if waiting:
        server.start_call("claim_paths", {"paths": ["src"], "intent": "next", "wait_seconds": 40})
        time.sleep(0.3)
    before = time.monotonic()
    if isinstance(end, signal.Signals):
        server.process.send_signal(end)
    else:
        server.close_stdin()

    assert ended(server) == 0
    assert time.monotonic() - before < 1
    refused = holder.answer("claim_paths", paths=["docs"], intent="mine too")
    assert 290 <= refused["blockers"][0]["expires_in_s"] <= 300


def test_a_one_shot_client_gets_its_answers(tmp_path: Path, shop: Path) -> None:
    initialize = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    lines = [
        {"id": 1, "method": "initialize", "params": initialize},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "start_run", "arguments": {"loop": "l", "goal": "g"}}},
    ]
    text = "".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines)
    done = subprocess.run(
        COMMAND, input=text, env=environment(tmp_path), cwd=shop, capture_output=True, text=True, timeout=20, check=True
    )

    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]


def test_a_client_that_is_gone_ends_the_process_quietly(tmp_path: Path, shop: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(COMMAND, env=environment(tmp_path), cwd=shop, **pipes) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdout.close()
        for id in (1, 2, 3):  # noqa: A001
            with contextlib.suppress(BrokenPipeError):
                server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": "ping"}).encode() + b"\n")
                server.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            server.stdin.close()

        assert server.wait(5) == 0
        assert b"Traceback" not in server.stderr.read()


def test_starting_leaves_no_trace(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve()
    server.request("tools/list")
    server.close_stdin()

    assert ended(server) == 0
    assert not (tmp_path / "loomstack").exists()
