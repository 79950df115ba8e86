"""The real Claude Code and the real Codex, a scripted model, and what `loomstack-mcp init` wrote: nothing else."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.drive_claude import CLAUDE, ClaudeRun, ClaudeSession, load_tools, run_claude, start_agent
from tests.clients.drive_codex import CODEX, CodexRun, apply_patch, js_call, mcp_call, run_codex, search_tools
from tests.clients.script import Lane, Script, call
from tests.conftest import SDK_COMMAND, commit_all, environment, git

BIN = str(Path(sys.executable).parent)
PATH = os.pathsep.join([BIN, os.environ["PATH"]])
pytestmark = pytest.mark.skipif(not (CLAUDE and CODEX), reason="the clients are not installed; .ci/run installs them")

EVERY_TOOL: list[tuple[str, dict[str, Any]]] = [
    ("start_run", {"loop": "triage", "goal": "green trunk", "paths": ["src"]}),
    ("read_shared_context", {"paths": ["src"]}),
    ("claim_paths", {"paths": ["src/a.py"], "intent": "rename it"}),
    ("share_context", {"kind": "intent", "text": "a.py is renamed on purpose", "paths": ["src/a.py"]}),
    ("release_paths", {}),
    ("check_policy", {"action": "edit", "paths": ["src/a.py"]}),
    ("check_conflicts", {}),
    ("record_outcome", {"status": "done", "summary": "renamed", "checks": {"passed": 8}}),
]
NEEDS_A_WORKTREE = ("check_policy", "check_conflicts")
HTTP_TOOLS = [
    ("start_run", {**EVERY_TOOL[0][1], "repo": "github.com/acme/shop"}),
    *(one for one in EVERY_TOOL[1:] if one[0] not in NEEDS_A_WORKTREE),
]
DEFERRED = ("share_context", "release_paths", "check_conflicts", "record_outcome")
ANSWERS = ["run", "cursor", "granted", "note", "released", "effect", "verdict", "next"]
HTTP_ANSWERS = [key for key in ANSWERS if key not in ("effect", "verdict")]


class Team:
    """A repository after `init`, a worktree beside it, and a home folder that both clients use."""

    def __init__(self, home: Path, shop: Path) -> None:
        self.home, self.shop = home / "home", shop
        self.home.mkdir()
        self.env = {"LOOMSTACK_HOME": str(home / "loom")}
        self.session: dict[str, Any] = {
            "home": self.home, "env": self.env, "strict": False, "allow": [], "path": PATH,
        }  # fmt: skip
        commands = {**self.env, "PATH": PATH, "HOME": str(self.home)}
        subprocess.run(["loomstack-mcp", "init", "--yes"], cwd=shop, env=commands, capture_output=True, check=True)
        commit_all(shop)
        self.tree = home / "tree"
        git(shop, "worktree", "add", "--quiet", "-b", "other", str(self.tree))

    def claude(self, turns: list[Any], *, cwd: Path | None = None, lanes: list[Lane] = [], **more: Any) -> ClaudeRun:  # noqa: B006
        script = Script(turns, lanes)
        done = run_claude(script, cwd=cwd or self.shop, **self.session, **more)
        assert (done.rc, script.errors, script.overflow) == (0, [], []), done.stderr
        return done

    def codex(self, turns: list[Any], *, cwd: Path | None = None, **more: Any) -> CodexRun:
        script = Script(turns)
        done = run_codex(script, cwd=cwd or self.shop, home=self.home, env=self.env, trust=True, path=PATH, **more)
        assert (done.rc, script.errors, script.overflow) == (0, [], []), done.stderr
        return done


@pytest.fixture
def team(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setenv("HARNESS_TMP", str(tmp_path))
    return Team(tmp_path, shop)


def tool(name: str, **arguments: Any) -> Any:
    return call(f"mcp__loomstack__{name}", arguments)


def in_code(calls: list[tuple[str, dict[str, Any]]]) -> str:
    """The calls as a model in code mode writes them."""
    lines = [
        f"out.push((await tools.mcp__loomstack__{name}({json.dumps(arguments)})).structuredContent);"
        for name, arguments in calls
    ]
    return f"const out = []; {' '.join(lines)} text(JSON.stringify(out));"


def codex_json(text: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(text.split("Output:\n", 1)[1])
    return answer


def test_claude_code_calls_every_tool_without_a_question_and_reads_the_whole_answer(team: Team) -> None:
    later = load_tools(*(f"mcp__loomstack__{name}" for name in DEFERRED))
    done = team.claude([later, *(tool(name, **arguments) for name, arguments in EVERY_TOOL), "done"])
    shown = [result for result in done.results() if result.name.startswith("mcp__")]

    assert [result.text for result in shown if result.is_error] == []
    for result, key in zip(shown, ANSWERS, strict=True):
        assert key in result.json
    assert shown[2].json["granted"] is True
    assert shown[4].json["released"] == [shown[2].json["claim"]]


@pytest.mark.also("tests/server/front holds one against the other")
def test_the_reference_serves_both_clients_as_well(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TMP", str(tmp_path))
    server: dict[str, Any] = {"command": SDK_COMMAND[0], "args": SDK_COMMAND[1:], "env": environment(tmp_path)}
    later = load_tools(*(f"mcp__loomstack__{name}" for name in DEFERRED))
    calls = [tool(name, **arguments) for name, arguments in EVERY_TOOL]
    claude: dict[str, Any] = {"mcp": {"loomstack": {**server, "type": "stdio"}}}
    shown = run_claude(Script([later, *calls, "done"]), cwd=shop, **claude).results()[1:]
    codex: dict[str, Any] = {
        "mcp": {"loomstack": {**server, "required": True, "default_tools_approval_mode": "approve"}}
    }
    direct = [mcp_call("loomstack", name, arguments) for name, arguments in EVERY_TOOL]
    called = run_codex(Script([*direct, "done"]), cwd=shop, home=tmp_path, trust=True, **codex).results()

    for result, key in zip(shown, ANSWERS, strict=True):
        assert key in result.json
    for result, key in zip(called, ANSWERS, strict=True):
        assert key in codex_json(result.text)


def test_what_agents_need_first_is_up_front_and_the_instructions_are_shown(team: Team) -> None:
    done = team.claude(["done"])
    up_front = {name.removeprefix("mcp__loomstack__") for name in done.tools() if name.startswith("mcp__")}

    assert up_front == {"start_run", "read_shared_context", "claim_paths", "check_policy"}
    assert "LoomStack lets many agents' loops work as one team" in json.dumps(done.lane()[0]["body"])


SEARCHES = {
    "report result": "record_outcome",
    "finish task": "record_outcome",
    "lock file": "claim_paths",
    "who is editing": "claim_paths",
    "unlock": "release_paths",
    "conflict": "check_conflicts",
    "merge": "check_conflicts",
    "undo": "check_conflicts",
    "handoff": "share_context",
    "memory": "read_shared_context",
    "remember": "share_context",
    "permission": "check_policy",
    "start task": "start_run",
}
"""What models look for, and the tool that is meant."""


def test_codex_finds_the_tools_by_the_words_that_models_search_for(team: Team) -> None:
    done = team.codex([*map(search_tools, SEARCHES), "done"])
    found = [
        [tool["name"] for space in result.raw["tools"] if space["name"] == "mcp__loomstack" for tool in space["tools"]]
        for result in done.results()
    ]

    assert [query for query, names in zip(SEARCHES, found, strict=True) if SEARCHES[query] not in names[:2]] == []


def test_claude_code_hands_a_prompt_all_that_was_typed_behind_its_name(team: Team) -> None:
    done = team.claude(["done"], prompt="/mcp__loomstack__loop triage make the trunk green again")
    aimless = team.claude(["done"], prompt="/mcp__loomstack__loop triage")

    assert 'the loop \\"triage\\". Goal: make the trunk green again\\n' in json.dumps(done.lane()[0]["body"])
    assert 'the loop \\"triage\\". Goal: it was not said;' in json.dumps(aimless.lane()[0]["body"])


@pytest.mark.parametrize(("args", "is_waited_for"), [([], False), (["--mcp-config", ".mcp.json"], True)])
def test_claude_in_print_mode_waits_for_a_slow_server_only_where_it_is_told_the_file(
    team: Team, tmp_path: Path, args: list[str], is_waited_for: bool
) -> None:
    slow = tmp_path / "loomstack-mcp"
    slow.write_text(f"#!/bin/sh\nsleep 6\nexec {BIN}/loomstack-mcp\n")
    slow.chmod(0o755)
    (team.shop / ".mcp.json").write_text(json.dumps({"mcpServers": {"loomstack": {"command": str(slow)}}}))
    team.session["env"] = {**team.env, "CLAUDE_CODE_MCP_STARTUP_WAIT_MS": ""}
    done = team.claude(["done"], args=args)

    assert ("mcp__loomstack__start_run" in done.tools()) == is_waited_for


def test_codex_calls_every_tool_directly(team: Team) -> None:
    done = team.codex([*(mcp_call("loomstack", name, arguments) for name, arguments in EVERY_TOOL), "done"])

    for result, key in zip(done.results(), ANSWERS, strict=True):
        assert key in codex_json(result.text), result.text


def test_codex_calls_every_tool_in_code_mode(team: Team) -> None:
    done = team.codex([js_call(in_code(EVERY_TOOL)), "done"], model="gpt-6.1-sol")
    answers = json.loads(done.results()[0].raw[-1]["text"])

    for answer, key in zip(answers, ANSWERS, strict=True):
        assert key in answer


def test_two_claude_sessions_and_a_codex_session_see_each_others_claims(team: Team) -> None:
    script = Script(
        [tool("start_run", loop="refactor", goal="net prices", paths=["src"]),
         tool("claim_paths", paths=["src"], intent="prices become net"), "holding"]
    )  # fmt: skip
    with ClaudeSession(script, cwd=team.shop, **team.session) as first:
        first.send("go")
        assert first.wait_result()
        wanted = {"paths": ["src/a.py"], "intent": "fix the test"}
        turns = [
            tool("start_run", loop="triage", goal="green", paths=["src/a.py"]),
            tool("claim_paths", **wanted),
            "done",
        ]
        second = team.claude(turns, cwd=team.tree).results()
        start = mcp_call("loomstack", "start_run", {"loop": "docs", "goal": "docs", "paths": ["src/a.py"]})
        third = team.codex([start, mcp_call("loomstack", "claim_paths", wanted), "done"], cwd=team.tree).results()

    answers = [[result.json for result in second], [codex_json(result.text) for result in third]]
    for start_answer, claimed in answers:
        assert [claim["intent"] for claim in start_answer["briefing"]["claims"]] == ["prices become net"]
        assert claimed["granted"] is False
        assert claimed["blockers"][0]["loop"] == "refactor"


def test_an_edit_of_what_another_session_holds_is_refused_before_it_is_made(team: Team) -> None:
    team.codex(
        [mcp_call("loomstack", "start_run", {"loop": "refactor", "goal": "net prices"}),
         mcp_call("loomstack", "claim_paths", {"paths": ["src"], "intent": "prices become net"}), "done"]
    )  # fmt: skip
    path = team.tree / "src" / "new.py"
    write = call("Write", {"file_path": str(path), "content": "x = 1\n"})
    elsewhere = call("Write", {"file_path": str(team.tree / "elsewhere.py"), "content": "x = 1\n"})
    done = team.claude([write, elsewhere, "done"], cwd=team.tree, args=["--permission-mode", "acceptEdits"])

    assert "src/new.py is claimed by run_" in done.results()[0].text
    assert "prices become net" in done.results()[0].text
    assert not path.exists()
    assert (team.tree / "elsewhere.py").exists()


def test_a_codex_patch_of_what_another_session_holds_is_refused_once_its_hook_is_trusted(team: Team) -> None:
    team.claude(
        [tool("start_run", loop="refactor", goal="net prices"),
         tool("claim_paths", paths=["src"], intent="prices become net"), "done"]
    )  # fmt: skip
    patch = "*** Begin Patch\n*** Add File: src/new.py\n+x = 1\n*** End Patch\n"
    done = team.codex([apply_patch(patch), "done"], cwd=team.tree, args=["--dangerously-bypass-hook-trust"])

    assert "src/new.py is claimed by run_" in done.results()[0].text
    assert not (team.tree / "src" / "new.py").exists()


def test_sub_agents_of_one_claude_session_are_told_apart_without_a_hook_by_the_run_they_name(team: Team) -> None:
    (team.shop / ".claude/settings.json").write_text("{}")

    def is_sub_agent(request: dict[str, Any]) -> bool:
        return "SUB-AGENT-TASK" in json.dumps(request["messages"][0])

    sub = Lane(is_sub_agent, [tool("start_run", loop="maker", goal="make"), tool("release_paths"), "made"], "sub")
    task = start_agent("general-purpose", "SUB-AGENT-TASK")
    done = team.claude([tool("start_run", loop="lead", goal="lead"), task, "done"], lanes=[sub])
    refused = done.results("sub")[-1]

    assert refused.is_error
    assert "several live runs could be yours" in refused.text
    assert "lead" in refused.text
    assert "maker" in refused.text


@pytest.fixture
def over_http(team: Team, tmp_path: Path) -> Iterator[Team]:
    """The same team, with one server for all of its sessions."""
    env = {**team.env, "PATH": PATH, "HOME": str(team.home)}
    command = ["loomstack-mcp", "serve", "--http", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        [url] = re.findall(r"http://127\.0\.0\.1:\d+/mcp", server.stderr.readline())
        subprocess.run(["loomstack-mcp", "init", "--yes", "--url", url], cwd=team.shop, env=env, check=True)
        team.env["LOOMSTACK_TOKEN"] = (tmp_path / "loom" / "token").read_text()
        yield team
        server.terminate()


def test_claude_code_calls_every_tool_over_http(over_http: Team) -> None:
    later = load_tools(*(f"mcp__loomstack__{name}" for name in DEFERRED))
    done = over_http.claude([later, *(tool(name, **arguments) for name, arguments in HTTP_TOOLS), "done"])
    shown = [result for result in done.results() if result.name.startswith("mcp__")]

    assert [result.text for result in shown if result.is_error] == []
    assert [key for result, key in zip(shown, HTTP_ANSWERS, strict=True) if key not in result.json] == []


@pytest.mark.parametrize(
    "model", [pytest.param("gpt-5.5", marks=pytest.mark.also("the newer model does here")), "gpt-6.1-sol"]
)
def test_codex_calls_every_tool_over_http(over_http: Team, model: str) -> None:
    if model == "gpt-5.5":
        done = over_http.codex([*(mcp_call("loomstack", name, arguments) for name, arguments in HTTP_TOOLS), "done"])
        answers = [codex_json(result.text) for result in done.results()]
    else:
        done = over_http.codex([js_call(in_code(HTTP_TOOLS)), "done"], model=model)
        answers = json.loads(done.results()[0].raw[-1]["text"])

    assert [key for answer, key in zip(answers, HTTP_ANSWERS, strict=True) if key not in answer] == []
