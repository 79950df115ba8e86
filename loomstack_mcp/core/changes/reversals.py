"""Which landed changes a new change takes back: lines that they added go, and lines that they removed return."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from loomstack_mcp.core.changes.effects import ChangeEffects, HunkEffect
from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.ledger import Ledger, Piece
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.nets import netted
from loomstack_mcp.core.changes.undone_hunks import HALF, bounced, share_gone, undone_hunks
from loomstack_mcp.core.limits import DAY_MS, WINDOW_DAYS

WINDOW_MS = WINDOW_DAYS * DAY_MS
"""How long a landed change is remembered, where nobody says otherwise."""


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
    hunks_before: int
    """Those that the same author took back of it before."""
    restored: int
    """How many of these hunks brought old lines back; the others only took new ones out."""
    share: float
    """The part of what it said, from 0 to 1."""
    places: tuple[UndonePlace, ...]
    same_author: bool
    named: bool
    """The new change says openly that it takes this one back, or that it brings back what this one took."""
    again: bool
    """It was itself a reversal of somebody else's change: this one bounces back."""

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
        self._ledger = Ledger()
        self._ledger.know(authors)
        self._ignored = ignored
        self._window_ms = window_ms
        self._taken_back: Counter[tuple[str, int]] = Counter()

    def land(self, change: Change) -> tuple[Undone, ...]:
        """Take a change into the ledger; returns what it undoes of those before it."""
        effects = ChangeEffects(self._ledger, change, self._ignored, self._window_ms)
        undone = undone_hunks(effects)
        told = self._told(change, effects, undone)
        effects.written(self._ledger.add(change, effects.nets), undone)
        for found in told:
            self._taken_back[change.author, self._ledger.number(found.change)] += found.hunks
        return told

    def undone_by(self, change: Change) -> tuple[tuple[Undone, ...], tuple[TouchedChange, ...]]:
        """What a change would undo if it landed now, and what else it touches; the ledger stays as it is."""
        effects = ChangeEffects(self._ledger, change, self._ignored, self._window_ms)
        undone = undone_hunks(effects)
        told = self._told(change, effects, undone)
        wholly = {piece.number for piece in undone}
        return told, tuple(self._touched(change, number, effects) for number in sorted(effects.numbers() - wholly))

    def _told(self, change: Change, effects: ChangeEffects, undone: Iterable[Piece]) -> tuple[Undone, ...]:
        by_number: dict[int, list[Piece]] = defaultdict(list)
        for piece in undone:
            by_number[piece.number].append(piece)
        return tuple(self._undone(change, number, by_number[number], effects.found) for number in sorted(by_number))

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

    def _undone(self, change: Change, number: int, pieces: list[Piece], found: Mapping[Piece, HunkEffect]) -> Undone:
        old = self._ledger.changes[number]
        older = [self._ledger.changes[undone.number] for piece in pieces for undone in piece.undoes]
        return Undone(
            change=old,
            hunks=len(pieces),
            hunks_before=sum(self._taken_back[name, number] for name in (change.author, *change.also)),
            restored=sum(bool(piece.removed) or found[piece].whole for piece in pieces),
            share=_share(old, pieces),
            places=tuple(_place(piece, found[piece]) for piece in sorted(pieces, key=_where)),
            same_author=self._ledger.same_author(change, old),
            named=change.names(old, *older),
            again=any(self._bounces(old, piece, found[piece]) for piece in pieces),
        )

    def _bounces(self, old: Change, piece: Piece, effect: HunkEffect) -> bool:
        """Whether the hunk of `old` had itself undone another's, which now comes back."""
        return any(
            bounced(first, effect) and not self._ledger.same_author(old, self._ledger.changes[first.number])
            for first in piece.undoes
        )


def _share(old: Change, pieces: Iterable[Piece]) -> float:
    """The part of what a change said that these hunks of it are."""
    said = old.said or sum(weight((*net.removed, *net.added)) for nets in netted(old.files) for net in nets)
    taken = sum(piece.added + piece.removed for piece in pieces)
    return round(min(1.0, taken / said), 2) if said else 1.0


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
