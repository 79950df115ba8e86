"""The real clients, killed: what they held, and what is left of them."""

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.clients.drive_claude import ClaudeSession
from tests.clients.drive_codex import mcp_call, run_codex
from tests.clients.script import Script, call
from tests.clients.test_clients import PATH, Team, pytestmark, team, tool
from tests.deadlines import seconds, wait_until

__all__ = ["pytestmark", "team"]


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


@pytest.fixture
def holding(team: Team) -> Iterator[ClaudeSession]:
    turns = [tool("start_run", loop="refactor", goal="x"), tool("claim_paths", paths=["src"], intent="mine"), "holding"]
    with ClaudeSession(Script(turns), cwd=team.shop, **team.session) as session:
        session.send("go")
        assert session.wait_result()
        yield session


def test_a_killed_client_leaves_no_process_and_a_lease_of_five_minutes(team: Team, holding: ClaudeSession) -> None:
    servers = children(holding.process.pid)
    os.kill(holding.process.pid, signal.SIGKILL)
    wait_until(lambda: not [pid for pid in servers if Path(f"/proc/{pid}").exists()], 5)
    env = {**team.env, "PATH": PATH, "HOME": str(team.home)}
    command = ["loomstack-mcp", "claims", "--json"]
    claims = subprocess.run(command, cwd=team.shop, env=env, capture_output=True, text=True, check=True)

    assert servers
    assert not [pid for pid in servers if Path(f"/proc/{pid}").exists()]
    assert 200 < json.loads(claims.stdout)[0]["expires_in_s"] <= 300


@pytest.mark.also("tests/services/test_gone.py shows it without a client")
def test_a_killed_claude_session_has_a_minute_and_comes_back_to_what_it_held(team: Team) -> None:
    session_id = str(uuid.uuid4())

    def work() -> list[Any]:
        start = tool("start_run", loop="refactor", goal="net prices")
        return [start, tool("claim_paths", paths=["src"], intent="prices become net"), "done"]

    other = [tool("start_run", loop="triage", goal="green"), tool("claim_paths", paths=["src/a.py"], intent="fix")]
    with ClaudeSession(Script(work()), cwd=team.shop, args=["--session-id", session_id], **team.session) as first:
        first.send("go")
        assert first.wait_result()
        before = [result.json for result in first.run.results()]
        alive = team.claude([*other, "done"], cwd=team.tree).results()[1].json
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(seconds(5))
        gone = team.claude([*other, "done"], cwd=team.tree).results()[1].json
    again = team.claude(work(), args=["--resume", session_id])
    resumed, claimed = [result.json for result in again.results()[-2:]]

    assert alive["blockers"][0]["expires_in_s"] > 300
    assert 0 < gone["blockers"][0]["expires_in_s"] <= 60
    assert (resumed["run"], resumed["resumed"]) == (before[0]["run"], True)
    assert "still hold src/" in resumed["next"]
    assert (claimed["claim"], claimed["fence"]) == (before[1]["claim"], before[1]["fence"])


def processes(home: Path, *words: str) -> list[int]:
    """The processes started with this home folder, whose command line has these words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:  # ended meanwhile
            continue
        if f"HOME={home}".encode() in environ.split(b"\0") and all(word.encode() in command for word in words):
            found.append(int(folder.name))
    return found


def test_a_killed_codex_leaves_no_server_behind(team: Team) -> None:
    turns = [mcp_call("loomstack", "start_run", {"loop": "x", "goal": "x"}), call("exec_command", {"cmd": "sleep 20"})]
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(
            run_codex, Script([*turns, "done"]), cwd=team.shop, home=team.home, env=team.env, trust=True, path=PATH
        )
        wait_until(lambda: processes(team.home, "sleep", "20"), 30)
        servers = processes(team.home, "loomstack-mcp")
        for pid in processes(team.home, "exec", "--json"):
            os.kill(pid, signal.SIGKILL)
        running.result(seconds(30))

    assert servers
    wait_until(lambda: not processes(team.home, "loomstack-mcp"), 5)
