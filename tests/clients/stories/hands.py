"""What an agent does, as either client's model calls it: the same steps of a story for both."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tests.clients.client_run import ClientRun
from tests.clients.script import Call, Json, Lane, Moment, Script, ToolResult, Turn

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


def said(words: Words, moment: Moment) -> str:
    """The words, by what the agent has read."""
    return words if isinstance(words, str) else words(moment)
