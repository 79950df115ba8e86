"""How heavily it weighs that a change takes back another: enough to be stopped, an old copy, or a rework."""

from collections.abc import Sequence

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.openly import merges_release, names_what_goes, removes_openly
from loomstack_mcp.core.changes.people import is_bot
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.limits import DAY_MS, HOUR_MS

RECENT_MS = 14 * DAY_MS
"""How fresh a landed change is while taking back three hunks of it, or a large one, is stopped."""
STOP_HUNKS = 3
_SHARE = 0.05
_MOST = 0.25
"""The least part of a landed change that is worth a stop: of the last week, and of the week before."""
# The rest is in letters and digits of lines that go or return.
_LINE = 20
_HUNKS_SAY = 100
_TURNED = 150
_UNRELATED_MS = 12 * HOUR_MS
"""Changes of one author that lie further apart than this are no single piece of work."""


def is_bouncing(change: Change, undone: Sequence[Undone], /) -> bool:
    """Whether a real share of what had itself put something back goes again."""
    return any(one.again and one.share >= _SHARE and _is_recent(change, one) for one in undone)


def is_old_copy(change: Change, undone: Sequence[Undone], /) -> bool:
    """Whether an old copy goes over newer work.

    It was written before that landed and rebased over it since: who wrote it did not see it land. Or several
    unrelated pieces of work suffer at once.
    """
    gone = [one for one in undone if _is_surely_gone(one) and _counts(change, one)]
    if any(_is_older(change, one) and one.share >= _SHARE for one in gone):
        return True
    much = [one for one in gone if one.share >= _MOST or _is_main(one)]
    return sum(one.turned for one in much) >= 2 * _LINE and _are_unrelated(much)


def is_much(change: Change, one: Undone, /) -> bool:
    """Whether what goes is much, for certain, a real share of the landed change, and of the last days."""
    sure = one.turned + one.out
    if sure < _LINE or not _is_main(one) or not _counts(change, one):
        return False
    share = one.share + one.before / max(1, one.change.said)
    is_fresh = change.at_ms - one.change.at_ms <= RECENT_MS / 2
    if share < (_SHARE if is_fresh else _MOST):
        return False
    if one.hunks + one.hunks_before < STOP_HUNKS:
        return one.turned + one.before >= _TURNED
    if share < _MOST:
        return one.turned + one.before >= _HUNKS_SAY
    # What was only inserted goes in any rework, for something that does the same better.
    is_out = sure + one.before >= _TURNED and _is_surely_gone(one)
    return is_out or one.turned + one.before >= _HUNKS_SAY / 2


def _counts(change: Change, one: Undone) -> bool:
    return _is_recent(change, one) and not _is_excused(change, one)


def _is_main(one: Undone) -> bool:
    """Whether taking it back is much of what happens to these files: a rework puts more new into them."""
    return one.share >= _SHARE and 2 * (one.turned + one.out + one.before) >= one.fresh


def _is_surely_gone(one: Undone) -> bool:
    """Whether old lines are back, or new ones out with little in their place: any rework takes some out."""
    return one.turned >= _LINE or (one.out >= _LINE and one.out >= 2 * one.fresh)


def _is_older(change: Change, one: Undone) -> bool:
    return 0 < change.written_ms < one.change.at_ms


def _is_recent(change: Change, one: Undone) -> bool:
    return change.at_ms - one.change.at_ms <= RECENT_MS or _is_older(change, one)


def _is_excused(change: Change, one: Undone) -> bool:
    """Whether it is nobody's work, or had taken back another's; or a job takes it, or a change whose message tells."""
    if one.repairs or one.is_routine or is_bot(one.change.author) or removes_openly(change, one.change):
        return True
    return merges_release(change) or (not one.returned and names_what_goes(change, one.paths))


def _are_unrelated(undone: Sequence[Undone]) -> bool:
    """Whether several pieces of work go: of different authors, or of one author at different times."""
    times = [one.change.at_ms for one in undone]
    authors = {one.change.author for one in undone}
    return len(undone) > 1 and (len(authors) > 1 or max(times) - min(times) >= _UNRELATED_MS)
