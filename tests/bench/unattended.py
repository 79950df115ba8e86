"""Whether loops that nobody watches start with us: the first request of real `claude -p` on a busy machine.

The project's `.mcp.json` names the server and says no more: for that one, Claude Code does not wait.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.measure import Figure, at_least
from tests.clients.drive_claude import CLAUDE, run_claude
from tests.clients.script import Script
from tests.conftest import COMMAND, SDK_COMMAND, environment
from tests.processes import SCRIPT

SESSIONS, BUSY = 20, 4
_LOOP = [sys.executable, "-c", "while True: pass"]
_PREFIX = "mcp__loomstack__"
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def figures(home: Path, shop: Path) -> Iterator[Figure]:
    """How many of the sessions have our tools in the first request that the model gets."""
    if not CLAUDE:
        yield Figure("tools in the first request", "not measured: Claude Code is not installed")
        return
    with _busy():
        first = _sessions_with_us(home / "front", shop, COMMAND)
        reference = _sessions_with_us(home / "reference", shop, SDK_COMMAND)
    yield at_least("serve, our tools in the first request", first, f"of {SESSIONS}", least=SESSIONS)
    yield Figure("serve --sdk, our tools in the first request", f"{reference} of {SESSIONS}")


def _sessions_with_us(home: Path, shop: Path, command: Sequence[str]) -> int:
    project = Path(shutil.copytree(shop, home / "shop"))
    subprocess.run([SCRIPT, "init", "--yes"], cwd=project, env=environment(home), capture_output=True, check=True)
    named = project / ".mcp.json"
    entry = {"type": "stdio", "command": command[0], "args": list(command[1:])}
    named.write_text(json.dumps({"mcpServers": {"loomstack": entry}}))
    return sum(_with_us(home, project) for _ in range(SESSIONS))


def _with_us(home: Path, project: Path) -> bool:
    env = {"LOOMSTACK_HOME": str(home / "loomstack"), "CLAUDE_CODE_MCP_STARTUP_WAIT_MS": ""}  # as for everybody
    run = run_claude(
        Script(["done"]), cwd=project, home=tempfile.mkdtemp(dir=home), env=env, strict=False, allow=[], path=_PATH
    )
    return _PREFIX in str([tool.get("name") for tool in run.lane()[0]["body"].get("tools", ())])


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    loops = [subprocess.Popen(_LOOP) for _ in range(BUSY)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
