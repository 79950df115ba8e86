"""Where landed lines stand by now, and whether a new hunk stands there."""

from collections.abc import Iterable

from loomstack_mcp.core.changes.hunks import Hunk
from loomstack_mcp.core.changes.ledger import Piece, Trail

_DRIFT_LINES = 3
"""How far apart two places may be and yet count as one."""


def stands_near(trail: Trail, piece: Piece, hunk: Hunk, forebears: int, /) -> bool:
    """Whether `hunk` of a new change, made on `forebears`, stands where `piece` stands by now.

    Exact on a straight history; where branches were merged, up to the lines that they shifted.
    """
    first, last = _span(piece.net.hunk.after, piece.net.hunk.after_lines)
    for step in trail.steps:
        if step.number > piece.number and forebears >> step.number & 1:
            first, last = _shifted(first, last, step.file.hunks)
    start, end = _span(hunk.before, hunk.before_lines)
    return start <= last + _DRIFT_LINES and first <= end + _DRIFT_LINES


def _shifted(first: int, last: int, hunks: Iterable[Hunk]) -> tuple[int, int]:
    """Where the lines `first` to `last` are after these hunks; widened to the hunks that replace some of them."""
    low, high, shift_low, shift_high = first, last, 0, 0
    for hunk in hunks:
        start, end = _span(hunk.before, hunk.before_lines)
        if start > last:
            break
        shift = hunk.after_lines - hunk.before_lines
        shift_high += shift
        if end < first:
            shift_low += shift
        else:
            low, high = min(low, start), max(high, end)
    return low + shift_low, max(low + shift_low, high + shift_high)


def _span(start: int, lines: int) -> tuple[int, int]:
    """First and last line; an empty place, which git names by the line above it, is that line and the next."""
    return (start, start + lines - 1) if lines else (start, start + 1)
