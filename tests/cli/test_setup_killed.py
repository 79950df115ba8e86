"""`init` and `uninstall`, killed for real between two changes of the disk: the next `uninstall` leaves nothing."""

import signal
import sys
from pathlib import Path

import pytest

from tests.cli.test_definitions import MINE, below, put
from tests.cli.test_init import write_foreign
from tests.cli.test_uninstall import LOCAL, done, exclude_of
from tests.conftest import Run, environment
from tests.processes import run

KILLED = """
import os, signal, sys
event, left, *arguments = sys.argv[1:]
def watched(name, values):
    global left
    if name == event and "shop" in str(values[0]):
        left = int(left) - 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watched)
sys.argv = ["loomstack-mcp", *arguments]
from loomstack_mcp.start import main
main()
"""


@pytest.mark.parametrize(
    ("command", "event", "count"),
    [
        ("init", "os.rename", 2),
        ("uninstall", "os.remove", 9),
        ("uninstall", "os.rename", 4),
        ("uninstall", "os.rmdir", 1),
    ],
)
def test_a_kill_at_any_point_is_undone_by_the_next_uninstall(
    shop: Path, tmp_path: Path, loomstack: Run, command: str, event: str, count: int
) -> None:
    write_foreign(shop)
    put(shop, ".claude/agents/mine.md", MINE)
    put(shop, LOCAL, '{"model": "opus"}')
    before, excluded = below(shop), exclude_of(shop).read_text()
    if command == "uninstall":
        done(loomstack, "init")
    killed = run(
        [sys.executable, "-c", KILLED, event, str(count), command, "--yes"], cwd=shop, env=environment(tmp_path)
    )
    between = below(shop)
    shown = done(loomstack, "uninstall")

    assert killed.returncode == -signal.SIGKILL
    assert between != before
    assert "nothing to change" not in shown
    assert below(shop) == before
    assert exclude_of(shop).read_text() == excluded
    assert list(shop.rglob("*.loomstack-new")) == []
