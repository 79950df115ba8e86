"""Whether what clients saw of one path can have happened one after another, each at some instant of its call.

The search of Wing and Gong (1993) with the memory of Lowe (2017): a call may come next if no other call had ended
before it began; a state that was met with the same calls behind it is not looked at twice. The path is a lock with a
lease: who holds it, and from when on somebody else may be granted it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Answer = Literal["granted", "refused", "released", "swept", "lost", "unknown grant", "unknown release"]
_LATE_MS = 10_000
"""What a client that died had asked for is done by then, or never."""


@dataclass(frozen=True)
class Call:
    """One call about the path, by the clock that all clients of the machine have in common."""

    who: str
    began_ms: float
    ended_ms: float
    answer: Answer
    ttl_ms: float = 0
    by: str = ""
    """Who was named as the holder in a refusal; "" for whoever."""

    @property
    def until_ms(self) -> float:
        """When it was surely over."""
        return self.began_ms + _LATE_MS if self.answer.startswith("unknown") else self.ended_ms


State = tuple[str, float]
"""Who holds the path, "" for nobody, and until when at least."""
FREE: State = ("", 0.0)


def is_linearizable(history: Sequence[Call], /) -> bool:
    """Whether one order of all these calls explains every answer."""
    calls = sorted(history, key=lambda call: call.began_ms)
    whole = (1 << len(calls)) - 1
    stack: list[tuple[int, State]] = [(0, FREE)]
    seen = set(stack)
    while stack:
        done, state = stack.pop()
        if done == whole:
            return True
        for at in _next(calls, done):
            for after in _after(calls[at], state):
                found = (done | 1 << at, after)
                if found not in seen:
                    seen.add(found)
                    stack.append(found)
    return False


def shortest(history: Sequence[Call], /) -> list[Call]:
    """The calls up to the first instant at which no order explains them, by their ends; all where one does."""
    ends = sorted(call.ended_ms for call in history if not call.answer.startswith("unknown"))
    least, most = 0, len(ends) - 1
    while least < most:
        middle = (least + most) // 2
        if is_linearizable(_until(history, ends[middle])):
            least = middle + 1
        else:
            most = middle
    return sorted(_until(history, ends[least]), key=lambda call: call.until_ms) if ends else []


def _until(history: Sequence[Call], instant_ms: float) -> list[Call]:
    """What was known then: of a call that had no answer yet, what it may do."""
    found = []
    for call in history:
        if call.began_ms > instant_ms:
            continue
        if call.ended_ms <= instant_ms or call.answer.startswith("unknown"):
            found.append(call)
        elif call.answer in ("granted", "released", "swept"):
            found.append(replace(call, answer="unknown grant" if call.answer == "granted" else "unknown release"))
    return found


def _next(calls: Sequence[Call], done: int) -> Iterator[int]:
    """The calls that may come next: no other that is not done had ended before they began."""
    first_end_ms = float("inf")
    at = (~done & (done + 1)).bit_length() - 1
    while at < len(calls) and calls[at].began_ms <= first_end_ms:
        if not done >> at & 1:
            first_end_ms = min(first_end_ms, calls[at].until_ms)
            yield at
        at += 1


def _after(call: Call, state: State) -> Iterator[State]:
    """The states in which this call may leave the path; none where its answer was wrong."""
    holder, until_ms = state
    is_free = holder in ("", call.who) or until_ms <= call.until_ms
    held: State = (call.who, call.began_ms + call.ttl_ms)
    if call.answer == "granted" and is_free:
        yield held
    elif call.answer == "refused" and holder not in ("", call.who) and call.by in ("", holder):
        yield state
    elif call.answer == "released" and holder == call.who:
        yield FREE
    elif call.answer == "swept" or (call.answer == "lost" and (holder != call.who or until_ms <= call.until_ms)):
        yield FREE if holder == call.who else state
    elif call.answer == "unknown grant":
        yield from (state, held) if is_free else (state,)
    elif call.answer == "unknown release":
        yield from (state, FREE) if holder == call.who else (state,)
