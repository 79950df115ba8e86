"""Waiting without polling: what a session of each real client waits for reaches it before it asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import on_terminal
from tests.clients.drive_claude import ClaudeSession
from tests.clients.drive_codex import mcp_call
from tests.clients.script import Json, Moment, Script
from tests.clients.test_clients import PATH, Team, pytestmark, team, tool

__all__ = ["pytestmark", "team"]

REFUSED = {"paths": ["src/a.py"], "intent": "fix it"}


@pytest.fixture
def held(team: Team) -> str:
    """A claim on src/, from a session that has ended."""
    start = tool("start_run", loop="refactor", goal="net prices")
    done = team.claude([start, tool("claim_paths", paths=["src"], intent="net"), "done"], cwd=team.tree)
    claim: str = done.results()[1].json["claim"]
    return claim


def person_releases(team: Team, claim: str) -> str:
    """A person frees the claim at a terminal."""
    command = ["loomstack-mcp", "claims", "release", claim, "--why", "release day"]
    status, shown = on_terminal(command, cwd=team.shop, env={**team.env, "PATH": PATH, "HOME": str(team.home)})
    assert status == 0, shown
    return shown


def hooked(file: Path, client: str) -> None:
    """The project's hooks with one for prompts."""
    found: Json = json.loads(file.read_text())
    hook = {"type": "command", "command": f"loomstack-hook {client} UserPromptSubmit", "timeout": 10}
    found["hooks"]["UserPromptSubmit"] = [{"hooks": [hook]}]
    file.write_text(json.dumps(found))


def said_to(request: Json) -> str:
    return json.dumps(request["body"], ensure_ascii=False)


def test_an_idle_claude_session_is_told_that_its_path_is_free_and_goes_on_by_itself(team: Team, held: str) -> None:
    told: list[str] = []

    def goes_on(moment: Moment) -> Any:
        told.append(json.dumps(moment.request, ensure_ascii=False))
        return tool("claim_paths", **REFUSED)

    turns = [tool("start_run", loop="triage", goal="green"), tool("claim_paths", **REFUSED), "waiting", goes_on, "done"]
    with ClaudeSession(Script(turns), cwd=team.shop, **team.session) as session:
        session.send("go")
        assert session.wait_result()
        refused = session.run.results()[1].json
        shown = person_releases(team, held)
        assert session.wait_result()
        results = session.run.results()

    assert refused["granted"] is False
    assert "waits  run_" in shown
    assert "LoomStack tells, and asks for no answer:" in told[0]
    assert "src/a.py is free now: call claim_paths again" in told[0]
    assert results[-1].json["granted"] is True
    assert len(told) == 1


def test_a_codex_session_is_told_with_its_next_prompt(team: Team, held: str) -> None:
    hooked(team.shop / ".codex" / "hooks.json", "codex")
    start = mcp_call("loomstack", "start_run", {"loop": "triage", "goal": "green"})
    trusting = ["--dangerously-bypass-hook-trust"]
    first = team.codex([start, mcp_call("loomstack", "claim_paths", REFUSED), "waiting"], args=trusting)
    [thread] = [event["thread_id"] for event in first.events if event["type"] == "thread.started"]
    person_releases(team, held)
    next_turn = team.codex(["noted"], args=[*trusting, "resume", thread])
    [request] = next_turn.lane()

    assert '"granted":false' in first.results()[1].text
    assert "src/a.py is free now: call claim_paths again" in said_to(request)


@pytest.mark.also("Codex's is told so here")
def test_a_claude_session_that_nobody_could_reach_is_told_with_its_next_prompt(team: Team, held: str) -> None:
    hooked(team.shop / ".claude" / "settings.json", "claude")
    turns = [tool("start_run", loop="triage", goal="green"), tool("claim_paths", **REFUSED), "waiting", "noted"]
    with ClaudeSession(
        Script(turns), cwd=team.shop, **{**team.session, "env": {**team.env, "LOOMSTACK_PUSH": "off"}}
    ) as session:
        session.send("go")
        assert session.wait_result()
        person_releases(team, held)
        session.send("and now?")
        assert session.wait_result()
        last = session.run.lane()[-1]

    assert "src/a.py is free now: call claim_paths again" in said_to(last)
