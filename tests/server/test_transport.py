"""stdio as clients really use it: probes, garbage, and every way to end."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.limits import EOF_ANSWER_SECONDS_MAX
from tests.conftest import COMMAND, environment
from tests.deadlines import seconds, wait_until
from tests.processes import run, start
from tests.wire import MODERN, Server

_META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


def ended(server: Server, *, quiet_s: float = 3) -> int:
    return server.process.wait(seconds(quiet_s))


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
    assert len(server.request("tools/list")["result"]["tools"]) == 10
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
     b'{"jsonrpc":"2.0","id":7,"method":"nonsense/method"}\n', b'"' + b"x" * 3_000_000 + b'"\n', b"\n\n",
     b'{"jsonrpc":"2.0","id":true,"method":"ping","params":[]}\n',
     b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping","params":[]}\n',
     b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":' + b"[" * 980 + b"]" * 980 + b"}}\n"],
    ids=range(13),
)  # fmt: skip
def test_garbage_is_survived(serve: Callable[..., Server], garbage: bytes) -> None:
    server = serve()
    server.send_raw(garbage)

    assert server.answer("start_run", loop="loop", goal="goal")["run"]
    assert "Traceback" not in server.whole_stderr()


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

    assert server.wait(7)["error"]["code"] == -32600


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
        wait_until(lambda: "claim.refused" in kinds(holder))
    if isinstance(end, signal.Signals):
        server.process.send_signal(end)
    else:
        server.close_stdin()

    assert ended(server, quiet_s=1) == 0
    refused = holder.answer("claim_paths", paths=["docs"], intent="mine too")
    assert 290 <= refused["blockers"][0]["expires_in_s"] <= 300


def kinds(server: Server) -> list[str]:
    [content] = server.request("resources/read", {"uri": "loom://activity"})["result"]["contents"]
    return [event["kind"] for event in json.loads(content["text"])]


CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
HELLO = ({"id": 1, "method": "initialize", "params": CLIENT}, {"method": "notifications/initialized"})
START = {"name": "start_run", "arguments": {"loop": "l", "goal": "g"}}


def one_shot(home: Path, shop: Path, *asked: dict[str, Any], end: str = "\n") -> list[dict[str, Any]]:
    """What a server answers whose client writes everything at once and closes the pipe."""
    text = "\n".join(json.dumps({"jsonrpc": "2.0", **line}) for line in asked) + end
    done = run(COMMAND, given=text, env=environment(home), cwd=shop, check=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("end", ["\n", ""], ids=["line feed", "no line feed"])
def test_a_one_shot_client_gets_its_answers(tmp_path: Path, shop: Path, end: str) -> None:
    answers = one_shot(tmp_path, shop, *HELLO, {"id": 2, "method": "tools/call", "params": START}, end=end)

    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["run"]


def test_whatever_a_one_shot_client_asked_is_answered_once(tmp_path: Path, shop: Path) -> None:
    calls = [f"call {number}" for number in range(12)]
    answers = one_shot(
        tmp_path, shop, *HELLO,
        *({"id": call, "method": "tools/call", "params": START} for call in calls),
        {"id": 20, "method": "resources/read", "params": {"uri": "loom://runs"}},
        {"id": 21, "method": "prompts/list"},
        {"id": 22, "method": "tools/call", "params": {"name": "check_conflicts", "arguments": {}}},
        {"id": 23, "method": "no/such"},
    )  # fmt: skip
    by_id = {answer["id"]: answer for answer in answers}

    assert sorted(map(str, by_id)) == sorted(["1", *calls, "20", "21", "22", "23"])
    assert len(answers) == len(by_id)
    assert [asked for asked, answer in by_id.items() if "error" in answer] == [23]


def test_a_one_shot_client_of_the_modern_era_gets_its_answers(tmp_path: Path, shop: Path) -> None:
    listening = {"notifications": {"resourceSubscriptions": ["loom://runs"]}}
    answers = one_shot(
        tmp_path, shop,
        {"id": 1, "method": "server/discover", "params": {"_meta": _META}},
        {"id": 2, "method": "subscriptions/listen", "params": {**listening, "_meta": _META}},
        {"id": 3, "method": "tools/call", "params": {**START, "_meta": _META}},
    )  # fmt: skip

    assert {1, 3} <= {answer["id"] for answer in answers if "result" in answer}


def test_an_answer_that_takes_its_time_is_waited_for(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    other = sqlite3.connect(tmp_path / "loomstack" / "loom.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    claiming = server.start_call("claim_paths", {"paths": ["src"], "intent": "x"})
    server.close_stdin()

    assert "store_unavailable" in server.wait(claiming)["result"]["content"][0]["text"]
    assert ended(server) == 0


def test_a_wait_ends_with_its_client_and_is_answered(serve: Callable[..., Server]) -> None:
    holder, server = serve(), serve()
    for each in (holder, server):
        each.answer("start_run", loop="loop", goal="goal")
    holder.answer("claim_paths", paths=["src"], intent="mine")
    waiting = server.start_call("claim_paths", {"paths": ["src"], "intent": "next", "wait_seconds": 45})
    server.close_stdin()

    assert server.wait(waiting)["result"]["structuredContent"]["granted"] is False
    assert ended(server) == 0


@pytest.fixture
def stuck(tmp_path: Path, serve: Callable[..., Server]) -> Iterator[Server]:
    """A server whose client closed the pipe while a call waits for a git that does not come back."""
    asked, never, script = tmp_path / "asked", tmp_path / "never", tmp_path / "bin" / "git"
    os.mkfifo(never)
    script.parent.mkdir()
    stops = f'case "$*" in *write-tree*) echo > {asked}; exec cat {never};; esac'
    script.write_text(f'#!/bin/sh\n{stops}\nexec {shutil.which("git")} "$@"\n')
    script.chmod(0o755)
    server = serve(PATH=os.pathsep.join([str(script.parent), os.environ["PATH"]]))
    server.answer("start_run", loop="loop", goal="goal")
    server.start_call("check_conflicts", {})
    wait_until(asked.exists)
    server.close_stdin()
    yield server
    os.close(os.open(never, os.O_WRONLY | os.O_NONBLOCK))  # the git left behind reads to its end


def test_a_call_that_does_not_come_back_holds_the_process_up_for_ten_seconds(stuck: Server) -> None:
    assert stuck.process.wait(EOF_ANSWER_SECONDS_MAX + seconds(3)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_although_a_call_runs(stuck: Server, number: signal.Signals) -> None:
    stuck.process.send_signal(number)

    assert ended(stuck, quiet_s=1) == 0


def test_a_client_that_is_gone_ends_the_process_quietly(tmp_path: Path, shop: Path) -> None:
    pipe = subprocess.PIPE
    with start(COMMAND, env=environment(tmp_path), cwd=shop, stdin=pipe, stdout=pipe, stderr=pipe) as server:
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

        assert server.wait(seconds(5)) == 0
        assert b"Traceback" not in server.stderr.read()


def test_starting_leaves_no_trace(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(fresh=True)
    server.request("tools/list")
    server.close_stdin()

    assert ended(server) == 0
    assert not (tmp_path / "loomstack").exists()
