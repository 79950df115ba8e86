"""What one change does to the landed hunks before it: lines that go, lines that return, words turned round."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.ledger import Ledger, Net, Piece, Trail, near, netted
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, weight

HALF = 0.5
_REMNANT = 0.3
"""Of what a hunk added, so much must go at least; less is only what others had left of it."""
_ONE_SIDED_LEAST = 10
"""What a mere insertion or deletion must say, in letters and digits."""
_DISTINCT_LEAST = 2 * WEIGHT_MAX
"""Lines that say so much are known by themselves; fewer must stand in the right place, too."""


@dataclass
class Effect:
    """What one change does to one landed hunk."""

    trail: Trail
    path: str
    lost: int = 0
    back: int = 0
    whole: bool = False
    """The file is as it was before the hunk."""
    inverse: bool = False
    """Its words are turned round at its place."""
    along: bool = False
    """Its lines only go with the file that they were in."""
    by: list[Net] = field(default_factory=list)


class Effects:
    """One change against the ledger, hunk by hunk."""

    def __init__(self, ledger: Ledger, change: Change, ignored: Callable[[str], bool], window_ms: int) -> None:
        self._ledger = ledger
        self._author = change.author
        self._hands = (change.author, *change.also)
        self._since_ms = change.at_ms - window_ms
        self._forebears = ledger.forebears(change)
        self.nets = netted(change.files)
        self.found: dict[Piece, Effect] = {}
        self._recent: Counter[Net] = Counter()
        """How much of what a hunk removes was added within the window."""
        self._settled: list[tuple[list[Piece], Piece]] = []
        for file, nets in zip(change.files, self.nets, strict=True):
            trail = ledger.trail(file)
            if trail and self._forebears and not ignored(file.path):
                self._lines(trail, file, nets)
                if not trail.churns:
                    self._blobs(trail, file)
                    for mine in nets:
                        self._words(trail, file, mine)

    def undone(self) -> set[Piece]:
        """The hunks that are taken back, with those that had built on them and go, too."""
        found = {piece for piece, effect in self.found.items() if self._is_undone(piece, effect)}
        waiting = list(found)
        while waiting:
            for heir in waiting.pop().heirs:
                effect = self.found.get(heir)
                if effect and not effect.along and heir not in found and self.gone(heir) >= HALF:
                    found.add(heir)
                    waiting.append(heir)
        return found

    def numbers(self) -> set[int]:
        """The landed changes that are touched at all."""
        return {piece.number for piece, effect in self.found.items() if effect.lost or effect.back}

    def written(self, landed: dict[Net, Piece], undone: set[Piece]) -> None:
        """Note in the ledger what this change did to older hunks."""
        for owners, piece in self._settled:
            if piece in owners:
                owners.remove(piece)
        for piece, effect in self.found.items():
            piece.live = max(0, piece.live - effect.lost)
            piece.lost_to[self._author] += effect.lost
            piece.back_by[self._author] += effect.back
            effect.trail.taken_recent += effect.lost if not piece.created else 0
            if effect.lost and effect.by:
                piece.heirs[landed[effect.by[0]]] = effect.lost
            if piece in undone:
                piece.undone = True
                for net in effect.by:
                    landed[net].undoes = (*landed[net].undoes, piece)

    def _blobs(self, trail: Trail, file: FileChange) -> None:
        """The file is again what it was: every step since is undone, whatever it consisted of."""
        if file.deletes or file.before == file.after:
            return
        state, passed = file.before, []
        for step in reversed(trail.steps):
            if step.file.after == state and self._counts(step.number):
                passed.append(step)
                state = step.file.before
                if state == file.after:
                    for piece in (piece for step in passed for piece in step.pieces):
                        if piece.tells and not piece.undone:
                            self._effect(trail, file, piece).whole = True
                    return

    def _lines(self, trail: Trail, file: FileChange, nets: Iterable[Net]) -> None:
        for mine in nets:
            for line in mine.removed:
                piece = self._owner(trail, trail.added, line, mine)
                if piece:
                    effect = self._effect(trail, file, piece, mine)
                    effect.lost += line & WEIGHT_MAX
                    # Who deletes a file takes back its creation; what was done to it meanwhile goes along.
                    effect.along = file.deletes and not piece.created
                    self._recent[mine] += line & WEIGHT_MAX
                    self._settled.append((trail.added[line], piece))
            for line in mine.added:
                if piece := self._owner(trail, trail.removed, line, mine):
                    self._effect(trail, file, piece, mine).back += line & WEIGHT_MAX
                    self._settled.append((trail.removed[line], piece))

    def _words(self, trail: Trail, file: FileChange, mine: Net) -> None:
        """The newest hunk at this place whose words are turned round, however they are broken into lines."""
        inverse = (mine.hunk.gives, mine.hunk.takes)
        if inverse == (0, 0) or mine.moved:
            return
        for piece in reversed(trail.worded.get(inverse, ())):
            if self._counts(piece.number) and near(trail, piece, mine.hunk, self._forebears):
                if not piece.undone and piece.tells:
                    self._effect(trail, file, piece, mine).inverse = True
                return

    def _owner(self, trail: Trail, index: dict[int, list[Piece]], line: int, mine: Net) -> Piece | None:
        """The newest hunk that added (or removed) this line, those at this place first."""
        owners = [piece for piece in index.get(line, ()) if self._counts(piece.number)]
        if len(owners) > 1:
            return next((p for p in reversed(owners) if near(trail, p, mine.hunk, self._forebears)), owners[-1])
        return owners[0] if owners else None

    def _effect(self, trail: Trail, file: FileChange, piece: Piece, mine: Net | None = None) -> Effect:
        effect = self.found.setdefault(piece, Effect(trail, file.path))
        if mine and mine not in effect.by:
            effect.by.append(mine)
        return effect

    def _counts(self, number: int) -> bool:
        return bool(self._forebears >> number & 1) and self._ledger.changes[number].at_ms >= self._since_ms

    def _is_undone(self, piece: Piece, effect: Effect) -> bool:
        if effect.along or piece.net.hunk.reflows or (effect.by and all(mine.hunk.reflows for mine in effect.by)):
            return False
        if effect.whole or effect.inverse:
            return True
        if effect.trail.churns or not self._known(piece, effect):
            return False
        returned = effect.back + self._before(piece.back_by) >= HALF * piece.removed
        if not piece.added:
            return returned and piece.removed >= _ONE_SIDED_LEAST
        if self.gone(piece) < HALF:
            return False
        return returned if piece.removed else piece.added >= _ONE_SIDED_LEAST and self._taken_out(effect)

    def _taken_out(self, effect: Effect) -> bool:
        """Whether an insertion was taken out again: not changed, replaced, or deleted with the older code around it."""
        return all(
            mine.hunk.kept_percent < 100 * HALF
            and weight(mine.added) <= HALF * weight(mine.removed)
            and self._recent[mine] >= HALF * weight(mine.removed)
            for mine in effect.by
        )

    def gone(self, piece: Piece) -> float:
        """The part of the hunk's lines, as far as they were still there, that this author takes out."""
        before = self._before(piece.lost_to)
        lost = before + (self.found[piece].lost if piece in self.found else 0)
        live = piece.live + before
        for heir, inherited in piece.heirs.items():
            if heir in self.found and self._ledger.changes[heir.number].author not in self._hands:
                lost += round(inherited * self.gone(heir))
                live += inherited
        return lost / live if live and lost >= _REMNANT * piece.added else 0.0

    def _before(self, by_author: Counter[str]) -> int:
        return sum(by_author[name] for name in self._hands)

    def _known(self, piece: Piece, effect: Effect) -> bool:
        if effect.lost + effect.back >= _DISTINCT_LEAST:
            return True
        return any(near(effect.trail, piece, mine.hunk, self._forebears) for mine in effect.by)


def bounced(first: Piece, effect: Effect, /) -> bool:
    """Whether taking back what had undone `first` brings `first` back."""
    again = Counter(line for net in effect.by for line in net.added)
    if first.added:
        return weight((again & Counter(first.net.added)).elements()) >= HALF * first.added
    gone = Counter(line for net in effect.by for line in net.removed)
    return weight((gone & Counter(first.net.removed)).elements()) >= HALF * first.removed
