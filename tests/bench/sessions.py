"""Claims per second of many sessions at once, each with a server of its own, over one store, as fast as they can."""

import contextlib
import json
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.measure import Figure
from tests.conftest import COMMAND, SDK_COMMAND, environment

_CLIENTS = 32
_SECONDS = 5
_SHARE_LEAST = 0.6
_INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def figures(home: Path, shop: Path) -> Iterator[Figure]:
    """What is granted in all, and the slowest session's part of its fair share."""
    for name, command, least in (("serve", COMMAND, _SHARE_LEAST), ("serve --sdk", SDK_COMMAND, None)):
        rate, share, slowest_ms = _claimed(command, home / name.replace(" ", ""), shop)
        value = f"{rate:.0f} claims/s, slowest {share:.0%} of its fair share, longest wait {slowest_ms:.0f} ms"
        bound = f"≥ {least:.0%}" if least else ""
        yield Figure(f"{name}, {_CLIENTS} sessions on one file", value, bound, share >= least if least else None)


class _Session:
    """A client that asks for the next claim once it was granted one."""

    def __init__(self, command: Sequence[str], home: Path, shop: Path, name: str) -> None:
        self._name = name
        self.process = subprocess.Popen(
            list(command), cwd=shop, env=environment(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout
        self.answers = self.process.stdout
        self.granted = 0
        self._asked_at = 0.0
        self._ask("initialize", _INITIALIZE)
        self.answers.readline()
        self._call("start_run", {"loop": name, "goal": "measure"})
        self.answers.readline()

    def claim(self) -> None:
        """Ask for a file of its own."""
        self._asked_at = time.monotonic()
        self._call("claim_paths", {"paths": [f"{self._name}/f{self.granted}.py"], "intent": "measure"})

    def heard(self) -> float:
        """Take the grant; returns how long it took, in seconds."""
        assert json.loads(self.answers.readline())["result"]["structuredContent"]["granted"]
        self.granted += 1
        return time.monotonic() - self._asked_at

    def _call(self, tool: str, arguments: dict[str, Any]) -> None:
        self._ask("tools/call", {"name": tool, "arguments": arguments})

    def _ask(self, method: str, params: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()


def _claimed(command: Sequence[str], home: Path, shop: Path) -> tuple[float, float, float]:
    with contextlib.ExitStack() as opened:
        sessions = {}
        for number in range(_CLIENTS):
            session = _Session(command, home, shop, f"session-{number}")
            opened.callback(session.process.wait)
            opened.callback(session.process.kill)
            sessions[session.answers.fileno()] = session
        poll = select.epoll()
        for descriptor, session in sessions.items():
            poll.register(descriptor, select.EPOLLIN)
            session.claim()
        until, slowest_s = time.monotonic() + _SECONDS, 0.0
        while time.monotonic() < until:
            for descriptor, _ in poll.poll(_SECONDS):
                slowest_s = max(slowest_s, sessions[descriptor].heard())
                sessions[descriptor].claim()
    granted = [session.granted for session in sessions.values()]
    return sum(granted) / _SECONDS, min(granted) * _CLIENTS / sum(granted), slowest_s * 1000
