"""Which landed changes a new change takes back: lines that they added go, and lines that they removed return."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from loomstack_mcp.core.changes.bounces import bounce_of
from loomstack_mcp.core.changes.effects import ChangeEffects, HunkEffect
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.ledger import Ledger, Piece
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.undone import TouchedChange, Undone, UndonePlace
from loomstack_mcp.core.changes.undone_hunks import HALF, Extent, share_gone, undone_hunks
from loomstack_mcp.core.limits import WINDOW_MS

_HUNK_MOST = 300
"""More than so many letters and digits of one hunk do not weigh more: it is one place."""


class Reversals:
    """Judges changes one after the other, each against those that landed within the window before it."""

    def __init__(
        self,
        *,
        ignored: Callable[[str], bool],
        authors: Iterable[tuple[str, str]] = (),
        window_ms: int = WINDOW_MS,
    ) -> None:
        self._ledger = Ledger(window_ms=window_ms)
        self._ledger.know(authors)
        self._ignored = ignored
        self._taken_back: dict[tuple[str, int], dict[Piece, int]] = defaultdict(dict)
        """By author and landed change, the hunks of it that are gone through them, and how much each said."""

    def land(self, change: Change) -> tuple[Undone, ...]:
        """Take a change into the ledger; returns what it undoes of those before it."""
        effects = ChangeEffects(self._ledger, change, self._ignored)
        undone = undone_hunks(effects)
        told = self._told(change, effects, undone)
        effects.written(self._ledger.add(change, effects.nets), undone)
        for piece, extent in undone.items():
            self._taken_back[change.author, piece.number][piece] = extent.turned + extent.out
            for first in piece.undoes:  # which is back
                self._taken_back[self._ledger.changes[piece.number].author, first.number].pop(first, None)
        return told

    def forget(self, before_ms: int) -> None:
        """Let go of what landed before, where no change that is still to come landed within a window of it."""
        self._ledger.forget(before_ms - self._ledger.window_ms)

    def undone_by(self, change: Change) -> tuple[tuple[Undone, ...], tuple[TouchedChange, ...]]:
        """What a change would undo if it landed now, and what else it touches; the ledger stays as it is."""
        effects = ChangeEffects(self._ledger, change, self._ignored)
        undone = undone_hunks(effects)
        told = self._told(change, effects, undone)
        wholly = {piece.number for piece in undone}
        return told, tuple(self._touched(change, number, effects) for number in sorted(effects.numbers() - wholly))

    def _told(self, change: Change, effects: ChangeEffects, undone: Mapping[Piece, Extent]) -> tuple[Undone, ...]:
        by_number: dict[int, list[Piece]] = defaultdict(list)
        for piece in undone:
            by_number[piece.number].append(piece)
        return tuple(
            self._undone(change, number, {piece: undone[piece] for piece in by_number[number]}, effects)
            for number in sorted(by_number)
        )

    def _touched(self, change: Change, number: int, effects: ChangeEffects) -> TouchedChange:
        pieces = {piece: effect for piece, effect in effects.found.items() if piece.number == number}
        old = self._ledger.changes[number]
        return TouchedChange(
            change=old,
            paths=tuple(sorted({effect.path for effect in pieces.values()})),
            places=tuple(_place(piece, pieces[piece]) for piece in sorted(pieces, key=_where)),
            same_author=self._ledger.same_author(change, old),
            restored=any(effect.lost and effect.back for effect in pieces.values()),
            overridden=any(share_gone(piece, effects) >= HALF for piece in pieces),
        )

    def _undone(self, change: Change, number: int, extents: Mapping[Piece, Extent], effects: ChangeEffects) -> Undone:
        old = self._ledger.changes[number]
        pieces = sorted(extents, key=_where)
        found = [effects.found[piece] for piece in pieces]
        before = self._before(number, effects, extents)
        bounce = bounce_of(
            self._ledger, change, old, {piece: (effects.found[piece], extents[piece]) for piece in pieces}
        )
        parts = [part for effect in found for part in effect.parts.values()]
        lost = tuple(line for part in parts for line in part.lost)
        returned = tuple(line for part in parts for line in part.back)
        # A line that goes in many places is one loss; words that weigh nothing count at their places.
        distinct = weight({*lost, *returned}) or _HUNK_MOST
        return Undone(
            change=old,
            hunks=len(pieces),
            hunks_before=len(before),
            restored=sum(map(_brings_back, pieces, found)),
            share=_share(old, extents),
            turned=_sure(distinct, (extent.turned for extent in extents.values())),
            out=_sure(distinct, (extent.out for extent in extents.values())),
            before=sum(before),
            fresh=effects.fresh_in({effect.path for effect in found}),
            lost=lost,
            returned=returned,
            places=tuple(_place(piece, effects.found[piece]) for piece in pieces),
            same_author=self._ledger.same_author(change, old),
            is_routine=self._ledger.is_routine(change),
            named=bounce.named,
            again=bounce.again,
            repairs=bounce.repairs,
            own_repair=bounce.own_repair,
        )

    def _before(self, number: int, effects: ChangeEffects, extents: Mapping[Piece, Extent]) -> list[int]:
        """What each hunk said of that landed change that the same hands took back before, and that is still gone."""
        taken = [self._taken_back.get((name, number), {}) for name in effects.hands]
        return list({piece: said for one in taken for piece, said in one.items() if piece not in extents}.values())


def _sure(distinct: int, said: Iterable[int]) -> int:
    """What goes for certain: no hunk weighs more than one place, nor all of them more than the lines they are of."""
    return min(distinct, sum(min(_HUNK_MOST, one) for one in said))


def _brings_back(piece: Piece, effect: HunkEffect) -> bool:
    return bool(piece.removed) or effect.whole


def _share(old: Change, extents: Mapping[Piece, Extent]) -> float:
    """The part of what a change said that goes."""
    taken = sum(min(extent.total, piece.added + piece.removed) for piece, extent in extents.items())
    return round(min(1.0, taken / old.said), 4) if old.said else 1.0


def _where(piece: Piece) -> tuple[str, int]:
    return piece.path, piece.net.hunk.after


def _place(piece: Piece, effect: HunkEffect) -> UndonePlace:
    return UndonePlace(
        path=piece.path,
        old_path=piece.old_path,
        hunk=piece.net.hunk,
        by_path=effect.path,
        by=tuple(net.hunk for net in effect.by),
    )
