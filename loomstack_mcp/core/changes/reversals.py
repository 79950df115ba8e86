"""Which landed changes a new change takes back: lines that they added go, and lines that they removed return."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from loomstack_mcp.core.changes.effects import ChangeEffects, HunkEffect
from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.ledger import Ledger, Piece
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.openly import takes_back_openly
from loomstack_mcp.core.changes.undone_hunks import HALF, Extent, bounced, share_gone, undone_hunks
from loomstack_mcp.core.limits import DAY_MS, WINDOW_DAYS

WINDOW_MS = WINDOW_DAYS * DAY_MS
"""How long a landed change is remembered, where nobody says otherwise."""
_HUNK_MOST = 300
"""More than so many letters and digits of one hunk do not weigh more: it is one place."""


@dataclass(frozen=True, kw_only=True)
class UndonePlace:
    """A landed hunk, and the hunks that take it back; none where the whole file is as it was."""

    path: str
    old_path: str
    hunk: Hunk
    by_path: str
    by: tuple[Hunk, ...]


@dataclass(frozen=True, kw_only=True)
class Undone:
    """How much of one landed change is taken back."""

    change: Change
    hunks: int
    hunks_before: int = 0
    """Those that the same author took back of it before, and that are still gone."""
    restored: int
    """How many of these hunks brought old lines back; the others only took new ones out."""
    share: float
    """The part of what it said, from 0 to 1."""
    turned: int = 0
    """How much of it is turned round for certain, in letters and digits: old lines back in the place of the new."""
    out: int = 0
    """How much of it, that was inserted, is taken out for certain, with nothing in its place."""
    before: int = 0
    """How much of it the same author had taken back, that is still gone."""
    fresh: int = 0
    """How much the new change adds to these files that was not there before."""
    lost: tuple[int, ...] = ()
    """The lines that it had added, and that go."""
    returned: tuple[int, ...] = ()
    """The lines that it had removed, and that return."""
    places: tuple[UndonePlace, ...]
    same_author: bool
    named: bool
    """The new change says openly that it takes this one back, or that it brings back what this one took."""
    again: bool
    """It was itself meant to take back somebody else's change, or put it back: this one bounces back."""
    repairs: str = ""
    """The change that it had silently taken back, and that the new one puts back."""
    own_repair: bool = False
    """Whether whose change that was puts it back, or the new one says openly that it does."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it is taken back, by today's names."""
        return tuple(sorted({place.path for place in self.places}))


@dataclass(frozen=True, kw_only=True)
class TouchedChange:
    """A landed change some of whose lines go, or return, without it being undone."""

    change: Change
    paths: tuple[str, ...]
    """Where the new change does so."""
    places: tuple[UndonePlace, ...]
    same_author: bool
    restored: bool
    """Whether a line that it had removed comes back in the place of one that it had added."""
    overridden: bool
    """Whether most of what stood of one of its hunks goes."""


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
        found = effects.found
        back = {piece: tuple(self._bounced(old, piece, found[piece])) for piece in pieces}
        bounces = [first for firsts in back.values() for first in firsts]
        is_bounce = bool(bounces) and 2 * sum(extents[piece].total for piece in pieces if back[piece]) >= sum(
            extent.total for extent in extents.values()
        )
        older = [self._ledger.changes[first.number] for piece in pieces for first in piece.undoes]
        before = {
            piece: said
            for name in effects.hands
            for piece, said in self._taken_back.get((name, number), {}).items()
            if piece not in extents
        }
        meant = any(first.undoes for first in bounces)
        named = takes_back_openly(change, old, *older)
        # Anybody else may as well write an old copy over it: that looks the same.
        is_theirs = named or all(
            self._ledger.same_author(change, self._ledger.changes[first.number]) for first in bounces
        )
        lost = tuple(line for piece in pieces for part in found[piece].parts.values() for line in part.lost)
        returned = tuple(line for piece in pieces for part in found[piece].parts.values() for line in part.back)
        # A line that goes in many places is one loss; words that weigh nothing count at their places.
        distinct = weight({*lost, *returned}) or _HUNK_MOST
        return Undone(
            change=old,
            hunks=len(pieces),
            hunks_before=len(before),
            restored=sum(bool(piece.removed) or found[piece].whole for piece in pieces),
            share=_share(old, extents),
            turned=min(distinct, sum(min(_HUNK_MOST, extent.turned) for extent in extents.values())),
            out=min(distinct, sum(min(_HUNK_MOST, extent.out) for extent in extents.values())),
            before=sum(before.values()),
            fresh=sum(effects.fresh[path] for path in {found[piece].path for piece in pieces}),
            lost=lost,
            returned=returned,
            places=tuple(_place(piece, found[piece]) for piece in pieces),
            same_author=self._ledger.same_author(change, old),
            named=named,
            again=is_bounce and meant,
            repairs=self._ledger.changes[bounces[0].number].sha if is_bounce and not meant else "",
            own_repair=is_bounce and is_theirs and not meant,
        )

    def _bounced(self, old: Change, piece: Piece, effect: HunkEffect) -> Iterator[Piece]:
        """The hunks of others that the hunk of `old` had itself undone, and that now come back."""
        for first in piece.undoes:
            if bounced(first, effect) and not self._ledger.same_author(old, self._ledger.changes[first.number]):
                yield first


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
