"""Stranded work: what a run finished and recorded, and the trunk has not, long after its end."""

from collections.abc import Sequence

from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.phrases import age, counted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run

REVIEW_MS = DAY_MS
"""So long may a pull request wait before anybody calls it stranded."""
LANDED_LEAST = 0.5
"""Of what a run's commits did, so much on the trunk says that they landed, as in a squash that others edited."""

_SHOWN_MAX = 3


@record
class StrandedRun:
    """A run that is over, and the commits that it last recorded and the trunk has not by their ids."""

    run: Run
    commits: tuple[str, ...]


@record
class TrunkSeen:
    """The trunk's tip in a clone, "" for none, and when it was last known to be that; 0 where that is unknown."""

    tip: str
    at_ms: int


def due_at(run: Run, at_ms: int, /) -> bool:
    """Whether a run had been over for so long that its commits should have been on the trunk."""
    return run.ended_at_ms is not None and run.ended_at_ms + REVIEW_MS <= at_ms


def stranded_words(commits: Sequence[str], /) -> str:
    """How much is missing."""
    return f"{counted(len(commits), 'commit')} not on the trunk"


def stranded_told(stranded: StrandedRun, /, *, now_ms: int) -> str:
    """What the loop whose run it was hears of it."""
    run = stranded.run
    shown = ", ".join(sha[:10] for sha in stranded.commits[:_SHOWN_MAX])
    more = ", …" if len(stranded.commits) > _SHOWN_MAX else ""
    ended = age(max(0, now_ms - (run.ended_at_ms or now_ms)))
    return f"{stranded_words(stranded.commits)} ({shown}{more}), {ended} after your run ended: {run.goal}"
