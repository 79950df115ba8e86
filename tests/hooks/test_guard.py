"""The tool `guard`: what a hook's process answers, from the server that is there, and nothing for a model."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.support import claude_edit, codex_patch, hook
from tests.wire import Server

HOOKED = ("hook_event_name", "tool_name", "tool_input", "tool_use_id", "session_id", "agent_id", "cwd")


def asked(server: Server, payload: dict[str, object], **meta: str) -> dict[str, Any]:
    """What the tool answers a hook of a client, as its text says it."""
    arguments = {name: payload.get(name, "") for name in HOOKED}
    result = server.request("tools/call", {"name": "guard", "arguments": arguments, "_meta": meta})["result"]
    assert result.get("isError") is not True
    answer: dict[str, Any] = json.loads(result["content"][0]["text"])
    return answer


def test_guard_answers_what_the_hook_of_the_client_answers(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], held: str
) -> None:
    server = serve(CLAUDE_CODE_SESSION_ID="s-1")
    patch = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-x\n+y\n*** End Patch"
    line = {**claude_edit(shop, ""), "tool_name": "Bash", "tool_input": {"command": "echo x > src/a.py"}}
    for payload in (claude_edit(shop, "src/a.py"), claude_edit(shop, ".claude/settings.json"), line):
        assert asked(server, payload) == hook(tmp_path, "claude", payload)
        assert asked(server, {**payload, "tool_input": json.dumps(payload["tool_input"])}) != {}
    refused = hook(tmp_path, "codex", codex_patch(shop, patch))

    assert asked(server, codex_patch(shop, patch), threadId="thread-1", sessionId="thread-1") == refused
    assert asked(server, claude_edit(shop, "free.py")) == {}


def test_guard_tells_what_a_line_changed(tmp_path: Path, shop: Path, serve: Callable[..., Server], held: str) -> None:
    server = serve(CLAUDE_CODE_SESSION_ID="s-1")
    line = {**claude_edit(shop, ""), "tool_name": "Bash", "tool_input": {"command": "python gen.py"}}
    before = asked(server, line)
    (shop / "src").mkdir(exist_ok=True)
    (shop / "src/new.py").write_text("x")
    after = asked(server, {**line, "hook_event_name": "PostToolUse"})

    assert before == {}
    assert "src/new.py" in after["hookSpecificOutput"]["additionalContext"]


def test_a_model_that_calls_guard_gets_and_changes_nothing(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], held: str
) -> None:
    server = serve(CLAUDE_CODE_SESSION_ID="s-1")
    edits = [
        claude_edit(shop, path, session=session) for path in ("src/a.py", "free.py") for session in ("s-1", "s-other")
    ]
    answers = [asked(server, edit, **{"claudecode/toolUseId": "toolu_9"}) for edit in edits]

    with sqlite3.connect(tmp_path / "loomstack/loom.db") as store:
        [kept] = store.execute("SELECT COUNT(*) FROM judged").fetchone()
    assert answers == [{}] * 4
    assert kept == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"tool_name": "Edit", "tool_input": "no JSON"},
        {"tool_name": "Edit", "tool_input": [1]},
        {"tool_name": 3},
        {"tool_name": "Edit", "tool_input": {}, "more": 1},
        {"tool_name": "Edit", "tool_input": {"file_path": "\0"}, "cwd": "/nowhere"},
        {"tool_name": "Bash", "tool_input": {"command": ["x"]}, "hook_event_name": "Nonsense"},
    ],
)
@pytest.mark.parametrize("guard", ["open", "closed"])
def test_guard_never_fails_and_is_open_or_closed_as_is_set(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], arguments: dict[str, object], guard: str
) -> None:
    server = serve(LOOMSTACK_GUARD=guard)
    result = server.request("tools/call", {"name": "guard", "arguments": arguments})["result"]
    answer = json.loads(result["content"][0]["text"])

    assert result.get("isError") is not True
    assert answer == {} or "did not check" in json.dumps(answer)
    assert ("permissionDecision" in json.dumps(answer)) == (guard == "closed" and answer != {})
