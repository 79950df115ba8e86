"""Whether what is taken back had itself taken something back: then this repairs that, or it goes back and forth."""

from collections import Counter
from collections.abc import Iterator, Mapping

from loomstack_mcp.core.changes.effects import HunkEffect
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.ledger import Ledger, Piece
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.openly import takes_back_openly
from loomstack_mcp.core.changes.undone_hunks import HALF, Extent
from loomstack_mcp.core.records import record


@record
class Bounce:
    """What taking back one landed change means for those that it had taken back."""

    named: bool
    again: bool = False
    repairs: str = ""
    own_repair: bool = False
    """See `Undone`."""


def bounce_of(
    ledger: Ledger, change: Change, old: Change, pieces: Mapping[Piece, tuple[HunkEffect, Extent]], /
) -> Bounce:
    """The first to put back a loss repairs it. From then on whoever takes it back sends it back and forth."""
    older = [ledger.changes[first.number] for piece in pieces for first in piece.undoes]
    named = takes_back_openly(change, old, *older)
    bounces = _mostly_back(ledger, old, pieces)
    if not bounces:
        return Bounce(named=named)
    if any(first.undoes for first in bounces):
        return Bounce(named=named, again=True)
    first_changes = [ledger.changes[first.number] for first in bounces]
    # Anybody else may as well write an old copy over it: that looks the same.
    is_theirs = named or all(ledger.same_author(change, first) for first in first_changes)
    return Bounce(named=named, repairs=first_changes[0].sha, own_repair=is_theirs)


def _mostly_back(ledger: Ledger, old: Change, pieces: Mapping[Piece, tuple[HunkEffect, Extent]]) -> list[Piece]:
    """The hunks of others that come back, where most of what goes had undone some."""
    back = {piece: list(_back(ledger, old, piece, effect)) for piece, (effect, _) in pieces.items()}
    told = sum(extent.total for piece, (_, extent) in pieces.items() if back[piece])
    is_most = 2 * told >= sum(extent.total for _, extent in pieces.values())
    return [first for firsts in back.values() for first in firsts] if is_most else []


def _back(ledger: Ledger, old: Change, piece: Piece, effect: HunkEffect) -> Iterator[Piece]:
    """The hunks of others that a hunk of `old` had itself undone, and that now come back."""
    for first in piece.undoes:
        if _is_back(first, effect) and not ledger.same_author(old, ledger.changes[first.number]):
            yield first


def _is_back(first: Piece, effect: HunkEffect) -> bool:
    """Whether taking back what had undone `first` brings `first` back."""
    again = Counter(line for net in effect.parts for line in net.added)
    if first.added:
        return weight((again & Counter(first.net.added)).elements()) >= HALF * first.added
    gone = Counter(line for net in effect.parts for line in net.removed)
    return weight((gone & Counter(first.net.removed)).elements()) >= HALF * first.removed
