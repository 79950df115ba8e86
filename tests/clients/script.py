"""A scripted model: what both fake servers play back.

A script is a list of turns, and a turn is one answer of the model:

    "done"                              a final text (ends the agent's loop)
    call("mcp__x__y", {"a": 1})         one tool call
    ["thinking aloud", call(..), call(..)]            several blocks in one answer
    lambda moment: ...                  computed when the request arrives; returns any of the above

A script has lanes: conversations of their own. `Lane(match, turns)` takes the requests for which `match(request)` is
true (a sub-agent's, say); lanes are tried in order, then the main one.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json = dict[str, Any]
"""An object as a client sends it, or is sent it."""

_ids = itertools.count(1)


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Any
    """An object; of Codex's custom tools a text."""
    namespace: str | None = None
    """Codex only: where the tool is named."""
    custom: bool = False
    """Codex only: a tool that takes free text."""
    id: str = field(default_factory=lambda: f"toolu_{next(_ids):08d}")


def call(name: str, arguments: Json | None = None, *, namespace: str | None = None) -> Call:
    return Call(name, arguments or {}, namespace=namespace)


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    id: str
    name: str
    arguments: Any
    text: str
    """All text parts joined: what the model reads."""
    is_error: bool
    raw: Any
    """The content as the client sent it."""

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the model sees when it is asked."""

    turn: int
    lane: str
    request: Json
    tools: dict[str, Json]
    """Definitions by name, as sent."""
    results: list[ToolResult]
    """Of the last turn."""
    all_results: list[ToolResult]

    def tool(self, suffix: str) -> str:
        """The full name of a tool."""
        for name in self.tools:
            if name.endswith(suffix):
                return name
        raise KeyError(f"no tool ending in {suffix!r}; have {sorted(self.tools)}")

    def result(self, suffix: str) -> ToolResult:
        """The last result of a tool."""
        for result in reversed(self.all_results):
            if result.name.endswith(suffix):
                return result
        raise KeyError(suffix)


Block = Text | Call
Turn: TypeAlias = "str | Block | Sequence[Turn] | Callable[[Moment], Turn]"


def resolved(turn: Turn, moment: Moment) -> list[Block]:
    """The blocks of a turn, in order."""
    if isinstance(turn, str):
        return [Text(turn)]
    if isinstance(turn, Text | Call):
        return [turn]
    if isinstance(turn, Sequence):
        return [block for part in turn for block in resolved(part, moment)]
    return resolved(turn(moment), moment)


@dataclass
class Lane:
    match: Callable[[Json], bool]
    turns: Sequence[Turn]
    name: str = "lane"
    cursor: int = 0


class Script:
    """Turns, and what went wrong: `overflow` names the lanes that were asked beyond their end."""

    def __init__(self, turns: Iterable[Turn], lanes: Iterable[Lane] = (), end: str = "(script ended)") -> None:
        self.main = Lane(lambda _: True, list(turns), "main")
        self.lanes = list(lanes)
        self.end = end
        self.overflow: list[str] = []
        self.errors: list[str] = []
        self.played: list[tuple[float, str, Block]] = []
        """What the model answered: when, in which lane."""
        self._lock = threading.Lock()

    def lane(self, request: Json) -> Lane:
        """The lane that a request belongs to."""
        return next((lane for lane in self.lanes if lane.match(request)), self.main)

    def next_blocks(self, lane: Lane, moment_at: Callable[[int], Moment]) -> list[Block]:
        """What the model answers next; `moment_at` is called with the number of the turn."""
        with self._lock:
            turn = lane.cursor
            lane.cursor += 1
        if turn >= len(lane.turns):
            self.overflow.append(lane.name)
            return [Text(self.end)]
        try:
            blocks = resolved(lane.turns[turn], moment_at(turn))
        except Exception as error:  # noqa: BLE001 a bug in a test's script must surface, not hang the client
            wrong = f"{type(error).__name__}: {error}"
            self.errors.append(f"{lane.name}[{turn}]: {wrong}")
            blocks = [Text(f"SCRIPT ERROR {wrong}")]
        self.played += [(time.monotonic(), lane.name, block) for block in blocks]
        return blocks
