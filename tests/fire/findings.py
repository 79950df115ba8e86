"""What must hold after a fire, from the logs of the clients, the reader's, and the store's own."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loomstack_mcp.core.events import Event
from tests.fire.linear import Answer, Call, is_linearizable, shortest
from tests.fire.worker import CALLS_MAX, FILES, FOLDER

Line = Mapping[str, Any]
Calls = Sequence[tuple[Line, Line | None]]
"""Each with its answer, None where none came."""
_SHOWN_MAX = 12
_ANSWERS_MIN = 50
_ONCE = (("record", "outcome", "outcome.recorded"), ("share", "note", "note.shared"))
"""What is asked for, what comes of it, and the event that says so."""
_ENDS = ("claim.released", "claim.expired", "claim.revoked")


def lines_of(logs: Sequence[Path]) -> list[Line]:
    """All that clients wrote; a line that a kill cut off was not written."""
    found = []
    for log in logs:
        whole = log.read_text(encoding="utf-8").rpartition("\n")[0]
        found += [json.loads(line) for line in whole.splitlines() if line.endswith("}")]
    return found


def calls_of(lines: Sequence[Line]) -> Calls:
    """The calls in them."""
    ends = {line["end"]: line for line in lines if "end" in line}
    return [(line, ends.get(line["call"])) for line in lines if "call" in line]


def findings(lines: Sequence[Line], events: Sequence[Event], read: Sequence[int], *, within_ms: int) -> list[str]:
    """Everything that should not be so; nothing of it should ever be found."""
    calls = calls_of(lines)
    return [
        *unexplained(calls),
        *double_holders(events),
        *_not_in_log(calls, events),
        *_sinking_fences(calls),
        *_done_twice(calls, events),
        *_fenced_off(lines, calls),
        *_late(lines, within_ms=within_ms),
        *_misread(read, [event.seq for event in events]),
    ]


def is_enough(calls: Calls) -> bool:
    """Whether so much was answered that it says something. On a busy machine seconds alone do not."""
    return sum(end is not None for _, end in calls) > _ANSWERS_MIN


def is_wrong(calls: Calls) -> bool:
    """Whether some path has a history that no order of calls explains."""
    return not all(is_linearizable(_history(path, calls)) for path in FILES)


def unexplained(calls: Calls) -> Iterator[str]:
    """The paths whose history no order of calls explains."""
    for path in FILES:
        history = _history(path, calls)
        if not is_linearizable(history):
            told = "".join(f"\n  {call}" for call in shortest(history)[-_SHOWN_MAX:])
            yield f"{path}: {len(history)} answers cannot all have been true; already the last of these is not{told}"


def _history(path: str, calls: Calls) -> list[Call]:
    return [call for asked, end in calls for call in _seen_of(path, asked, end)]


def _seen_of(path: str, asked: Line, end: Line | None) -> Iterator[Call]:
    """What a call says of one path. A refusal of several paths does not say of which."""
    if path not in _files(asked["paths"]):
        return
    what = "grant" if asked["what"] == "claim" else "release"
    answer: Answer = end["answer"] if end else f"unknown {what}"  # type: ignore[assignment]  # one of these two
    if answer == "refused" and _files(asked["paths"]) != [path]:
        return
    by = end["by"][0] if end and answer == "refused" else ""
    ended_ms = end["at_ms"] if end else 0.0
    yield Call(
        who=asked["who"], began_ms=asked["at_ms"], ended_ms=ended_ms, answer=answer, ttl_ms=asked["ttl_ms"], by=by
    )


def double_holders(events: Sequence[Event]) -> Iterator[str]:
    """Two runs at one path by the store's own log. A run may hold a path twice: what lapsed it gets back, if free."""
    held: dict[str, Event] = {}
    for event in events:
        if event.kind == "claim.granted":
            for one in held.values():
                if one.run_id != event.run_id and (both := sorted(_held(one) & _held(event))):
                    yield f"{both[0]}: {event.about} was granted while {one.about} held it"
            held[event.about] = event
        elif event.kind in _ENDS:
            held.pop(event.about, None)


def _held(grant: Event) -> set[str]:
    return set(_files(grant.payload["patterns"]))  # type: ignore[arg-type]  # the log's own


def _not_in_log(calls: Calls, events: Sequence[Event]) -> Iterator[str]:
    """Changes that were acknowledged, and are not there."""
    logged = {(event.kind, event.about) for event in events}
    fences = {event.about: event.seq for event in events if event.kind == "claim.granted"}
    for _, end in calls:
        if end is None:
            continue
        if "fence" in end and fences.get(end["claim"]) != end["fence"]:
            yield f"{end['claim']} was granted under {end['fence']}, and the log says {fences.get(end['claim'])}"
        yield from (f"{one} was released, and is not" for one in end.get("claims", ()) if not _ended(one, logged))
        if "run" in end and ("run.started", end["run"]) not in logged:
            yield f"{end['run']} was started, and is not"
        for _, noun, kind in _ONCE:
            if noun in end and (kind, end[noun]) not in logged:
                yield f"{end[noun]} was {end['answer']}, and is not"


def _done_twice(calls: Calls, events: Sequence[Event]) -> Iterator[str]:
    """What is to be done once, and was done more often than it was asked."""
    whose = {end["run"]: line["who"] for line, end in calls if end and "run" in end}
    for what, noun, kind in _ONCE:
        asked = Counter(line["who"] for line, _ in calls if line["what"] == what)
        for run, count in Counter(event.run_id for event in events if event.kind == kind).items():
            if run in whose and count > asked[whose[run]]:
                yield f"{run} has {count} of {noun}, and asked for {asked[whose[run]]}"


def _fenced_off(lines: Sequence[Line], calls: Calls) -> Iterator[str]:
    """Holders that were refused by what they hold, though nobody can have come after them yet."""
    until_ms = {end["claim"]: asked["at_ms"] + asked["ttl_ms"] for asked, end in calls if end and "claim" in end}
    for line in lines:
        if line.get("is_refused") and line["at_ms"] < until_ms[line["claim"]]:
            yield f"{line['wrote']} was refused to {line['claim']}, which held it under {line['fence']}"


def _late(lines: Sequence[Line], *, within_ms: int) -> Iterator[str]:
    """Calls that had no answer in time, be it that there is none."""
    kills = {line["killed"]: line["at_ms"] for line in lines if "killed" in line}
    ends = {line.get("end", line.get("failed")): line["at_ms"] for line in lines if "end" in line or "failed" in line}
    for line in lines:
        if "call" in line:
            until_ms = ends.get(line["call"], kills.get(line["call"] // CALLS_MAX))
            if until_ms is None or until_ms - line["at_ms"] > within_ms:
                took = "for ever" if until_ms is None else f"{until_ms - line['at_ms']:.0f} ms"
                yield f"{line['who']} waited {took} for its {line['what']}"


def _misread(read: Sequence[int], logged: Sequence[int]) -> Iterator[str]:
    """What a reader was told, beside what there is to tell."""
    if list(read) == list(logged):
        return
    missed, invented = sorted(set(logged) - set(read)), sorted(set(read) - set(logged))
    again = sorted(seq for seq, count in Counter(read).items() if count > 1)
    yield (
        f"a reader missed {missed[:9]}, was told {again[:9]} twice, and {invented[:9]} that are not there"
        f" ({len(read)} of {len(logged)})"
    )


def _ended(claim: str, logged: set[tuple[Any, str]]) -> bool:
    return any((kind, claim) in logged for kind in _ENDS)


def _sinking_fences(calls: Calls) -> Iterator[str]:
    """Whoever asks after another was granted gets a higher token than that one."""
    first: dict[str, tuple[int, float, float]] = {}
    for asked, end in calls:
        if end and "fence" in end:  # a claim that is renewed keeps its token
            first.setdefault(end["claim"], (end["fence"], asked["at_ms"], end["at_ms"]))
    latest_ms = 0.0
    for claim, (fence, began_ms, ended_ms) in sorted(first.items(), key=lambda grant: grant[1]):
        if latest_ms > ended_ms:
            yield f"{claim} was granted under {fence} before another asked that has a lower token"
        latest_ms = max(latest_ms, began_ms)


def _files(patterns: Sequence[str]) -> list[str]:
    return list(FILES) if FOLDER in patterns else [path for path in FILES if path in patterns]
