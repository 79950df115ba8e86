"""What was played: each call of each agent with its answer, in order; and what the tools of the server cost."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.clients.client_run import ClientRun
from tests.clients.fake_anthropic import tool_results as shown_to_claude
from tests.clients.fake_openai import tool_results as shown_to_codex
from tests.clients.script import Call, Json, Text, ToolResult
from tests.clients.stories.hands import WAITS, Hands

_CHARS_A_TOKEN = 4
_SERVER = "loomstack__"
_EDITED = re.compile(r"Update File: (.*)")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call or answer of an agent."""

    at_s: float
    who: str
    tool: str = ""
    """One of the server's; or what it is otherwise: shell, edit, skill, tell. Empty where an agent only answers."""
    arguments: Json
    answer: Json
    """Of the server's tools."""
    text: str = ""
    """What the agent says; or what it was shown."""

    @property
    def is_ours(self) -> bool:
        """Whether a tool of the server was called."""
        return bool(self.answer)

    @property
    def costs(self) -> int:
        """Characters of the arguments and the answer."""
        return sum(map(_size, (self.arguments, self.answer)))


def steps(hands: Hands, run: ClientRun, *, owner: str = "") -> list[Step]:
    """What the agents of one session did, oldest first."""
    answers = {result.id: result for result in _results(run)}
    found = []
    for at_s, lane, block in run.script.played:
        who = f"{owner}{'lead' if lane == 'main' else lane}"
        if isinstance(block, Text) and block.text != WAITS:
            found.append(Step(at_s=at_s, who=who, arguments={}, answer={}, text=block.text))
        elif isinstance(block, Call) and (told := _told(hands, block, answers[block.id])):
            found.append(Step(at_s=at_s, who=who, **told))
    return found


def cost_table(played: Sequence[Step]) -> tuple[str, int]:
    """Tokens of each call of the server's tools with its answer, and their sum."""
    ours = [step for step in played if step.is_ours]
    rows = [f"{step.costs / _CHARS_A_TOKEN:7.1f}  {step.who:8} {step.tool}" for step in ours]
    total = -(-sum(step.costs for step in ours) // _CHARS_A_TOKEN)
    return "\n".join([*rows, f"{total:7}  in all"]), total


def _size(part: Json) -> int:
    return len(json.dumps(part, ensure_ascii=False, separators=(",", ":")))


def _results(run: ClientRun) -> Iterable[ToolResult]:
    for request in run.requests:
        body = request["body"] or {}
        yield from shown_to_claude(body.get("messages") or [])
        yield from shown_to_codex(body.get("input") or [])


def _told(hands: Hands, made: Call, result: ToolResult) -> Json | None:
    """The call in words that are the same for both clients; None of what only one of them needs."""
    given = made.arguments if isinstance(made.arguments, dict) else {"command": made.arguments}
    if _SERVER.removesuffix("__") in f"{made.namespace}{made.name}":
        tool = made.name.rpartition(_SERVER)[2]
        return {"tool": tool, "arguments": given, "answer": hands.answer(result), "text": result.text}
    if made.id in hands.addressed:
        words = given.get("prompt", given.get("message"))
        return {"tool": "tell", "arguments": {"to": hands.addressed[made.id], "words": words}, "answer": {}}
    if made.name == "Skill" or "SKILL.md" in given.get("cmd", ""):
        [skill] = re.findall(r"loom-\w+", json.dumps(given))
        return {"tool": "skill", "arguments": {"skill": skill}, "answer": {}}
    if made.name in ("Bash", "exec_command"):
        line = given.get("command", given.get("cmd"))
        return {"tool": "shell", "arguments": {"command": line}, "answer": {}, "text": result.text}
    if made.name in ("Edit", "apply_patch"):
        path = given.get("file_path") or _EDITED.findall(given["command"])[0]
        return {"tool": "edit", "arguments": {"path": path}, "answer": {}, "text": result.text}
    return None
