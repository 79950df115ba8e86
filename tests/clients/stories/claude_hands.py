"""A story's steps as Claude Code's model calls them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from tests.clients.client_run import ClientRun
from tests.clients.drive_claude import load_tools, run_claude, start_agent
from tests.clients.script import Call, Json, Moment, Script, ToolResult, Turn, call
from tests.clients.stories.hands import WAITS, Words, said

_DOES = {
    "maker": "make the change",
    "checker": "check the change",
    "resolver": "settle the conflict",
    "triager": "look for work",
}
_DEFERRED = ("share_context",)
"""What the lead itself may need of the tools that its client does not show up front."""


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
        def begin(moment: Moment) -> Turn:
            return self._to(agent, start_agent(agent, said(task, moment), what=_DOES[agent]))

        return [begin, *self._waits]

    def tell(self, agent: str, message: Words) -> Sequence[Turn]:
        def send(moment: Moment) -> Turn:
            [*_, started] = [
                result
                for result in moment.all_results
                if result.name == "Agent" and result.arguments["subagent_type"] == agent
            ]
            known = re.findall(r"agentId: (\w+)", started.text)[-1]
            words = {"message": said(message, moment), "summary": f"to the {agent}"}
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


def _aloud(agent: str, made: Call) -> str:
    """What a reader of the screen is told of a call to an agent, of which the screen itself shows the name alone."""
    words = made.arguments.get("prompt") or made.arguments["message"]
    return f"To the {agent}: {words}"
