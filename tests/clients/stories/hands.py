"""What an agent does, as either client's model calls it: the same steps of a story for both."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tests.clients.client_run import ClientRun
from tests.clients.drive_claude import load_tools, run_claude
from tests.clients.drive_codex import apply_patch, mcp_call, run_codex
from tests.clients.script import Call, Json, Lane, Moment, Script, ToolResult, Turn, call

SHA = r"commit ([0-9a-f]{7,40})\b"
"""How a commit is told of here: by an agent in its answer, and by `SHOW_COMMIT`."""
SHOW_COMMIT = "git log -1 --format='commit %h'"
RUN = r"run_\w{8}\b"
CONFLICT = r"conf_\w{8}\b"
WAITS = "I wait for its answer."
"""What the lead says where its client brings the answer of another turn."""
_OPENING = {
    "maker": "Make one change. You never judge it",
    "checker": "Check one change of another agent",
    "resolver": "Resolve one conflict. Touch nothing",
    "triager": "Find work for others. Mend nothing",
}
"""How the definition of each agent begins: a conversation that was given it is this agent's."""
_DOES = {
    "maker": "make the change",
    "checker": "check the change",
    "resolver": "settle the conflict",
    "triager": "look for work",
}
_AGENTS = "multi_agent_v1"
_DEFERRED = ("share_context",)
"""What the lead itself may need of the tools that its client does not show up front."""
_WAIT_MS = 120_000
Words = str | Callable[[Moment], str]
"""What one agent says to another, known at once or from what it has read."""


class Hands(Protocol):
    """One client, as a story uses it."""

    name: str
    skill: str
    """What a person types before a skill's name."""
    addressed: dict[str, str]
    """To which agent a call speaks, by the call's id."""

    def loom(self, tool: str, arguments: Json) -> Call: ...
    def shell(self, command: str) -> Call: ...
    def edit(self, path: Path, old: str, new: str) -> Sequence[Turn]: ...
    def start(self, agent: str, task: Words) -> Sequence[Turn]: ...
    def tell(self, agent: str, message: Words) -> Sequence[Turn]: ...
    def opened(self) -> Sequence[Turn]: ...
    def skilled(self, skill: str) -> Call: ...
    def is_given(self, request: Json, opening: str) -> bool: ...
    def answer(self, result: ToolResult) -> Json: ...
    def play(self, script: Script, prompt: str, *, cwd: Path, home: Path, env: dict[str, str]) -> ClientRun: ...


class Claude:
    """Claude Code: sub-agents answer at once where they are started, and by a notification where they are told more."""

    name, skill = "Claude Code", "/"

    def __init__(self, path: str, *folders: Path, on_screen: bool = False) -> None:
        self._path, self._folders = path, folders
        self._waits = [WAITS] if on_screen else []
        """On its screen every agent works in the background."""
        self._on_screen = on_screen
        self.addressed: dict[str, str] = {}

    @staticmethod
    def writable(shop: Path, tree: Path | None = None) -> Sequence[Path]:
        """What the session has to be allowed beside its own folder, to commit there."""
        return ()

    def loom(self, tool: str, arguments: Json) -> Call:
        return call(f"mcp__loomstack__{tool}", arguments)

    def shell(self, command: str) -> Call:
        return call("Bash", {"command": command, "description": "run it"})

    def edit(self, path: Path, old: str, new: str) -> Sequence[Turn]:
        wanted = {"file_path": str(path), "old_string": old, "new_string": new}
        return [call("Read", {"file_path": str(path)}), call("Edit", wanted)]

    def start(self, agent: str, task: Words) -> Sequence[Turn]:
        given = {"description": _DOES[agent], "subagent_type": agent, "run_in_background": False}
        return [lambda moment: self._to(agent, call("Agent", {**given, "prompt": _said(task, moment)})), *self._waits]

    def tell(self, agent: str, message: Words) -> Sequence[Turn]:
        def send(moment: Moment) -> Turn:
            [*_, started] = [
                result
                for result in moment.all_results
                if result.name == "Agent" and result.arguments["subagent_type"] == agent
            ]
            known = re.findall(r"agentId: (\w+)", started.text)[-1]
            words = {"message": _said(message, moment), "summary": f"to the {agent}"}
            return self._to(agent, call("SendMessage", {"to": known, **words}))

        return [send, WAITS]

    def opened(self) -> Sequence[Turn]:
        return [load_tools("SendMessage", *(f"mcp__loomstack__{tool}" for tool in _DEFERRED))]

    def skilled(self, skill: str) -> Call:
        return call("Skill", {"skill": skill})

    def is_given(self, request: Json, opening: str) -> bool:
        return opening in json.dumps(request.get("system"))

    def answer(self, result: ToolResult) -> Json:
        assert result.text.startswith("{"), result.text
        found: Json = result.json
        return found

    def play(self, script: Script, prompt: str, *, cwd: Path, home: Path, env: dict[str, str]) -> ClientRun:
        added = [part for folder in self._folders for part in ("--add-dir", str(folder))]
        args = ["--permission-mode", "acceptEdits", *added]
        return run_claude(
            script, prompt, cwd=cwd, home=home, env=env, strict=False, allow=["Bash"], args=args, path=self._path
        )

    def _to(self, agent: str, made: Call) -> Turn:
        self.addressed[made.id] = agent
        return [_aloud(agent, made), made] if self._on_screen else made


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
            given = {"agent_type": agent, "message": _said(task, moment)}
            return self._to(agent, call("spawn_agent", given, namespace=_AGENTS))

        return [spawn, _waiting(agent)]

    def tell(self, agent: str, message: Words) -> Sequence[Turn]:
        def send(moment: Moment) -> Turn:
            given = {"target": _spawned(agent, moment), "message": _said(message, moment)}
            return self._to(agent, call("send_input", given, namespace=_AGENTS))

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


def lane(hands: Hands, agent: str, turns: Sequence[Turn]) -> Lane:
    """The conversation of the agents that were given this definition, one after another."""
    return Lane(lambda request: hands.is_given(request, _OPENING[agent]), turns, agent)


def calls(hands: Hands, tool: str, **arguments: object) -> Turn:
    """A call that names the agent's run where the answer to its start asked for that."""

    def made(moment: Moment) -> Turn:
        start = hands.answer(moment.result("start_run"))
        run = {"run": start["run"]} if "Pass run" in start["next"] else {}
        known = {name: given(moment) if callable(given) else given for name, given in arguments.items()}
        return hands.loom(tool, {**run, **known})

    return made


def own_run(hands: Hands, moment: Moment) -> str:
    """The run that this agent was given when it started."""
    return str(hands.answer(moment.result("start_run"))["run"])


def commits(moment: Moment) -> list[str]:
    """The commit that this agent was told of last, or made."""
    return [read(SHA, moment)]


def read(pattern: str, moment: Moment) -> str:
    """What the agent read last that looks like this."""
    found = re.findall(pattern, told(moment))
    assert found, f"{moment.lane} was never told {pattern}"
    return str(found[-1])


def told(moment: Moment) -> str:
    """All of the conversation, as the client sent it."""
    return json.dumps(moment.request.get("messages") or moment.request.get("input"))


def _aloud(agent: str, made: Call) -> str:
    """What a reader of the screen is told of a call to an agent, of which the screen itself shows the name alone."""
    words = made.arguments.get("prompt") or made.arguments["message"]
    return f"To the {agent}: {words}"


def _said(words: Words, moment: Moment) -> str:
    return words if isinstance(words, str) else words(moment)


def _marked(sign: str, text: str) -> str:
    return "".join(f"{sign}{line}\n" for line in text.splitlines())


def _waiting(agent: str) -> Turn:
    def wait(moment: Moment) -> Turn:
        known = {"targets": [_spawned(agent, moment)], "timeout_ms": _WAIT_MS}
        return call("wait_agent", known, namespace=_AGENTS)

    return wait


def _spawned(agent: str, moment: Moment) -> str:
    """The id of the agent of this kind that was started last."""
    [*_, started] = [
        result
        for result in moment.all_results
        if result.name == f"{_AGENTS}.spawn_agent" and result.arguments["agent_type"] == agent
    ]
    return str(started.json["agent_id"])
