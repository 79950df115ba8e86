"""Where landed lines stand by now, and whether a new hunk stands there."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from loomstack_mcp.core.changes.hunks import Hunk

_DRIFT_LINES = 3
"""How far apart two places may be and yet count as one."""


class Shifts:
    """How the hunks of one change to one file, in their order, move the lines of it."""

    __slots__ = ("_ends", "_moved", "_starts")

    def __init__(self, hunks: Sequence[Hunk]) -> None:
        spans = [_span(hunk.before, hunk.before_lines) for hunk in hunks]
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self._moved = [0, *accumulate(hunk.after_lines - hunk.before_lines for hunk in hunks)]

    def shifted(self, first: int, last: int, /) -> tuple[int, int]:
        """Where the lines `first` to `last` are after the hunks; widened to the hunks that replace some of them."""
        low, high = bisect_left(self._ends, first), bisect_right(self._starts, last)
        if low < high:
            first, last = min(first, self._starts[low]), max(last, self._ends[high - 1])
        start = first + self._moved[low]
        return start, max(start, last + self._moved[high])


def place_of(hunk: Hunk, /) -> tuple[int, int]:
    """The first and the last line of a hunk in the new file."""
    return _span(hunk.after, hunk.after_lines)


def are_near(place: tuple[int, int], hunk: Hunk, /) -> bool:
    """Whether a new hunk replaces lines at this place.

    Exact on a straight history; where branches were merged, up to the lines that they shifted.
    """
    first, last = place
    start, end = _span(hunk.before, hunk.before_lines)
    return start <= last + _DRIFT_LINES and first <= end + _DRIFT_LINES


def _span(start: int, lines: int) -> tuple[int, int]:
    """First and last line; an empty place, which git names by the line above it, is that line and the next."""
    return (start, start + lines - 1) if lines else (start, start + 1)
