"""What nobody foresaw ends one request, not the session."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND, environment
from tests.deadlines import seconds, wait_until
from tests.server.front.sides import META
from tests.wire import Server

_BREAKS = """\
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise ZeroDivisionError("half an upgrade")

sys.meta_path.insert(0, Finder())
"""
_READ = ("resources/read", {"uri": "loom://runs"})
_CALL = ("tools/call", {"name": "start_run", "arguments": {"loop": "loop", "goal": "goal"}})
_PROMPT = ("prompts/get", {"name": "loop"})
_LISTEN = ("subscriptions/listen", {"notifications": {}, "_meta": META})


@pytest.fixture
def without(serve: Callable[..., Server], tmp_path: Path) -> Callable[..., Server]:
    """Start a server that cannot import one of its modules."""

    def start(module: str, **options: Any) -> Server:
        (tmp_path / "breaks").mkdir()
        (tmp_path / "breaks" / "sitecustomize.py").write_text(_BREAKS.format(module=f"loomstack_mcp.{module}"))
        return serve(fresh=True, PYTHONPATH=str(tmp_path / "breaks"), **options)

    return start


@pytest.mark.parametrize(
    ("module", "method", "params"),
    [
        ("server.front.worker", *_CALL), ("server.front.worker", *_READ), ("server.resources", *_READ),
        ("server.prompts", *_PROMPT), ("server.front.worker", *_LISTEN),
    ],
)  # fmt: skip
def test_a_module_that_cannot_be_imported_fails_one_request(
    without: Callable[..., Server], module: str, method: str, params: dict[str, Any]
) -> None:
    server = without(module, initialize=method != "subscriptions/listen")

    assert server.request(method, params)["error"]["code"] == -32603
    wait_until(lambda: "half an upgrade" in server.stderr_text())
    assert "id" in server.request("tools/list", {"_meta": META} if "_meta" in params else {})
    server.close_stdin()
    assert server.process.wait(seconds(5)) == 0


def test_a_call_that_fails_inside_is_answered_where_nobody_reads_the_log(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_BREAKS.format(module="loomstack_mcp.services.claims"))
    call = {"name": "release_paths", "arguments": {}, "_meta": META}
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
    read, log = os.pipe()
    os.close(read)
    env = environment(tmp_path, PYTHONPATH=str(tmp_path))
    done = subprocess.run(
        COMMAND,
        input=line.encode(),
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=shop,
        env=env,
        timeout=seconds(9),
        check=True,
    )
    os.close(log)

    assert "internal: the call failed" in json.loads(done.stdout)["result"]["content"][0]["text"]


def test_a_pipe_that_a_client_left_non_blocking_loses_nothing(tmp_path: Path, shop: Path) -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    lists = [
        {"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": {"_meta": META}} for number in range(99)
    ]
    with (
        ours,
        subprocess.Popen(
            COMMAND, stdin=theirs.fileno(), stdout=theirs.fileno(), cwd=shop, env=environment(tmp_path)
        ) as server,
    ):
        theirs.close()
        pipe = ours.makefile("rwb")
        for message in lists:  # each of whose answers is more than fits into the pipe
            pipe.write(json.dumps(message).encode() + b"\n")
        pipe.flush()
        ours.shutdown(socket.SHUT_WR)

        assert [json.loads(line)["id"] for line in pipe] == list(range(99))
        assert server.wait(seconds(5)) == 0
