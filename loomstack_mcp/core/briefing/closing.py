"""What a session leaves open where it stops: told once, in a few lines, before it is forgotten."""

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import plain_line

if TYPE_CHECKING:
    from loomstack_mcp.core.changes.conflict_records import Verdict

_AGAIN = "Then give your answer again: only your last one is read."
_PATHS_CHARS = 120
_LOOP_CHARS = 40
_CONFLICTS_MAX = 2


@record
class OpenWork:
    """What is not finished of what a session did in a worktree."""

    files: tuple[str, ...] = ()
    """Written since it started, not committed, and held by nobody else."""
    commits: int = 0
    """Made since it started, and on no remote."""
    runs: tuple[Run, ...] = ()
    """That it asked for, and of which nothing is recorded."""

    def __bool__(self) -> bool:
        return bool(self.files or self.commits or self.runs)


@record
class Foresight:
    """What a check for conflicts says of it."""

    verdict: "Verdict"
    conflicts: tuple[tuple[str, str, str], ...] = ()
    """Each with its verdict, the commit of others that it is about, and where."""
    unchecked: str = ""
    """Why something was not looked at; then the verdict is never clear."""


def closing_words(work: OpenWork, found: Foresight | None, /, *, is_read_again: bool) -> str:
    """All that is open, in one line each. Where nobody sits at the screen, only a model's last answer is read."""
    again = [_AGAIN] if is_read_again else []
    return "\n".join(["LoomStack: before this ends", *_lines(work, found), *again])


def reminder_mark(*parts: object) -> str:
    """By what it is known that the very same was told already."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def kinds_of(work: OpenWork, /) -> tuple[bool, bool, tuple[str, ...]]:
    """What kinds of things are open: at a screen these are told once, whatever the files."""
    return bool(work.files), bool(work.commits), tuple(run.id for run in work.runs)


def _lines(work: OpenWork, found: Foresight | None) -> Iterator[str]:
    if work.files:
        yield f"- not committed: {plain_line(few_listed(work.files), chars_max=_PATHS_CHARS)}"
    if work.commits:
        yield f"- not pushed: {counted(work.commits, 'commit')}"
    for run in work.runs[:2]:
        yield f"- {run.id} ({plain_line(run.loop, chars_max=_LOOP_CHARS)}) has no outcome: record_outcome"
    if found:
        yield from _foreseen(found)
    yield "Finish what you meant to; what is meant to stay so may stay."


def _foreseen(found: Foresight) -> Iterator[str]:
    for verdict, sha, paths in sorted(found.conflicts)[:_CONFLICTS_MAX]:  # stop comes before warn
        yield f"- check_conflicts: {verdict}, over {sha[:10]} in {plain_line(paths, chars_max=_PATHS_CHARS)}"
    if found.unchecked:
        yield f"- conflicts not checked, because {plain_line(found.unchecked, chars_max=_PATHS_CHARS)}"
