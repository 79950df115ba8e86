"""What one change does to the landed hunks before it: lines that go, lines that return, words turned round."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.ledger import Ledger, Piece, Trail, TrailStep
from loomstack_mcp.core.changes.lines import WEIGHT_MAX
from loomstack_mcp.core.changes.nets import Net, netted
from loomstack_mcp.core.changes.places import stands_near


@dataclass
class HunkEffect:
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


class ChangeEffects:
    """One change against the ledger, hunk by hunk."""

    def __init__(self, ledger: Ledger, change: Change, ignored: Callable[[str], bool], window_ms: int) -> None:
        self.ledger = ledger
        self.forebears = ledger.forebears(change)
        """The changes that it was made on, as a set of bits."""
        self.hands = (change.author, *change.also)
        """Whose pieces of work count together with it."""
        self.nets = netted(change.files)
        self.found: dict[Piece, HunkEffect] = {}
        self.recent: Counter[Net] = Counter()
        """How much of what a hunk removes was added within the window."""
        self._author = change.author
        self._since_ms = change.at_ms - window_ms
        self._settled: list[tuple[list[Piece], Piece]] = []
        for file, nets in zip(change.files, self.nets, strict=True):
            trail = ledger.trail(file)
            if trail and self.forebears and not ignored(file.path):
                self._lines(trail, file, nets)
                if not trail.churns:
                    self._contents(trail, file)
                    for mine in nets:
                        self._words(trail, file, mine)

    def numbers(self) -> set[int]:
        """The landed changes that are touched at all."""
        return {piece.number for piece, effect in self.found.items() if effect.lost or effect.back}

    def written(self, landed: dict[Net, Piece], undone: Collection[Piece]) -> None:
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

    def _contents(self, trail: Trail, file: FileChange) -> None:
        """The file is again what it was: every step since is undone, whatever it consisted of."""
        if file.deletes or file.before == file.after:
            return
        for step in self._steps_back(trail, file):
            for piece in step.pieces:
                if piece.tells and not piece.undone:
                    self._effect(trail, file, piece).whole = True

    def _steps_back(self, trail: Trail, file: FileChange) -> list[TrailStep]:
        """The steps from what the file is now to what it was before, newest first; none where it never was so."""
        state, passed = file.before, list[TrailStep]()
        for step in reversed(trail.steps):
            if step.file.after == state and self._counts(step.number):
                passed.append(step)
                state = step.file.before
                if state == file.after:
                    return passed
        return []

    def _lines(self, trail: Trail, file: FileChange, nets: Iterable[Net]) -> None:
        for mine in nets:
            for line in mine.removed:
                piece = self._owner(trail, trail.added, line, mine)
                if piece:
                    effect = self._effect(trail, file, piece, mine)
                    effect.lost += line & WEIGHT_MAX
                    # Who deletes a file takes back its creation; what was done to it meanwhile goes along.
                    effect.along = file.deletes and not piece.created
                    self.recent[mine] += line & WEIGHT_MAX
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
            if self._counts(piece.number) and stands_near(trail, piece, mine.hunk, self.forebears):
                if not piece.undone and piece.tells:
                    self._effect(trail, file, piece, mine).inverse = True
                return

    def _owner(self, trail: Trail, index: dict[int, list[Piece]], line: int, mine: Net) -> Piece | None:
        """The newest hunk that added (or removed) this line, those at this place first."""
        owners = [piece for piece in index.get(line, ()) if self._counts(piece.number)]
        if len(owners) > 1:
            return next((p for p in reversed(owners) if stands_near(trail, p, mine.hunk, self.forebears)), owners[-1])
        return owners[0] if owners else None

    def _effect(self, trail: Trail, file: FileChange, piece: Piece, mine: Net | None = None) -> HunkEffect:
        effect = self.found.setdefault(piece, HunkEffect(trail, file.path))
        if mine and mine not in effect.by:
            effect.by.append(mine)
        return effect

    def _counts(self, number: int) -> bool:
        return bool(self.forebears >> number & 1) and self.ledger.changes[number].at_ms >= self._since_ms
