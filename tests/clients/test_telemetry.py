"""The real clients, with what `init --user --telemetry` wrote: their cost arrives at the run that they had."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.core.usage import RunUsage
from loomstack_mcp.loom import open_loom
from tests.clients.drive_claude import load_tools
from tests.clients.drive_codex import mcp_call
from tests.clients.test_clients import PATH, Team, pytestmark, team, tool
from tests.deadlines import wait_until
from tests.server.telemetry.test_receiver import Receiver

__all__ = ["pytestmark", "team"]


@pytest.fixture
def receiver(team: Team) -> Iterator[Receiver]:
    """Both clients send to it."""
    one = Receiver(team.shop, LOOMSTACK_HOME=team.env["LOOMSTACK_HOME"])
    env = {**team.env, "PATH": PATH, "HOME": str(team.home)}
    command = ["loomstack-mcp", "init", "--user", "--telemetry", "--yes", "--agents", "none", "--skills", "none"]
    subprocess.run(command, cwd=team.shop, env=env, check=True, capture_output=True)
    for file in (".claude/settings.json", ".codex/config.toml"):
        path = team.home / file
        path.write_text(path.read_text().replace(":8422/", f":{one.port}/"))
    yield one
    one.end()


def usage(team: Team) -> RunUsage:
    with open_loom(Path(team.env["LOOMSTACK_HOME"]) / "loom.db") as loom:
        [repo_id] = loom.repos.ids()
        runs = [run for run in loom.runs.latest(repo_id, limit=9)[0] if run.loop == "triage"]
        return next(iter(loom.usage.of_runs([run.id for run in runs])), RunUsage(run_id=""))


def test_claude_code_s_run_has_its_cost(team: Team, receiver: Receiver) -> None:
    turns = [load_tools("mcp__loomstack__start_run"), tool("start_run", loop="triage", goal="g"), "done"]
    team.session["env"] = {**team.env, "DISABLE_TELEMETRY": ""}
    done = team.claude(turns)
    [result] = [event for event in done.events if event["type"] == "result"]
    wait_until(lambda: bool(usage(team).models), 10)
    found = usage(team)

    assert 0 < (found.cost_usd or 0) <= result["total_cost_usd"]
    assert found.models[0].output_tokens >= 10


def test_codex_s_run_has_its_tokens(team: Team, receiver: Receiver) -> None:
    path = team.home / ".codex" / "config.toml"
    otel = path.read_text().partition("\n[otel]\n")[2].partition("#")[0]
    turns = [mcp_call("loomstack", "start_run", {"loop": "triage", "goal": "g"}), "done"]
    done = team.codex(turns, config=f"[otel]\n{otel}", args=["--dangerously-bypass-hook-trust"])
    wait_until(lambda: bool(usage(team).models), 10)
    told = next(event["usage"] for event in done.events if event["type"] == "turn.completed")

    assert 0 < usage(team).models[0].input_tokens <= told["input_tokens"]
