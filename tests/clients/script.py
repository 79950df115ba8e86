"""Scripted "model": what both fake model servers play back.

A script is a list of turns.  One turn is one model response:

    text("done")                        a final text message (ends the agent's loop)
    call("mcp__x__y", {"a": 1})         one tool call
    [text("thinking aloud"), call(..), call(..)]      several blocks in one response
    lambda ctx: ...                     computed when the request arrives (returns any of the above)

`ctx` (class Ctx) gives the callable what the model would see at that moment:
ctx.results (tool results of the last turn), ctx.all_results, ctx.tools (name -> definition
as sent), ctx.tool("suffix") (full name of a tool), ctx.request (the raw JSON), ctx.turn.

A script has lanes: independent conversations.  `Lane(match, turns)` takes the requests for which
`match(req)` is true (a sub-agent, a compaction ...); lanes are tried in order, then `main`.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

_ids = itertools.count(1)


@dataclass
class Text:
    text: str


@dataclass
class Call:
    name: str
    args: Any = field(default_factory=dict)
    id: str = ""
    # Codex only: a call into a namespace ("function_call" with a namespace field) or a custom (freeform) tool
    namespace: str | None = None
    custom: bool = False

    def __post_init__(self):
        if not self.id:
            self.id = f"toolu_{next(_ids):08d}"


def text(s: str) -> Text:
    return Text(s)


def call(name: str, args: Any = None, **kw) -> Call:
    return Call(name, {} if args is None else args, **kw)


@dataclass
class ToolResult:
    id: str
    name: str
    args: Any
    text: str  # all text parts joined: what the model reads
    is_error: bool
    raw: Any  # the raw content as the client sent it

    @property
    def json(self):
        return json.loads(self.text)


@dataclass
class Ctx:
    turn: int
    lane: str
    request: dict
    tools: dict[str, dict]
    results: list[ToolResult]
    all_results: list[ToolResult]

    def tool(self, suffix: str) -> str:
        hits = [n for n in self.tools if n == suffix or n.endswith(suffix)]
        if not hits:
            raise KeyError(f"no tool ending in {suffix!r}; have {sorted(self.tools)}")
        return hits[0]

    def result(self, name_suffix: str) -> ToolResult:
        for r in reversed(self.all_results):
            if r.name.endswith(name_suffix):
                return r
        raise KeyError(name_suffix)


Block = Text | Call
Turn = Any  # str | Block | Iterable[Block] | Callable[[Ctx], Turn]


def resolve(turn: Turn, ctx: Ctx) -> list[Block]:
    if callable(turn):
        return resolve(turn(ctx), ctx)
    if isinstance(turn, str):
        return [Text(turn)]
    if isinstance(turn, (Text, Call)):
        return [turn]
    out: list[Block] = []
    for t in turn:
        out += resolve(t, ctx)
    return out


@dataclass
class Lane:
    match: Callable[[dict], bool]
    turns: list[Turn]
    name: str = "lane"
    cursor: int = 0


class Script:
    def __init__(self, turns: Iterable[Turn], lanes: Iterable[Lane] = (), end: str = "(script ended)"):
        self.main = Lane(lambda r: True, list(turns), "main")
        self.lanes = list(lanes)
        self.end = end
        self.overflow: list[str] = []
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def pick(self, request: dict) -> Lane:
        for lane in self.lanes:
            if lane.match(request):
                return lane
        return self.main

    def next(self, lane: Lane, make_ctx: Callable[[int], Ctx]) -> list[Block]:
        with self._lock:
            i = lane.cursor
            lane.cursor += 1
        if i >= len(lane.turns):
            self.overflow.append(lane.name)
            return [Text(self.end)]
        try:
            return resolve(lane.turns[i], make_ctx(i))
        except Exception as e:  # a bug in the test's script must surface, not hang the client
            self.errors.append(f"{lane.name}[{i}]: {type(e).__name__}: {e}")
            return [Text(f"SCRIPT ERROR {type(e).__name__}: {e}")]
