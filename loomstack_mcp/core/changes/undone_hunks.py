"""Which landed hunks a change takes back, by what it does to them, and how surely."""

from collections.abc import Mapping
from dataclasses import dataclass

from loomstack_mcp.core.changes.effects import ChangeEffects, HunkEffect
from loomstack_mcp.core.changes.ledger import Piece
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, weight
from loomstack_mcp.core.changes.nets import Net

HALF = 0.5
_REMNANT = 0.3
"""Of what a hunk added, so much must go at least; less is only what others had left of it."""
_ONE_SIDED_LEAST = 10
"""What a mere insertion or deletion must say, in letters and digits."""
_DISTINCT_LEAST = 2 * WEIGHT_MAX
"""Lines that say so much are known by themselves; fewer must stand in the right place, too."""
_PART_LEAST = 40
"""What must go of a hunk of which most stays, in letters and digits: a line of some length."""
_SIDE_LEAST = 10
_ALL_BUT = 0.8
_MOST_BACK = 0.7


@dataclass(frozen=True)
class Extent:
    """How much of a landed hunk is taken back, in letters and digits, by how surely it is so."""

    turned: int = 0
    """What it had removed is back in the place of what it had added."""
    out: int = 0
    """What it had inserted is taken out, and nothing is in its place."""
    part: int = 0
    """Some of it went, or returned, while the rest stays or is rewritten."""

    @property
    def total(self) -> int:
        """All together."""
        return self.turned + self.out + self.part


def undone_hunks(effects: ChangeEffects, /) -> dict[Piece, Extent]:
    """The hunks that are taken back, with those that had built on them and go, too."""
    found = {piece: extent for piece, effect in effects.found.items() if (extent := _extent(piece, effect, effects))}
    waiting = list(found)
    while waiting:
        for heir in waiting.pop().heirs:
            effect = effects.found.get(heir)
            if effect and not effect.along and heir not in found and share_gone(heir, effects) >= HALF:
                found[heir] = Extent(part=effect.lost + effect.back)
                waiting.append(heir)
    return found


def share_gone(piece: Piece, effects: ChangeEffects, /) -> float:
    """The part of the hunk's lines, as far as they were still there, that this author takes out."""
    before = _by_these_hands(piece.lost_to, effects)
    lost = before + (effects.found[piece].lost if piece in effects.found else 0)
    live = piece.live + before
    for heir, inherited in piece.heirs.items():
        if heir in effects.found and effects.ledger.changes[heir.number].author not in effects.hands:
            lost += round(inherited * share_gone(heir, effects))
            live += inherited
    return lost / live if live and lost >= _REMNANT * piece.added else 0.0


def _extent(piece: Piece, effect: HunkEffect, effects: ChangeEffects) -> Extent | None:
    if effect.along or _only_reflows(piece, effect):
        return None
    if effect.whole or effect.inverse:
        return _exact(piece, effect)
    if _is_known(piece, effect, effects) and _is_turned_back(piece, effect, effects):
        return _mostly(piece, effect)
    # In a file that is rewritten all the time, some of the same lines come and go without anybody meaning to undo.
    if effect.trail.churns:
        return None
    part = sum(_part(piece, effect, mine, effects) for mine in effect.parts)
    return Extent(part=part) if part else None


def _exact(piece: Piece, effect: HunkEffect) -> Extent:
    said = max(effect.lost + effect.back, min(piece.added + piece.removed, WEIGHT_MAX))
    return Extent(turned=said) if piece.removed or effect.whole else Extent(out=said)


def _mostly(piece: Piece, effect: HunkEffect) -> Extent:
    """Most of it is taken back. Surely so where both its sides are turned round, or all of one is."""
    both = effect.lost + effect.back
    if piece.added and piece.removed:
        is_turned = effect.lost >= HALF * piece.added and effect.back >= HALF * piece.removed
    else:
        is_turned = effect.back >= max(_MOST_BACK * piece.removed, _PART_LEAST) if piece.removed else False
    if is_turned:
        return Extent(turned=both)
    is_out = not piece.removed and effect.lost >= _ALL_BUT * piece.added and all(map(_is_bare, effect.parts))
    return Extent(out=both) if is_out else Extent(part=both)


def _only_reflows(piece: Piece, effect: HunkEffect) -> bool:
    """Whether one of the two breaks the same words into other lines, as a formatter does."""
    return piece.net.hunk.reflows or (bool(effect.parts) and all(mine.hunk.reflows for mine in effect.parts))


def _is_known(piece: Piece, effect: HunkEffect, effects: ChangeEffects) -> bool:
    """Whether the lines are this hunk's for certain: there are enough of them, or they stand at its place."""
    if effect.lost + effect.back >= _DISTINCT_LEAST:
        return True
    return any(effects.is_near(effect.trail, piece, mine) for mine in effect.parts)


def _is_turned_back(piece: Piece, effect: HunkEffect, effects: ChangeEffects) -> bool:
    """Whether most of what it added goes, and most of what it removed returns, as far as it did either."""
    has_returned = effect.back + _by_these_hands(piece.back_by, effects) >= HALF * piece.removed
    if not piece.added:
        return has_returned and piece.removed >= _ONE_SIDED_LEAST
    if share_gone(piece, effects) < HALF:
        return False
    if piece.removed:
        return has_returned
    return piece.added >= _ONE_SIDED_LEAST and _is_taken_out(effect, effects)


def _is_taken_out(effect: HunkEffect, effects: ChangeEffects) -> bool:
    """Whether an insertion was taken out again: not changed, replaced, or deleted with the older code around it."""
    return all(
        mine.hunk.kept_percent < 100 * HALF and _is_bare(mine) and effects.recent[mine] >= HALF * weight(mine.removed)
        for mine in effect.parts
    )


def _part(piece: Piece, effect: HunkEffect, mine: Net, effects: ChangeEffects) -> int:
    """What one new hunk takes back of a landed one that mostly stays: lines gone for nothing, or for the old ones."""
    part = effect.parts[mine]
    lost, back = weight(part.lost), weight(part.back)
    gone, come = effects.sides.get((mine, piece.number), (0, 0))
    if min(gone, come) >= _SIDE_LEAST and gone + come >= _PART_LEAST:
        return lost + back
    if lost >= _PART_LEAST and (_is_bare(mine) or _is_left_out(mine)):
        return lost
    return 0 if gone else _brought_back(back, piece, effect, mine, effects)


def _brought_back(back: int, piece: Piece, effect: HunkEffect, mine: Net, effects: ChangeEffects) -> int:
    """What it had removed and returns, where that is enough to be known, or stands at its place."""
    if back >= _DISTINCT_LEAST:
        return back
    return back if back >= _PART_LEAST and effects.is_near(effect.trail, piece, mine) else 0


def _is_bare(mine: Net) -> bool:
    """Whether a new hunk takes out much more than it puts in the place."""
    return weight(mine.added) <= HALF * weight(mine.removed)


def _is_left_out(mine: Net) -> bool:
    """Whether a block was written anew around a few lines that are not in it any more."""
    return len(mine.hunk.removed) >= 3 * len(mine.removed) and weight(mine.added) < weight(mine.removed)


def _by_these_hands(by_author: Mapping[str, int], effects: ChangeEffects) -> int:
    """What they did before: one may take a change back piece by piece."""
    return sum(by_author.get(name, 0) for name in effects.hands)
