"""The real clients where sessions move, sub-agents work side by side, and files lie elsewhere than the session."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.drive_claude import load_tools, start_agent
from tests.clients.drive_codex import AGENTS, apply_patch, mcp_call, run_codex, spawn_agent, wait_agent
from tests.clients.script import Lane, Moment, Script, call
from tests.clients.test_clients import PATH, Team, codex_json, pytestmark, team, tool
from tests.conftest import commit_all, git

__all__ = ["pytestmark", "team"]
EDITS = ["--permission-mode", "acceptEdits"]
BEFORE = "def price(item):\n    return item.net * 119 / 100\n\n\ndef total(items):\n    return sum(map(price, items))\n"


def lane(task: str, turns: list[Any]) -> Lane:
    """A sub-agent's conversation, by the words of its task."""
    return Lane(lambda request: task in json.dumps(request["messages"][0]), turns, task)


def agent(task: str, **more: Any) -> Any:
    return start_agent("general-purpose", task, **more)


def write(path: Path | str) -> Any:
    return call("Write", {"file_path": str(path), "content": "x = 1\n"})


@pytest.fixture
def undoable(team: Team) -> Team:
    """Bea's change of src/tax.py has landed, so that its old text undoes it."""
    (team.shop / "src/tax.py").write_text(BEFORE)
    commit_all(team.shop)
    (team.shop / "src/tax.py").write_text(BEFORE.replace(" * 119 / 100", ""))
    git(team.shop, "add", "--all")
    git(team.shop, "commit", "--quiet", "--author", "Bea <bea@shop>", "-m", "Net prices")
    return team


def test_an_edit_of_another_worktree_s_file_is_refused_where_that_is_held(team: Team) -> None:
    team.codex(
        [mcp_call("loomstack", "start_run", {"loop": "refactor", "goal": "net prices"}),
         mcp_call("loomstack", "claim_paths", {"paths": [f"{team.tree}/src"], "intent": "net"}), "done"]
    )  # fmt: skip
    (team.shop / "way.py").symlink_to("src/a.py")
    paths = [team.tree / "src/[id]/new.py", team.shop / "src/a.py", team.shop / "way.py"]
    outside = team.home / "project"
    (outside / ".claude").mkdir(parents=True)
    (outside / ".claude/settings.json").write_bytes((team.shop / ".claude/settings.json").read_bytes())
    args = [*EDITS, "--add-dir", str(team.shop), str(team.tree)]
    done = team.claude([*map(write, paths), "done"], cwd=outside, args=args)

    assert ["is claimed by run_" in result.text for result in done.results()] == [True, True, True]
    assert not paths[0].exists()


@pytest.mark.also("sub-agents show that each is checked where it works")
def test_after_enter_worktree_the_new_worktree_is_checked(undoable: Team) -> None:
    done = undoable.claude(
        [load_tools("EnterWorktree", "mcp__loomstack__check_conflicts"), tool("start_run", loop="triage", goal="green"),
         call("EnterWorktree", {"name": "feat"}),
         call("Write", {"file_path": str(undoable.shop / ".claude/worktrees/feat/src/tax.py"), "content": BEFORE}),
         call("Bash", {"command": "true"}), tool("check_conflicts"), "done"],
        args=[*EDITS, "--allowedTools", "Bash"],
    )  # fmt: skip
    found = done.results()[-1].json

    assert [one["paths"] for one in found["conflicts"]] == [["src/tax.py"]]


@pytest.mark.also("tests/server/test_standpoints.py shows it without a client")
def test_edits_in_another_worktree_keep_an_answer_from_being_clear(undoable: Team) -> None:
    there = undoable.tree / "new.py"
    done = undoable.claude(
        [load_tools("mcp__loomstack__check_conflicts"), tool("start_run", loop="triage", goal="green"), write(there),
         tool("check_conflicts"), tool("check_conflicts", worktree=str(undoable.tree)), tool("check_conflicts"),
         "done"],
        args=[*EDITS, "--add-dir", str(undoable.tree)],
    )  # fmt: skip
    here, named, after = (result.json for result in done.results()[-3:])

    assert there.exists()
    assert (here["verdict"], str(undoable.tree) in here["unchecked"][0]) == ("warn", True)
    assert (named["verdict"], after["verdict"]) == ("clear", "clear")


def test_claude_s_sub_agents_block_one_another_and_each_is_checked_where_it_works(undoable: Team) -> None:
    tools = load_tools("mcp__loomstack__check_conflicts")
    one = lane("TASK-ONE", [
        tool("start_run", loop="one", goal="make"), tool("claim_paths", paths=["src/"], intent="mine"),
        write(undoable.shop / "docs/one.md"), "made",
    ])  # fmt: skip
    two = lane("TASK-TWO", [
        tool("start_run", loop="two", goal="make"), write("src/new.py"), write("docs/two.md"), "made",
    ])  # fmt: skip
    old = call("Write", {"file_path": "src/tax.py", "content": BEFORE})
    apart = lane("TASK-APART", [
        tools, tool("start_run", loop="apart", goal="make"), old, tool("check_conflicts"), "made",
    ])  # fmt: skip
    done = undoable.claude(
        [tool("start_run", loop="lead", goal="lead"), tool("claim_paths", paths=["docs"], intent="the lead's"),
         agent("TASK-APART", isolation="worktree"), agent("TASK-ONE"), agent("TASK-TWO"), "done"],
        lanes=[one, two, apart], args=EDITS,
    )  # fmt: skip
    first, second = done.results("TASK-ONE"), done.results("TASK-TWO")
    [*_, found] = done.results("TASK-APART")

    assert first[1].json["granted"] is True
    assert "src/new.py is claimed by run_" in second[1].text
    assert [result.is_error for result in (first[2], second[2])] == [False, False]
    assert [one["paths"] for one in found.json["conflicts"]] == [["src/tax.py"]]


@pytest.mark.also("Claude Code's do here")
def test_codex_s_sub_agents_block_one_another(team: Team) -> None:
    def sub(task: str, turns: list[Any]) -> Lane:
        def is_its(request: dict[str, Any]) -> bool:
            given = json.dumps(request.get("input"))
            return task in given and AGENTS not in given

        return Lane(is_its, turns, task)

    def spawned(task: str) -> list[Any]:
        def wait(moment: Moment) -> Any:
            return wait_agent(moment.results[-1].json["agent_id"])

        return [spawn_agent(task), wait]

    def start(loop: str) -> Any:
        return mcp_call("loomstack", "start_run", {"loop": loop, "goal": "make"})

    def patch(name: str) -> Any:
        return apply_patch(f"*** Begin Patch\n*** Add File: {name}\n+x = 1\n*** End Patch\n")

    claim = mcp_call("loomstack", "claim_paths", {"paths": ["src"], "intent": "mine"})
    lanes = [
        sub("TASK-ONE", [start("one"), claim, patch("src/one.py"), "made"]),
        sub("TASK-TWO", [start("two"), patch("src/two.py"), "made"]),
    ]
    script = Script([start("lead"), *spawned("TASK-ONE"), *spawned("TASK-TWO"), "done"], lanes)
    done = run_codex(
        script, cwd=team.shop, home=team.home, env=team.env, trust=True, path=PATH,
        args=["--dangerously-bypass-hook-trust"],
    )  # fmt: skip

    assert (done.rc, script.errors) == (0, [])
    assert codex_json(done.results("TASK-ONE")[1].text)["granted"] is True
    assert (team.shop / "src/one.py").exists()
    assert "src/two.py is claimed by run_" in done.results("TASK-TWO")[1].text
    assert not (team.shop / "src/two.py").exists()
