"""What Claude Code and Codex send before a tool runs, and are answered; shapes as recorded."""

import json

import pytest

from loomstack_mcp.core.clients import claude, codex
from loomstack_mcp.core.clients.payload import Action, advice, refusal
from loomstack_mcp.core.errors import LoomError

HOSTILE: list[object] = [None, 3, 1.5, True, "x", [], ["x"], {}, {"a": {}}, [[1]], "\0", "\ud800", "a\nb", ""]


def claude_payload(tool: str, **arguments: object) -> dict[str, object]:
    return {
        "session_id": "s-1", "transcript_path": "/t", "cwd": "/p", "hook_event_name": "PreToolUse",
        "permission_mode": "default", "effort": {"level": "high"}, "tool_name": tool, "tool_use_id": "toolu_1",
        "tool_input": arguments,
    }  # fmt: skip


def codex_payload(tool: str, **arguments: object) -> dict[str, object]:
    return {
        "session_id": "thread-1", "cwd": "/p", "hook_event_name": "PreToolUse", "tool_name": tool,
        "tool_input": arguments, "tool_use_id": "call_1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("Edit", {"file_path": "/p/a.txt", "old_string": "hello", "new_string": "bye", "replace_all": False}),
        ("Write", {"file_path": "/p/a.txt", "content": "new"}),
        ("MultiEdit", {"file_path": "/p/a.txt", "edits": []}),
        ("NotebookEdit", {"notebook_path": "/p/a.txt", "new_source": "x"}),
    ],
)
def test_claude_edits_name_their_file(tool: str, arguments: dict[str, object]) -> None:
    assert claude.action(claude_payload(tool, **arguments)) == Action(
        kind="edit", tool=tool, paths=("/p/a.txt",), cwd="/p", session="claude:s-1", tool_use="toolu_1"
    )


def test_claude_commands_are_their_line() -> None:
    payload = claude_payload("Bash", command="echo hi > a", description="say hi")

    assert claude.action(payload) == Action(
        kind="command", tool="Bash", command="echo hi > a", paths=(), cwd="/p", session="claude:s-1", tool_use="toolu_1"
    )


def test_claude_sub_agents_are_told_apart() -> None:
    payload = claude_payload("Bash", command="ls") | {"agent_id": "afed381a08c1e665c", "agent_type": "general-purpose"}

    assert claude.action(payload).agent == "afed381a08c1e665c"
    assert claude.action(payload).session == "claude:s-1"


@pytest.mark.parametrize("tool", ["mcp__raw__read_file", "mcp__loomstack__claim_paths", "Read", "Task", "edit", ""])
def test_claude_everything_else_is_a_tool(tool: str) -> None:
    payload = claude_payload(tool, file_path="/p/a.txt", command="ls")

    assert claude.action(payload) == Action(
        kind="tool", tool=tool, paths=(), cwd="/p", session="claude:s-1", tool_use="toolu_1"
    )


@pytest.mark.parametrize(
    ("tool", "is_ours"), [("mcp__loomstack__start_run", True), ("mcp__loomstack2__start_run", False), ("Edit", False)]
)
def test_calls_of_our_own_tools_are_told_from_others(tool: str, is_ours: bool) -> None:
    assert claude.action(claude_payload(tool, file_path="/p/a.txt")).is_ours == is_ours


@pytest.mark.parametrize(
    ("patch", "paths"),
    [
        ("*** Begin Patch\n*** Update File: src/a.py\n@@\n-x\n+y\n*** End Patch", ("src/a.py",)),
        ("*** Add File: a b.md\n+x\n*** Delete File: c\n*** Add File: a b.md", ("a b.md", "c")),
        ("*** Update File: src/app/a.py\n  *** Move to: src/core/a.py\n@@", ("src/app/a.py", "src/core/a.py")),
        ("\t*** Update File:  a.py \t\r\n@@", ("a.py",)),
        ("*** Update File:a.py\n@@", ("a.py",)),
        ("*** Update File: a\n@@\n-x\n+*** Update File: b\n-*** Delete File: c", ("a",)),
    ],
)
def test_codex_patches_name_every_file_of_their_headers(patch: str, paths: tuple[str, ...]) -> None:
    assert codex.action(codex_payload("apply_patch", command=patch)) == Action(
        kind="edit", tool="apply_patch", paths=paths, cwd="/p", session="codex:thread-1", tool_use="call_1"
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "command"),
    [
        ("Bash", {"command": "git push -f"}, "git push -f"),
        ("shell", {"command": ["bash", "-lc", "git push -f"]}, "bash -lc 'git push -f'"),
        ("exec_command", {"cmd": "git push -f"}, "git push -f"),
        ("container.exec", {"cmd": ["ls", "a b"]}, "ls 'a b'"),
    ],
)
def test_codex_commands_are_their_line(tool: str, arguments: dict[str, object], command: str) -> None:
    assert codex.action(codex_payload(tool, **arguments)) == Action(
        kind="command", tool=tool, command=command, paths=(), cwd="/p", session="codex:thread-1", tool_use="call_1"
    )


@pytest.mark.parametrize(("workdir", "cwd"), [("", "/p"), ("sub", "/p/sub"), ("/elsewhere", "/elsewhere")])
def test_codex_commands_run_in_their_workdir(workdir: str, cwd: str) -> None:
    assert codex.action(codex_payload("exec_command", cmd="ls", workdir=workdir)).cwd == cwd


def test_codex_mcp_tools_and_sub_agents() -> None:
    payload = codex_payload("mcp__github__create_issue", title="x") | {"agent_id": "thread-2", "agent_type": "worker"}

    assert codex.action(payload) == Action(
        kind="tool", tool="mcp__github__create_issue", paths=(), cwd="/p", session="codex:thread-1", agent="thread-2",
        tool_use="call_1",
    )  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_hostile_payloads_are_read_or_refused(value: object) -> None:
    for field in ("session_id", "cwd", "tool_name", "tool_input", "agent_id"):
        for read in (claude.action, codex.action):
            assert isinstance(_tried(read, claude_payload("Read") | {field: value}), Action | LoomError)
    for tool in ("Edit", "NotebookEdit", "Bash", "Monitor", "apply_patch", "exec_command", "shell"):
        for name in ("file_path", "notebook_path", "command", "cmd", "workdir"):
            for read in (claude.action, codex.action):
                assert isinstance(_tried(read, claude_payload(tool, **{name: value})), Action | LoomError)


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800", None, 3, ["/p/a"]])
def test_an_edit_without_a_path_that_can_be_read_is_not_waved_through(path: object) -> None:
    with pytest.raises(LoomError):
        claude.action(claude_payload("Edit", file_path=path))
    with pytest.raises(LoomError):
        codex.action(codex_payload("apply_patch", command=path if path is None else f"*** Add File: {path}\0"))


@pytest.mark.parametrize("command", ["", None, 3, {}, ["ls", 3], "ls \ud800"])
def test_a_command_without_a_line_that_can_be_read_is_not_waved_through(command: object) -> None:
    with pytest.raises(LoomError):
        claude.action(claude_payload("Bash", command=command))
    with pytest.raises(LoomError):
        codex.action(codex_payload("Bash", command=command))


def test_what_may_not_happen_is_refused_with_its_reason() -> None:
    assert refusal("ask a lead") == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "ask a lead",
        }
    }


def test_a_warning_goes_to_the_model() -> None:
    assert advice("mind the layers") == {
        "hookSpecificOutput": {"hookEventName": "PreToolUse", "additionalContext": "mind the layers"}
    }


def test_replies_are_json() -> None:
    assert json.loads(json.dumps(refusal("é \ud800")))


def _tried(read: object, payload: dict[str, object]) -> object:
    assert callable(read)
    try:
        return read(payload)
    except LoomError as error:
        return error
