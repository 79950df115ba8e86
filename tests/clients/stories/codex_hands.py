"""A story's steps as Codex's model calls them."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.clients.client_run import ClientRun
from tests.clients.drive_codex import AGENTS, apply_patch, mcp_call, run_codex, spawn_agent, wait_agent
from tests.clients.script import Call, Json, Moment, Script, ToolResult, Turn, call
from tests.clients.stories.hands import Words, said


class Codex:
    """Codex: an agent is started, and waited for; its shell may write where `folders` says."""

    name, skill = "Codex", "$"

    def __init__(self, path: str, *folders: Path) -> None:
        self._path, self._folders = path, folders
        self.addressed: dict[str, str] = {}

    @staticmethod
    def writable(shop: Path, tree: Path | None = None) -> Sequence[Path]:
        """Its sandbox keeps `.git` from being written, and a worktree's part of it as well."""
        return (shop / ".git", *([shop / ".git" / "worktrees" / tree.name] if tree else []))

    def loom(self, tool: str, arguments: Json) -> Call:
        return mcp_call("loomstack", tool, arguments)

    def shell(self, command: str) -> Call:
        return call("exec_command", {"cmd": command})

    def edit(self, path: Path, old: str, new: str) -> Sequence[Turn]:
        removed, added = _marked("-", old), _marked("+", new)
        return [apply_patch(f"*** Begin Patch\n*** Update File: {path}\n@@\n{removed}{added}*** End Patch\n")]

    def start(self, agent: str, task: Words) -> Sequence[Turn]:
        def spawn(moment: Moment) -> Turn:
            return self._to(agent, spawn_agent(said(task, moment), agent))

        return [spawn, _waiting(agent)]

    def tell(self, agent: str, message: Words) -> Sequence[Turn]:
        def send(moment: Moment) -> Turn:
            given = {"target": _spawned(agent, moment), "message": said(message, moment)}
            return self._to(agent, call("send_input", given, namespace=AGENTS))

        return [send, _waiting(agent)]

    def opened(self) -> Sequence[Turn]:
        return []

    def skilled(self, skill: str) -> Call:
        return self.shell(f"cat .agents/skills/{skill}/SKILL.md")

    def is_given(self, request: Json, opening: str) -> bool:
        given = [item for item in request.get("input") or [] if item.get("role") == "developer"]
        return opening in json.dumps(given)

    def answer(self, result: ToolResult) -> Json:
        _, _, shown = result.text.partition("Output:\n")
        assert shown.startswith("{"), result.text
        found: Json = json.loads(shown)
        return found

    def play(self, script: Script, prompt: str, *, cwd: Path, home: Path, env: dict[str, str]) -> ClientRun:
        roots = json.dumps([str(folder) for folder in self._folders])
        args = ["--dangerously-bypass-hook-trust", "-c", f"sandbox_workspace_write.writable_roots={roots}"]
        return run_codex(script, prompt, cwd=cwd, home=home, env=env, trust=True, args=args, path=self._path)

    def _to(self, agent: str, made: Call) -> Turn:
        self.addressed[made.id] = agent
        return made


def _marked(sign: str, text: str) -> str:
    return "".join(f"{sign}{line}\n" for line in text.splitlines())


def _waiting(agent: str) -> Turn:
    return lambda moment: wait_agent(_spawned(agent, moment))


def _spawned(agent: str, moment: Moment) -> str:
    """The id of the agent of this kind that was started last."""
    [*_, started] = [
        result
        for result in moment.all_results
        if result.name == f"{AGENTS}.spawn_agent" and result.arguments["agent_type"] == agent
    ]
    return str(started.json["agent_id"])
