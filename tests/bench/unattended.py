"""Whether loops that nobody watches start with us: the first request of real `claude -p` on a busy machine."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.measure import Figure, at_least
from tests.clients.drive_claude import CLAUDE, run_claude
from tests.clients.script import Script
from tests.conftest import COMMAND, SDK_COMMAND, environment

SESSIONS, BUSY = 20, 4
_LOOP = [sys.executable, "-c", "while True: pass"]
_PREFIX = "mcp__loomstack__"


def figures(home: Path, shop: Path) -> Iterator[Figure]:
    """How many of the sessions have our tools in the first request that the model gets."""
    if not CLAUDE:
        yield Figure("tools in the first request", "not measured: Claude Code is not installed")
        return
    with _busy():
        first = _sessions_with_us(home, shop, COMMAND)
        reference = _sessions_with_us(home, shop, SDK_COMMAND)
    yield at_least("serve in the first request", first, f"of {SESSIONS}", least=SESSIONS)
    yield Figure("serve --sdk in the first request", f"{reference} of {SESSIONS}")


def _sessions_with_us(home: Path, shop: Path, command: Sequence[str]) -> int:
    server = {"command": command[0], "args": list(command[1:]), "env": environment(home), "type": "stdio"}
    runs = (
        run_claude(Script(["done"]), cwd=shop, home=tempfile.mkdtemp(dir=home), mcp={"loomstack": server})
        for _ in range(SESSIONS)
    )
    return sum(_PREFIX in str([tool.get("name") for tool in run.lane()[0]["body"].get("tools", ())]) for run in runs)


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    loops = [subprocess.Popen(_LOOP) for _ in range(BUSY)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
