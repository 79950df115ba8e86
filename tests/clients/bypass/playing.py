"""The attempts, played one after another in one session of a client, and where each of them ended."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.clients.bypass.attempts import ATTEMPTS, Attempt, Made
from tests.clients.bypass.hands import Hand
from tests.clients.bypass.world import World
from tests.clients.client_run import ClientRun
from tests.clients.script import Moment, Script, Turn

Place = Literal["before", "told", "git hook", "gate", "command", "account"]
"""Where an attempt is met: by a client's hook before or after a step, later, or by what it may not touch at all."""
Kind = Literal["step", "commit", "push", "after"]
_BEFORE = re.compile(r"PreToolUse:\w+ hook error|blocked by PreToolUse hook")
_FAILED = re.compile(r"Exit code [1-9]|exited with code [1-9]")
_REFUSED = re.compile(r"^loomstack-mcp: \w+: ", re.MULTILINE)
_NOTHING = re.compile(r"nothing to commit|nothing added to commit|working tree clean|no changes added")


@dataclass
class Played:
    """What became of the attempts in one session."""

    client: str
    met: dict[str, list[Place]] = field(default_factory=dict)
    """By attempt, in order."""
    landed: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    """What the model was shown, for whoever looks into a failure."""


def played(hand: Hand, world: World, attempts: Sequence[Attempt] = ATTEMPTS) -> tuple[Played, ClientRun]:
    """The attempts in one session. A sub-agent's are those of one lane."""
    record = Played(client=hand.name)
    player = _Player(hand, world, record)
    turns: list[Turn] = []
    lanes: list[Turn] = []
    for attempt in attempts:
        made = player.turns(attempt)
        if attempt.in_agent:
            lanes += [*made, player.ended("made")]
            first, *others = hand.agent()
            turns += [player.ended(first), *others]
        else:
            turns += made
    # What is left open is told once where nobody sits at the screen, and the model has another turn.
    script = Script([*turns, player.ended("done"), "done"], [hand.lane(lanes)])
    run = hand.play(script, world)
    player.close()
    return record, run


class _Player:
    def __init__(self, hand: Hand, world: World, record: Played) -> None:
        self._hand, self._world, self._record = hand, world, record
        self._attempt: Attempt | None = None
        self._last: tuple[str, Kind] | None = None

    def turns(self, attempt: Attempt) -> list[Turn]:
        """What the model does in an attempt, each step looked at when the next is asked for."""
        line = [self._begun(attempt, attempt.steps[0]), *(self._step("step", made) for made in attempt.steps[1:])]
        line.append(self._step("commit", lambda hand, _world, _moment: hand.shell(attempt.commit)))
        line.append(self._step("push", lambda hand, _world, _moment: hand.shell(attempt.push)))
        return [*line, *(self._step("after", made) for made in attempt.after)]

    def ended(self, turn: Turn) -> Turn:
        """What the model says where its next step is of another conversation, or there is none."""

        def said(moment: Moment) -> Turn:
            self._look(moment)
            return turn

        return said

    def close(self) -> None:
        """What the last attempt changed on the trunk, and all as it was."""
        if self._attempt and self._world.tip != self._world.base:
            self._record.landed.append(self._attempt.name)
        self._attempt = None
        self._world.cleared()

    def _begun(self, attempt: Attempt, made: Made) -> Callable[[Moment], Turn]:
        step = self._step("step", made)

        def begin(moment: Moment) -> Turn:
            self._look(moment)
            self.close()
            self._attempt = attempt
            self._record.met[attempt.name], self._record.words[attempt.name] = [], []
            return step(moment)

        return begin

    def _step(self, kind: Kind, made: Made) -> Callable[[Moment], Turn]:
        def step(moment: Moment) -> Turn:
            self._look(moment)
            done = made(self._hand, self._world, moment)
            self._last = (done.id, kind)
            return done

        return step

    def _look(self, moment: Moment) -> None:
        """Where the last step was met, by what the model is shown of it."""
        if not (self._last and self._attempt):
            return
        (called, kind), self._last = self._last, None
        text = "\n".join(result.text for result in moment.results if result.id == called)
        is_told = self._hand.is_told(moment)
        self._record.words[self._attempt.name].append(f"{kind}{' (told)' if is_told else ''}: {text}")
        met = self._record.met[self._attempt.name]
        if _BEFORE.search(text):
            met.append("before")
            return
        if is_told:
            met.append("told")
        if place := _place(kind, text):
            met.append(place)


def _place(kind: Kind, text: str) -> Place | None:
    if "pre-receive hook declined" in text:
        return "gate"
    if kind in ("commit", "push") and _FAILED.search(text) and not _NOTHING.search(text):
        return "git hook"
    if "Permission denied" in text or "not permitted" in text:
        return "account"
    if kind == "after" and _REFUSED.search(text):
        return "command"
    return None
