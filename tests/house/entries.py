"""The entry points, each started as its client or its user starts it."""

import itertools
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.house.scene import BRANCH, HELD, Scene
from tests.house.started import Started, started, started_server

_SCRIPTS = Path(sys.executable).parent
_NUMBERS = itertools.count()


def serve(scene: Scene) -> Started:
    """The server on stdio, up to its answer to `initialize`."""
    return started_server(_command("loomstack-mcp", "serve"), cwd=scene.worktree, environment=scene.environment())


def serve_calls(scene: Scene, *calls: tuple[str, dict[str, Any]]) -> Started:
    """The server on stdio, up to its answers to some calls, in a clone that the store knows."""
    command, environment = _command("loomstack-mcp", "serve"), scene.environment()
    started_server(command, cwd=scene.worktree, environment=environment, calls=calls)
    return started_server(command, cwd=scene.worktree, environment=environment, calls=calls)


def claude_edit(scene: Scene) -> Started:
    """Claude Code's hook before an Edit of a held file, in a clone that the store knows."""
    body = {"file_path": str(scene.worktree / HELD), "old_string": "1", "new_string": "2", "replace_all": False}
    _hook(scene, "claude", {"tool_name": "Edit", "tool_input": body})
    return _hook(scene, "claude", {"tool_name": "Edit", "tool_input": body})


def codex_patch(scene: Scene) -> Started:
    """Codex's hook before a patch of a held file, in a clone that the store knows."""
    patch = f"*** Begin Patch\n*** Update File: {HELD}\n@@\n-held = 1\n+held = 2\n*** End Patch"
    _hook(scene, "codex", {"tool_name": "apply_patch", "tool_input": {"command": patch}})
    return _hook(scene, "codex", {"tool_name": "apply_patch", "tool_input": {"command": patch}})


def claude_free(scene: Scene) -> Started:
    """Claude Code's hook before an Edit of a free file, after an edit there was seen."""
    asked = {"tool_name": "Edit", "tool_input": {"file_path": str(scene.worktree / "free.py"), "new_string": "2"}}
    _hook(scene, "claude", asked)
    return _hook(scene, "claude", asked)


def codex_free(scene: Scene) -> Started:
    """Codex's hook before a patch of a free file, after an edit there was seen."""
    asked = {"tool_name": "apply_patch", "tool_input": {"command": "*** Begin Patch\n*** Add File: new.py\n+1\n"}}
    _hook(scene, "codex", asked)
    return _hook(scene, "codex", asked)


def claude_first(scene: Scene) -> Started:
    """Claude Code's hook before the first Edit of a file, after an edit there was seen."""
    for name in ("free.py", f"first{next(_NUMBERS)}.py"):
        found = _hook(scene, "claude", {"tool_name": "Edit", "tool_input": {"file_path": str(scene.worktree / name)}})
    return found


def claude_call(scene: Scene) -> Started:
    """Claude Code's hook before a call of a tool of ours."""
    return _hook(scene, "claude", {"tool_name": "mcp__loomstack__claim_paths", "tool_use_id": "t", "tool_input": {}})


def session_start(scene: Scene) -> Started:
    """Claude Code's hook as a session starts, in a clone that the store knows."""
    _hook(scene, "claude", {"source": "startup"}, event="SessionStart")
    return _hook(scene, "claude", {"source": "startup"}, event="SessionStart")


def stop(scene: Scene) -> Started:
    """The same as a turn ends that left nothing open."""
    _hook(scene, "claude", {"source": "startup"}, event="SessionStart")
    return _hook(scene, "claude", {"stop_hook_active": False}, event="Stop")


def session_end(scene: Scene) -> Started:
    """The same as the session ends."""
    _hook(scene, "claude", {"source": "startup"}, event="SessionStart")
    return _hook(scene, "claude", {"reason": "other"}, event="SessionEnd")


def claude_prompt(scene: Scene) -> Started:
    """Claude Code's hook with a prompt, in a session that has nothing to hear."""
    return _hook(scene, "claude", {"prompt": "go on"}, event="UserPromptSubmit")


def git_prepare(scene: Scene) -> Started:
    """Git's hook that signs a commit of a session whose run is known."""
    message = scene.worktree / ".git/PREPARED"
    for text in ("Work\n\nsaid: first\nby git\n", "Work\n"):
        message.write_text(text)
        found = _git_hook(scene, "prepare-commit-msg", str(message), "message")
    return found


def git_commit(scene: Scene) -> Started:
    """Git's hook after a commit of a session, in a clone that the store knows, while something is held for edits."""
    claude_first(scene)
    _git_hook(scene, "post-commit")
    return _git_hook(scene, "post-commit")


def git_worktree(scene: Scene) -> Started:
    """Git's hook after a checkout."""
    return _git_hook(scene, "post-checkout", "1", "1", "1")


def git_staged(scene: Scene) -> Started:
    """Git's hook before a commit, what is staged judged, in a clone whose rules were loaded before."""
    _git_hook(scene, "pre-commit")
    return _git_hook(scene, "pre-commit")


def runs(scene: Scene) -> Started:
    """The list of runs."""
    return _typed(scene, "runs")


def gate(scene: Scene) -> Started:
    """The branch judged as CI does, with the store."""
    return _typed(scene, "gate", "--base", "main", "--head", BRANCH)


def conflicts(scene: Scene) -> Started:
    """What the branch undoes."""
    return _typed(scene, "conflicts")


ENTRIES: Mapping[str, Callable[[Scene], Started]] = {
    "loomstack-mcp serve, initialize": serve,
    "loomstack-hook claude, Edit": claude_edit,
    "loomstack-hook codex, apply_patch": codex_patch,
    "loomstack-hook claude, a free Edit": claude_free,
    "loomstack-hook codex, a free apply_patch": codex_free,
    "loomstack-hook claude, a file's first Edit": claude_first,
    "loomstack-hook claude, a call of ours": claude_call,
    "loomstack-hook claude, SessionStart": session_start,
    "loomstack-hook claude, Stop": stop,
    "loomstack-hook claude, SessionEnd": session_end,
    "loomstack-hook claude, a prompt": claude_prompt,
    "loomstack-hook git, prepare-commit-msg": git_prepare,
    "loomstack-hook git, post-commit": git_commit,
    "loomstack-hook git, post-checkout": git_worktree,
    "loomstack-hook git, pre-commit": git_staged,
    "loomstack-mcp runs": runs,
    "loomstack-mcp gate --base --head": gate,
    "loomstack-mcp conflicts": conflicts,
}


def _typed(scene: Scene, *arguments: str) -> Started:
    return started(_command("loomstack-mcp", *arguments), cwd=scene.worktree, environment=scene.environment())


def _hook(scene: Scene, client: str, asked: Mapping[str, object], *, event: str = "PreToolUse") -> Started:
    payload = {"session_id": "s-mine", "cwd": str(scene.worktree), "hook_event_name": event, **asked}
    command = _command("loomstack-hook", client, event)
    return started(command, cwd=scene.worktree, environment=scene.environment(), stdin=json.dumps(payload))


def _git_hook(scene: Scene, *arguments: str) -> Started:
    environment = {**scene.environment(), "CLAUDE_CODE_SESSION_ID": "s-git"}
    return started(_command("loomstack-hook", "git", *arguments), cwd=scene.worktree, environment=environment)


def _command(script: str, *arguments: str) -> list[str]:
    return [str(_SCRIPTS / script), *arguments]
