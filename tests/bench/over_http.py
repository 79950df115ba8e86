"""HTTP beside a no-op of the same SDK in the same mode, and many clients at once."""

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.measure import Figure, medians, ratio
from tests.conftest import environment
from tests.wire import MODERN

NOOP = [sys.executable, str(Path(__file__).with_name("noop_server.py")), "--http"]
OURS = [sys.executable, "-m", "loomstack_mcp", "serve", "--http", "--port", "0"]
_CLIENTS = 50
_CALLS_EACH = 20
_META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


class Listening(NamedTuple):
    """A server of this machine."""

    port: int
    pid: int


class Connection:
    """One client's connection, kept open."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                         "Authorization": f"Bearer {token}", "MCP-Protocol-Version": MODERN,
                         "Mcp-Method": "tools/call"}  # fmt: skip

    def call(self, tool: str, arguments: dict[str, Any], *, thread: str = "t") -> dict[str, Any]:
        meta = {**_META, "threadId": thread, "sessionId": thread}
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        self._connection.request("POST", "/mcp", body, {**self._headers, "Mcp-Name": tool})
        text = self._connection.getresponse().read().decode()
        [line] = [line for line in text.splitlines() if line.startswith("data: {")] or [text]
        result: dict[str, Any] = json.loads(line.removeprefix("data: "))["result"]
        assert not result.get("isError"), result
        return result


def figures(home: Path, calls: int) -> Iterator[Figure]:
    """claim_paths beside the no-op, one client; then fifty clients."""
    with ExitStack() as ending:
        ports = {name: started(command, home, ending).port for name, command in (("no-op", NOOP), ("ours", OURS))}
        token = (home / "loomstack" / "token").read_text()
        noop, ours = Connection(ports["no-op"], ""), Connection(ports["ours"], token)
        ours.call("start_run", {"loop": "bench", "goal": "measure", "repo": "acme/shop"})
        numbers = iter(range(1 << 30))
        cases: dict[str, Callable[[], object]] = {
            "no-op": lambda: noop.call("noop", {"text": "x"}),
            "ours": lambda: ours.call("claim_paths", {"paths": [f"a{next(numbers)}/f.py"], "intent": "measure"}),
        }
        found = medians(cases, calls=calls)
        yield Figure("no-op tool over HTTP", f"{found['no-op']:.2f} ms")
        yield ratio("claim_paths over HTTP", found["ours"], found["no-op"], most=3)
        yield _many(ports["ours"], token)


def _many(port: int, token: str) -> Figure:
    def work(number: int) -> None:
        connection, thread = Connection(port, token), f"t-{number}"
        connection.call("start_run", {"loop": "bench", "goal": "measure", "repo": "acme/shop"}, thread=thread)
        for call in range(_CALLS_EACH):
            arguments = {"paths": [f"c{number}/{call}.py"], "intent": "measure"}
            assert connection.call("claim_paths", arguments, thread=thread)["structuredContent"]["granted"]

    before = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as clients:
        list(clients.map(work, range(_CLIENTS)))
    rate = _CLIENTS * (_CALLS_EACH + 1) / (time.monotonic() - before)
    return Figure(f"{_CLIENTS} clients over HTTP", f"{rate:.0f} calls/s, no error")


def started(command: list[str], home: Path, ending: ExitStack, **env: str) -> Listening:
    """A server that runs until the end."""
    process = subprocess.Popen(command, cwd=home, env=environment(home, **env), stderr=subprocess.PIPE, text=True)
    ending.callback(process.wait)
    ending.callback(process.terminate)
    assert process.stderr
    [port] = re.findall(r"127\.0\.0\.1:(\d+)", process.stderr.readline())
    return Listening(int(port), process.pid)
