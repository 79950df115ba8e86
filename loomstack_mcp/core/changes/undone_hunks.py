"""Which landed hunks a change takes back, by what it does to them."""

from collections import Counter

from loomstack_mcp.core.changes.effects import ChangeEffects, HunkEffect
from loomstack_mcp.core.changes.ledger import Piece
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, weight
from loomstack_mcp.core.changes.places import stands_near

HALF = 0.5
_REMNANT = 0.3
"""Of what a hunk added, so much must go at least; less is only what others had left of it."""
_ONE_SIDED_LEAST = 10
"""What a mere insertion or deletion must say, in letters and digits."""
_DISTINCT_LEAST = 2 * WEIGHT_MAX
"""Lines that say so much are known by themselves; fewer must stand in the right place, too."""


def undone_hunks(effects: ChangeEffects, /) -> set[Piece]:
    """The hunks that are taken back, with those that had built on them and go, too."""
    found = {piece for piece, effect in effects.found.items() if _is_undone(piece, effect, effects)}
    waiting = list(found)
    while waiting:
        for heir in waiting.pop().heirs:
            effect = effects.found.get(heir)
            if effect and not effect.along and heir not in found and share_gone(heir, effects) >= HALF:
                found.add(heir)
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


def bounced(first: Piece, effect: HunkEffect, /) -> bool:
    """Whether taking back what had undone `first` brings `first` back."""
    again = Counter(line for net in effect.by for line in net.added)
    if first.added:
        return weight((again & Counter(first.net.added)).elements()) >= HALF * first.added
    gone = Counter(line for net in effect.by for line in net.removed)
    return weight((gone & Counter(first.net.removed)).elements()) >= HALF * first.removed


def _is_undone(piece: Piece, effect: HunkEffect, effects: ChangeEffects) -> bool:
    if effect.along or _only_reflows(piece, effect):
        return False
    if effect.whole or effect.inverse:
        return True
    # In a file that is rewritten all the time, the same lines come and go without anybody meaning to undo.
    if effect.trail.churns or not _is_known(piece, effect, effects):
        return False
    return _is_turned_back(piece, effect, effects)


def _only_reflows(piece: Piece, effect: HunkEffect) -> bool:
    """Whether one of the two breaks the same words into other lines, as a formatter does."""
    return piece.net.hunk.reflows or (bool(effect.by) and all(mine.hunk.reflows for mine in effect.by))


def _is_known(piece: Piece, effect: HunkEffect, effects: ChangeEffects) -> bool:
    """Whether the lines are this hunk's for certain: there are enough of them, or they stand at its place."""
    if effect.lost + effect.back >= _DISTINCT_LEAST:
        return True
    return any(stands_near(effect.trail, piece, mine.hunk, effects.forebears) for mine in effect.by)


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
        mine.hunk.kept_percent < 100 * HALF
        and weight(mine.added) <= HALF * weight(mine.removed)
        and effects.recent[mine] >= HALF * weight(mine.removed)
        for mine in effect.by
    )


def _by_these_hands(by_author: Counter[str], effects: ChangeEffects) -> int:
    """What they did before: one may take a change back piece by piece."""
    return sum(by_author[name] for name in effects.hands)
