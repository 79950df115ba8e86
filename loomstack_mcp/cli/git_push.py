"""A push, judged before git sends it: what is said of each ref, and whether git is stopped."""

import sys
from collections.abc import Iterator, Sequence

from loomstack_mcp.cli.git_words import decision_lines
from loomstack_mcp.core.changes.conflicts import conflict_advice, conflict_words
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.edge.gate import Judgement, Update
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.pushing import judged_push

_STDIN_BYTES_MAX = 10_000_000
_LINES_MAX = 20
_NAMED_MAX = 2


def push_answer(here: Here, *, by_agent: bool) -> tuple[list[str], bool]:
    """What is said of the push that git describes on stdin, and whether it is stopped. Raises as `judged_push`."""
    said: dict[str, list[str]] = {}
    is_stopped = False
    for update, lands, found in judged_push(here, list(_updates()), by_agent=by_agent):
        for line in (*_conflicts(found), *_ruled(found), *(f"note: {gap}" for gap in found.gaps)):
            said.setdefault(line, []).append(update.ref)
        stops = found.decision.answer == "deny" or (by_agent and found.decision.answer == "require_approval")
        is_stopped |= stops or (lands and found.is_stopped)
    lines = [f"{_named(refs)}: {line}" for line, refs in said.items()]
    more = [f"and {counted(len(lines) - _LINES_MAX, 'line')} more"] if len(lines) > _LINES_MAX else []
    return [*lines[:_LINES_MAX], *more], is_stopped


def _named(refs: Sequence[str]) -> str:
    """The refs of which the same is said."""
    more = len(refs) - _NAMED_MAX
    return ", ".join(refs[:_NAMED_MAX]) + (f" and {counted(more, 'ref')} more" if more > 0 else "")


def _ruled(judgement: Judgement) -> list[str]:
    return decision_lines(judgement.decision, approval=judgement.approval, refused=judgement.refused)


def _updates() -> Iterator[Update]:
    """What git is about to push (githooks(5), pre-push): `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID` a line."""
    given = sys.stdin.buffer.read(_STDIN_BYTES_MAX).decode("utf-8", "surrogateescape")
    for words in (line.split(" ") for line in given.split("\n")):
        if len(words) == 4:
            yield Update(old=words[3], new=words[1], ref=words[2])


def _conflicts(judgement: Judgement) -> Iterator[str]:
    if found := judgement.conflicts:
        for one in found.conflicts:
            words = conflict_words(one, now_ms=found.now_ms)
            yield f"{one.verdict} {words} \u2192 {conflict_advice(one, target=found.target)}"
