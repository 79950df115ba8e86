"""The hook as its client runs it: a process, JSON on stdin, a reply on stdout."""

import json
from pathlib import Path
from typing import Any

from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.loom import open_loom
from tests.conftest import environment
from tests.processes import HOOK, run


def hook(
    home: Path,
    client: str,
    payload: object,
    *,
    event: str = "PreToolUse",
    stdin: bytes | None = None,
    cwd: Path | None = None,
    **env: str,
) -> dict[str, Any] | None:
    """The reply to a payload, None where nothing was printed."""
    given = json.dumps(payload).encode() if stdin is None else stdin
    command = [HOOK, client, event]
    done = run(command, cwd=cwd or home, env=environment(home, **env), given=given, text=False, check=True)
    assert done.stderr == b""
    reply: dict[str, Any] | None = json.loads(done.stdout) if done.stdout else None
    return reply


def made_store(home: Path) -> None:
    """A store, as some session has made it: without one, nothing can be held."""
    with open_loom(load_settings({}, environment=environment(home))) as loom:
        loom.repos.listed()


def refused(reply: dict[str, Any] | None) -> bool:
    """Whether the edit is stopped; it is not by a remark."""
    return bool(reply) and "hookSpecificOutput" in (reply or {})


def claude_edit(
    shop: Path | str, path: str, *, session: str = "s-1", tool: str = "Edit", **more: str
) -> dict[str, object]:
    """The shape that Claude Code 2.1.330 sends."""
    name = "notebook_path" if tool == "NotebookEdit" else "file_path"
    return {
        "session_id": session, "transcript_path": "/t", "cwd": str(shop), "hook_event_name": "PreToolUse",
        "permission_mode": "default", "tool_name": tool, "tool_use_id": "toolu_1",
        "tool_input": {name: path, "old_string": "x", "new_string": "y", "replace_all": False}, **more,
    }  # fmt: skip


def claude_call(folder: Path, tool: str, tool_use: str, *, session: str = "s-1", **more: str) -> dict[str, object]:
    """The shape that Claude Code 2.1.330 sends before it calls a tool of ours."""
    return {
        "session_id": session, "transcript_path": "/t", "cwd": str(folder), "hook_event_name": "PreToolUse",
        "tool_name": f"mcp__loomstack__{tool}", "tool_use_id": tool_use, "tool_input": {},
        "mcp_server": {"name": "loomstack", "source": "project"}, **more,
    }  # fmt: skip


def codex_patch(shop: Path, patch: str, **more: str) -> dict[str, object]:
    """The shape that Codex 0.169.0 sends."""
    return {
        "session_id": "thread-1", "cwd": str(shop), "hook_event_name": "PreToolUse", "tool_name": "apply_patch",
        "tool_input": {"command": patch}, "tool_use_id": "call_1", **more,
    }  # fmt: skip


def session_event(folder: Path, *, session: str = "1a2b3c4d-0000-4000-8000-000000000001", **more: object) -> object:
    """What both clients send of a session's start, stop and end (Claude Code 2.1.330, Codex 0.169.0)."""
    return {"session_id": session, "transcript_path": "/t", "cwd": str(folder), **more}


def told(reply: dict[str, Any] | None) -> str:
    """What the model reads."""
    return str((reply or {}).get("hookSpecificOutput", {}).get("additionalContext", ""))


def prompt(folder: Path, *, session: str = "s-1") -> dict[str, object]:
    """The shape that both clients send with a prompt: Claude Code 2.1.330, Codex 0.169.0."""
    return {
        "session_id": session, "transcript_path": "/t", "cwd": str(folder), "hook_event_name": "UserPromptSubmit",
        "permission_mode": "default", "prompt": "go on",
    }  # fmt: skip
