"""`top`, `loops`, `decisions`, `conflicts list`: what goes on and what went on, for people and for scripts."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from tests.clients.screens.tty import Tty
from tests.conftest import Run, environment
from tests.processes import SCRIPT
from tests.services.support import claimed, recorded, started

ANA, BEA = Caller(principal="ana", session="s-ana"), Caller(principal="bea", session="s-bea")
HOSTILE = "[bold red]<script>\x1b]0;owned\x07\x1b[2J \u202egnp " + "x" * 300
REASON = {"rule": "night", "effect": "deny", "why": "nobody is awake"}


@pytest.fixture
def there(shop: Path, tmp_path: Path) -> Here:
    """The shop, where Bea waits for what Ana holds."""
    flags = {"home": str(tmp_path / "loomstack"), "store": None, "repo": None}
    found = Here(shop, flags, elsewhere="")
    with open_loom(found.settings) as loom:
        checkout = found.checkout()
        started(loom, BEA, checkout, loop="tidy", goal="tidied")
        recorded(loom, BEA, status="done")
        started(loom, ANA, checkout, loop="billing", goal=HOSTILE)
        claimed(loom, ANA, "src/**")
        started(loom, BEA, checkout, loop="triage", goal="green again")
        claimed(loom, BEA, "src/a.py", wait_s=45)
    return found


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_goes_on_is_told_once_as_a_table_and_as_json(loomstack: Run, there: Here) -> None:
    shown = loomstack("top").stdout
    live = json_of(loomstack("top", "--json"))
    loops = {one["loop"]: one for one in json_of(loomstack("loops", "--json"))}
    table = loomstack("loops").stdout

    assert [line.split()[0] for line in shown.splitlines()] == ["STATE", "waiting", "running", "done"]
    assert "src/a.py of run_" in shown
    assert not set("\x1b\x07\u202e") & set(shown)
    assert [(lane["loop"], lane["who"]) for lane in live["lanes"]] == [
        ("triage", "bea"),
        ("billing", "ana"),
        ("tidy", "bea"),
    ]
    assert live["lanes"][0]["runs"][0]["waits_for"][0]["loop"] == "billing"
    assert (loops["tidy"]["success_percent"], loops["tidy"]["spark"][-1], loops["billing"]["live"]) == (100, 1, 1)
    assert "100 %" in table
    assert loomstack("decisions").stderr.strip() == "nothing was decided here yet"
    assert json_of(loomstack("conflicts", "list", "--json")) == []
    assert "is unknown here" in loomstack("decisions", "--before", "dec_00000000").stderr


def test_the_screen_keeps_up_and_ends_when_the_person_has_seen_enough(there: Here, tmp_path: Path) -> None:
    env = {**environment(tmp_path), "TERM": "xterm-256color"}
    line = f"{SCRIPT} top; echo left with $?; sleep 60"
    with Tty(["/bin/bash", "-c", line], cwd=there.root, env=env, rows=14, columns=100) as tty:
        tty.wait("1 running  1 waiting  1 ended")
        before = tty.screen.text
        with open_loom(there.settings) as loom:
            recorded(loom, BEA, status="abandoned")
        tty.wait("1 running  2 ended")
        after = tty.screen.text
        tty.press("\x03")
        tty.wait("left with 0")

    assert "owned" in before  # the words of a goal, and none of what they would do to a terminal
    assert max(map(len, before.splitlines())) <= 100
    assert "abandoned" in after
