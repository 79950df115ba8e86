"""Sessions of the real clients whose models are told nothing of us: each has a run, a word at its start and its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.briefing.opening import SEEN_BY_OTHERS
from loomstack_mcp.core.runs import Run
from loomstack_mcp.loom import open_loom
from tests.clients.drive_claude import ClaudeSession, load_tools
from tests.clients.drive_codex import AGENTS, apply_patch, run_codex, spawn_agent, wait_agent
from tests.clients.script import Lane, Moment, Script
from tests.clients.test_clients import PATH, Team, pytestmark, team, tool
from tests.clients.test_worktrees import EDITS, agent, lane, write
from tests.conftest import git

__all__ = ["pytestmark", "team"]
EVENTS = ("SessionStart", "SubagentStart", "SubagentStop", "Stop", "SessionEnd")


@pytest.fixture
def seen(team: Team) -> Team:
    """Both clients tell our hook of a session's steps."""
    for client, file in (("claude", ".claude/settings.json"), ("codex", ".codex/hooks.json")):
        path = team.shop / file
        found = json.loads(path.read_text())
        for event in EVENTS:
            command = {"type": "command", "command": f"loomstack-hook {client} {event}"}
            found["hooks"].setdefault(event, [{"hooks": [command]}])
        path.write_text(json.dumps(found))
    git(team.shop, "commit", "--quiet", "--all", "--allow-empty", "-m", "hooks")
    return team


def runs(team: Team) -> list[Run]:
    """All, oldest first."""
    with open_loom(Path(team.env["LOOMSTACK_HOME"]) / "loom.db") as loom:
        [repo_id] = loom.repos.ids()
        return list(reversed(loom.runs.latest(repo_id, limit=99)[0]))


def asked(done: Any, number: int, lane: str = "main") -> str:
    """All that the model was sent with a request."""
    return json.dumps(done.lane(lane)[number]["body"], ensure_ascii=False)


def test_claude_code_s_session_is_briefed_and_resumed_and_says_what_it_left(seen: Team) -> None:
    first = seen.claude([write(seen.shop / "new.py"), "done"], args=EDITS)
    [run] = runs(seen)
    session = run.session.partition(":")[2]
    again = seen.claude(["nothing new"], args=[*EDITS, "--resume", session])

    assert SEEN_BY_OTHERS in asked(first, 0)
    assert "- not committed: new.py" in first.stdout
    assert "not checked" not in first.stdout
    assert (run.origin, run.state, run.status) == ("session", "ended", "session ended")
    assert asked(again, -1).count(SEEN_BY_OTHERS) == 1
    assert [one.id for one in runs(seen)] == [run.id]


def test_claude_code_s_compaction_keeps_the_run_and_clear_begins_another(seen: Team) -> None:
    script = Script(["one", "summary", "summary", "two", load_tools("mcp__loomstack__release_paths"),
                     tool("start_run", loop="fix", goal="g"), "three"])  # fmt: skip
    with ClaudeSession(script, cwd=seen.shop, **seen.session) as session:
        for words in ("hello", "/compact", "more"):
            session.send(words)
            session.wait_result()
        before = runs(seen)
        for words in ("/clear", "start"):
            session.send(words)
            session.wait_result()
        cleared, new, asked_for = runs(seen)
    after = runs(seen)

    assert [run.state for run in before] == ["live"]
    assert (cleared.id, cleared.state, new.state) == (before[0].id, "ended", "live")
    assert (asked_for.loop, asked_for.session, asked_for.parent_id) == ("fix", new.session, new.id)
    assert [run.state for run in after] == ["ended", "ended", "live"]


def test_claude_code_s_sub_agents_have_runs_in_worktrees_of_their_own(seen: Team) -> None:
    lanes = [lane("TASK-ONE", [write("src/one.py"), "made"]), lane("TASK-APART", [write("src/apart.py"), "made"])]
    seen.claude([agent("TASK-ONE"), agent("TASK-APART", isolation="worktree"), "done"], lanes=lanes, args=EDITS)
    session, one, apart = runs(seen)

    assert [run.parent_id for run in (one, apart)] == [session.id, session.id]
    assert (one.worktree, session.worktree) == (str(seen.shop), str(seen.shop))
    assert apart.worktree == str(seen.shop / f".claude/worktrees/agent-{apart.agent}")
    assert apart.branch == f"worktree-agent-{apart.agent}"
    assert {run.state for run in runs(seen)} == {"ended"}


def test_codex_s_session_is_briefed_and_its_sub_agent_has_a_run(seen: Team) -> None:
    def is_its(request: dict[str, Any]) -> bool:
        given = json.dumps(request.get("input"))
        return "TASK-ONE" in given and AGENTS not in given

    def patch(name: str) -> Any:
        return apply_patch(f"*** Begin Patch\n*** Add File: {name}\n+x = 1\n*** End Patch\n")

    def wait(moment: Moment) -> Any:
        return wait_agent(moment.results[-1].json["agent_id"])

    script = Script(
        [patch("new.py"), spawn_agent("TASK-ONE"), wait, "done"],
        [Lane(is_its, [patch("one.py"), "made"], "TASK-ONE")],
    )
    done = run_codex(
        script, cwd=seen.shop, home=seen.home, env=seen.env, trust=True, path=PATH,
        args=["--dangerously-bypass-hook-trust"],
    )  # fmt: skip
    session, sub = runs(seen)

    assert (done.rc, script.errors, script.overflow) == (0, [], [])
    assert SEEN_BY_OTHERS in asked(done, 0)
    assert (sub.parent_id, bool(sub.agent), session.agent) == (session.id, True, "")
    assert {run.state for run in (session, sub)} == {"ended"}
