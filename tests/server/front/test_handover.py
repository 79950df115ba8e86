"""What the front does not know, the SDK's server answers, in the same session: nothing is lost, nothing runs twice."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import seconds, wait_until
from tests.server.test_waiting import WAIT, queue, refused_by
from tests.wire import Server

__all__ = ["queue"]

_UNKNOWN = "tests/unknown"
"""No method of any server."""
_ARGUMENT = {"name": "goal", "value": "a"}
_ANOTHER = {"name": "another", "version": "1"}


def handed_over(server: Server) -> bool:
    """Whether the SDK's server answers by now: it alone loads these."""
    return "_asyncio" in Path(f"/proc/{server.process.pid}/maps").read_text(encoding="utf-8")


def runs_of(server: Server) -> list[dict[str, Any]]:
    content = server.request("resources/read", {"uri": "loom://runs"})["result"]["contents"]
    found: list[dict[str, Any]] = json.loads(content[0]["text"])
    return found


@pytest.mark.parametrize("modern", [False, True])
def test_a_session_goes_on_with_its_run_and_nothing_runs_twice(serve: Callable[..., Server], modern: bool) -> None:
    server = serve(initialize=not modern, fresh=True)
    server.modern_era = modern
    run = server.answer("start_run", loop="loop", goal="goal")["run"]
    fence = server.answer("claim_paths", paths=["src"], intent="mine")["fence"]
    assert not handed_over(server)

    assert server.request(_UNKNOWN)["error"] == {"code": -32601, "message": "Method not found", "data": _UNKNOWN}
    assert handed_over(server)
    assert server.answer("claim_paths", paths=["src"], intent="mine")["fence"] == fence
    assert [one["run"] for one in runs_of(server)] == [run]
    assert server.request("tools/list")["result"]["tools"]
    assert server.answer("release_paths")["released"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("logging/setLevel", {"level": "info"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "loop"}, "argument": _ARGUMENT}),
        ("tools/list", {"cursor": "c"}),
        ("tools/call", {"name": "no_such_tool", "arguments": {}}),
        ("tools/call", {"name": "start_run", "arguments": {"loop": "l", "goal": "g"}, "task": {"ttl": 1}}),
        ("resources/read", {"uri": "loom://none"}),
        ("resources/subscribe", {"uri": "loom://runs"}),
        ("prompts/get", {"name": "none"}),
        ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": _ANOTHER}),
    ],
)  # fmt: skip
def test_whatever_is_not_known_is_answered(serve: Callable[..., Server], method: str, params: dict[str, Any]) -> None:
    server = serve()
    answer = server.request(method, params)

    assert ("result" in answer) != ("error" in answer)
    assert server.answer("start_run", loop="loop", goal="goal")["run"]


def test_a_revision_that_is_not_known_is_answered_with_the_newest_that_is(serve: Callable[..., Server]) -> None:
    server = serve(initialize=False)

    assert server.initialize("2099-01-01")["result"]["protocolVersion"] == "2025-11-25"
    assert server.answer("start_run", loop="loop", goal="goal")["run"]


def test_a_wait_from_before_ends_with_its_grant(queue: list[Server]) -> None:
    holder, waiter, newcomer = queue
    waiting = waiter.start_call("claim_paths", WAIT)
    wait_until(lambda: refused_by(newcomer) == ["holder", "waiter"])
    assert "error" in waiter.request(_UNKNOWN)
    holder.answer("release_paths")

    assert waiter.wait(waiting)["result"]["structuredContent"]["granted"] is True


@pytest.mark.parametrize("while_loading", [True, False])
def test_a_wait_from_before_can_still_be_cancelled(
    serve: Callable[..., Server], queue: list[Server], while_loading: bool
) -> None:
    waiter, newcomer = serve(fresh=True), queue[2]
    waiter.answer("start_run", loop="late", goal="goal")
    waiting = waiter.start_call("claim_paths", WAIT)
    wait_until(lambda: refused_by(newcomer) == ["holder", "late"])
    asked = waiter.start(_UNKNOWN)
    if not while_loading:
        waiter.wait(asked)
    waiter.notify("notifications/cancelled", {"requestId": waiting})
    wait_until(lambda: refused_by(newcomer) == ["holder"], 2)

    assert waiter.answer("claim_paths", paths=["docs"], intent="other")["granted"] is True


@pytest.mark.parametrize("loaded", [False, True])
def test_all_is_answered_at_the_end_of_the_pipe(queue: list[Server], loaded: bool) -> None:
    _, waiter, newcomer = queue
    waiting = waiter.start_call("claim_paths", WAIT)
    wait_until(lambda: refused_by(newcomer) == ["holder", "waiter"])
    asked = waiter.start(_UNKNOWN)
    if loaded:
        waiter.wait(asked)
    after = waiter.start("tools/list")
    waiter.close_stdin()

    assert waiter.wait(waiting)["result"]["structuredContent"]["granted"] is False
    if not loaded:
        assert waiter.wait(asked)["error"]["code"] == -32601
    assert waiter.wait(after)["result"]["tools"]
    assert waiter.process.wait(seconds(5)) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_loads(serve: Callable[..., Server], number: signal.Signals) -> None:
    server = serve(fresh=True)
    server.answer("start_run", loop="loop", goal="goal")
    server.start(_UNKNOWN)
    time.sleep(0.1)
    server.process.send_signal(number)

    assert server.process.wait(seconds(2)) == 0


def test_without_the_sdk_that_request_is_refused_and_the_session_goes_on(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "none" / "mcp").mkdir(parents=True)
    (tmp_path / "none" / "mcp" / "__init__.py").write_text("raise ImportError('this installation is broken')\n")
    server = serve(fresh=True, PYTHONPATH=str(tmp_path / "none"))
    run = server.answer("start_run", loop="loop", goal="goal")["run"]

    for _ in range(2):
        error = server.request(_UNKNOWN)["error"]
        assert error["code"] == -32603
        assert "could not be loaded" in error["message"]
        assert server.answer("claim_paths", paths=["src"], intent="mine")["granted"] is True
    assert [one["run"] for one in runs_of(server)] == [run]
    assert server.whole_stderr().count("Traceback") == 1
    assert server.process.returncode == 0


def test_a_listener_from_before_is_told_until_it_cancels(serve: Callable[..., Server]) -> None:
    server, other = serve(initialize=False), serve()
    server.modern_era = True
    listening = server.start("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["loom://runs"]}})
    assert server.notification()["method"] == "notifications/subscriptions/acknowledged"
    assert server.notification()["params"]["uri"] == "loom://runs"
    assert "error" in server.request(_UNKNOWN)
    other.answer("start_run", loop="loop", goal="goal")

    assert server.notification()["params"]["uri"] == "loom://runs"
    server.notify("notifications/cancelled", {"requestId": listening})
    assert server.request("tools/list")["result"]["tools"]
    server.close_stdin()
    assert server.process.wait(seconds(5)) == 0


def test_settings_that_do_not_load_keep_no_session_from_the_sdk(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack" / "config.yaml").write_text("window_days: [\n")
    server = serve(initialize=False)

    assert server.initialize("2099-01-01")["result"]["protocolVersion"] == "2025-11-25"
    assert "config.yaml" in server.error("start_run", loop="loop", goal="goal")
