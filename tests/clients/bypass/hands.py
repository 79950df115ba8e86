"""What an agent does in an attempt, as either client's model calls it, and how a client shows what a hook added."""

import json
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Protocol

from tests.clients.bypass.world import WRITER, World
from tests.clients.client_run import ClientRun
from tests.clients.drive_claude import run_claude, start_agent
from tests.clients.drive_codex import AGENTS, apply_patch, mcp_call, run_codex, spawn_agent, wait_agent
from tests.clients.script import Call, Json, Lane, Moment, Script, Turn, call

TASK = "CHANGE-THE-RATE"
"""What a sub-agent is told."""


class Hand(Protocol):
    """One client."""

    name: str
    settings: str
    """The file in which its hooks stand."""

    def shell(self, line: str) -> Call: ...
    def write(self, path: str, text: str, *, was: str = "") -> Call: ...
    def other(self, path: str, text: str) -> Call: ...
    def loom(self, tool: str, **arguments: object) -> Call: ...
    def open(self, line: str) -> Call: ...
    def typed(self, line: str, moment: Moment) -> Call: ...
    def agent(self) -> Sequence[Turn]: ...
    def lane(self, turns: Sequence[Turn]) -> Lane: ...
    def is_told(self, moment: Moment) -> bool: ...
    def play(self, script: Script, world: World) -> ClientRun: ...


class ClaudeHand:
    """Claude Code, with its own questions switched off."""

    name, settings = "Claude Code", ".claude/settings.json"

    def shell(self, line: str) -> Call:
        return call("Bash", {"command": line, "description": "run it"})

    def write(self, path: str, text: str, *, was: str = "") -> Call:
        if not was:
            return call("Write", {"file_path": path, "content": text})
        return call("Edit", {"file_path": path, "old_string": was, "new_string": text})

    def other(self, path: str, text: str) -> Call:
        return call("mcp__files__write_file", {"path": path, "content": text})

    def loom(self, tool: str, **arguments: object) -> Call:
        return call(f"mcp__loomstack__{tool}", arguments)

    def open(self, line: str) -> Call:
        """A shell that runs the line in a while, after the hooks have seen it begin."""
        given = {"command": f"sleep 2; {line}", "description": "run it", "run_in_background": True}
        return call("Bash", given)

    def typed(self, line: str, moment: Moment) -> Call:
        return self.shell("sleep 4")

    def agent(self) -> Sequence[Turn]:
        return [start_agent("general-purpose", TASK)]

    def lane(self, turns: Sequence[Turn]) -> Lane:
        return Lane(lambda request: TASK in json.dumps(request["messages"][0]), turns, TASK)

    def is_told(self, moment: Moment) -> bool:
        """Whether a hook added something to the last result."""
        return "PostToolUse" in json.dumps(moment.request["messages"][-1])

    def play(self, script: Script, world: World) -> ClientRun:
        files = {"command": WRITER[0], "args": WRITER[1:], "type": "stdio"}
        return run_claude(
            script, cwd=world.clone, home=world.home, env={**world.env, "IS_SANDBOX": "1"}, mcp={"files": files},
            strict=False, allow=[], args=["--dangerously-skip-permissions"], path=world.env["PATH"],
            under=world.under, quiet_s=60,
        )  # fmt: skip


class CodexHand:
    """Codex, with its sandbox and its questions switched off, and its hooks trusted."""

    name, settings = "Codex", ".codex/hooks.json"

    def shell(self, line: str) -> Call:
        return call("exec_command", {"cmd": line})

    def write(self, path: str, text: str, *, was: str = "") -> Call:
        added = "".join(f"+{line}\n" for line in text.splitlines())
        if not was:
            return apply_patch(f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n")
        removed = "".join(f"-{line}\n" for line in was.splitlines())
        return apply_patch(f"*** Begin Patch\n*** Update File: {path}\n@@\n{removed}{added}*** End Patch\n")

    def other(self, path: str, text: str) -> Call:
        return mcp_call("files", "write_file", {"path": path, "content": text})

    def loom(self, tool: str, **arguments: object) -> Call:
        return mcp_call("loomstack", tool, dict(arguments))

    def open(self, line: str) -> Call:
        return call("exec_command", {"cmd": "sh", "tty": True, "yield_time_ms": 300})

    def typed(self, line: str, moment: Moment) -> Call:
        """The line, into that shell: no hook is told before that shell has ended (run on 0.169.0, 2026-11)."""
        [session] = re.findall(r"session ID (\d+)", moment.results[-1].text) or ["0"]
        return call("write_stdin", {"session_id": int(session), "chars": f"{line}\nexit\n"})

    def agent(self) -> Sequence[Turn]:
        return [spawn_agent(TASK), lambda moment: wait_agent(moment.results[-1].json["agent_id"])]

    def lane(self, turns: Sequence[Turn]) -> Lane:
        def is_its(request: Json) -> bool:
            given = json.dumps(request.get("input"))
            return TASK in given and AGENTS not in given

        return Lane(is_its, turns, TASK)

    def is_told(self, moment: Moment) -> bool:
        """Whether a hook added something to the last call: Codex puts that before the result (run on 0.169.0)."""
        since = takewhile(lambda item: not str(item.get("type")).endswith("_call"), reversed(moment.request["input"]))
        return any(item.get("role") == "developer" for item in since)

    def play(self, script: Script, world: World) -> ClientRun:
        files = {"command": WRITER[0], "args": WRITER[1:], "default_tools_approval_mode": "approve", "required": True}
        return run_codex(
            script, cwd=world.clone, home=world.home, env=world.env, mcp={"files": files}, trust=True,
            path=world.env["PATH"],
            args=["--dangerously-bypass-hook-trust"], sandbox="danger-full-access", under=world.under, quiet_s=60,
        )  # fmt: skip
