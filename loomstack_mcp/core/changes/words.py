"""The words of a case, the same in the terminal, on a page, at the gate and to an agent."""

import re
from collections.abc import Iterable

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.limits import DAY_MS, HOUR_MS, MINUTE_MS
from loomstack_mcp.core.phrases import counted

VERBS = {
    "undo": "takes back",
    "stale_base": "writes an old copy over",
    "ping_pong": "bounces back over",
    "intent": "touches",
    "already_landed": "repeats",
}
"""What a change does to one that landed, by the kind of the case."""

_SAID_MAX = 60
"""Letters and digits; a line that has more says no more."""
_FOLLOWS = re.compile(r"\s*(?:import|from|use|using|#include|require|package|//|/\*|\*|#|--|<!--|\"\"\")")
_PROSE = (".md", ".rst", ".txt", ".json", ".yaml", ".yml", ".toml", ".mod", ".sum", ".lock", ".snap", ".svg", ".html")
_WHOLE = 0.995


def taken_back(one: Reversal, /) -> tuple[Undone, ...]:
    """What a case is about: what was taken back without agreement, and not only to put back what that had taken."""
    return tuple(undone for undone in one.silent if not undone.own_repair) or one.silent


def share_words(share: float, /) -> str:
    """A part, from 0 to 1, as people say it."""
    return "under 1 %" if share < 0.01 else f"{share:.0%}"


def stood_words(ms: int, /) -> str:
    """A duration in full words, for a sentence: `4 days`, `1 hour`, `under a minute`."""
    for unit_ms, unit in ((DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute")):
        if ms >= unit_ms:
            return counted(ms // unit_ms, unit)
    return "under a minute"


def is_followed(one: Reversal, /) -> bool:
    """Whether it is known what has become of a case: that lines of it are missing, or who put them back."""
    return bool(one.lost and (one.missing or one.repairs))


def missing_words(one: Reversal, /) -> str:
    """How much of what was taken back is still missing; "" where that is not known: then nothing is called back."""
    if not is_followed(one):
        return ""
    if not one.missing:
        return f"all {counted(one.lost, 'line')} are back" if one.lost > 1 else "the line is back"
    if one.missing == one.lost:
        return f"{'all ' * (one.lost > 1)}{counted(one.lost, 'line')} still missing"
    return f"{one.missing:,} of {counted(one.lost, 'line')} still missing ({share_words(one.missing_share)})"


def repairs_words(one: Reversal, /) -> tuple[str, ...]:
    """By whom it was put back, when and how far: `put back by Bea after 4 days (abc1234)`."""
    return tuple(_repaired(one, repair.change, repair.share) for repair in one.repairs)


def line_weight(line: str, path: str, /) -> int:
    """How much a line of a file tells a reader: most where it does something, less where it follows from others."""
    said = min(_SAID_MAX, sum(map(str.isalnum, line)))
    return said // 3 if _FOLLOWS.match(line) else said // 2 if path.endswith(_PROSE) else said


def most_telling(lines: Iterable[tuple[str, str]], /) -> tuple[str, str] | None:
    """Of lines, each with its file, the one that tells a reader most; the first of several, None of none."""
    found = [(line_weight(*one), -at, one) for at, one in enumerate(lines)]
    return max(found)[2] if found and max(found)[0] else None


def _repaired(one: Reversal, by: Change, share: float) -> str:
    part = "put back" if share >= _WHOLE else f"{share_words(share)} put back"
    after = stood_words(max(0, by.at_ms - one.change.at_ms))
    return f"{part} by {by.author} after {after} ({by.sha[:7]})"
