"""What one change does to the landed hunks before it: lines that go, lines that return, words turned round."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.ledger import Ledger, Piece, Trail, TrailStep
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, weight
from loomstack_mcp.core.changes.nets import Net, netted
from loomstack_mcp.core.changes.places import are_near


@dataclass
class Part:
    """What one new hunk does to a landed one: the lines of it that go, and those that it had removed and return."""

    lost: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)


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
    parts: dict[Net, Part] = field(default_factory=dict)
    """By new hunk."""

    @property
    def by(self) -> tuple[Net, ...]:
        """The new hunks that do it."""
        return tuple(self.parts)


class ChangeEffects:
    """One change against the ledger, hunk by hunk."""

    def __init__(self, ledger: Ledger, change: Change, ignored: Callable[[str], bool]) -> None:
        self.ledger = ledger
        self.forebears = ledger.forebears(change)
        """The changes that it was made on, as a set of bits."""
        self.hands = (change.author, *change.also)
        """Whose pieces of work count together with it."""
        self.nets = netted(change.files)
        self.found: dict[Piece, HunkEffect] = {}
        self.recent: Counter[Net] = Counter()
        """How much of what a hunk removes was added within the window."""
        self.sides: dict[tuple[Net, int], tuple[int, int]] = {}
        """By new hunk and landed change, what goes of that and what returns."""
        self.fresh: Counter[str] = Counter()
        """By path, what is added that was not there before."""
        self._author = change.author
        self._since_ms = change.at_ms - ledger.window_ms
        self._settled: list[tuple[list[Piece], Piece]] = []
        self._places: dict[Piece, tuple[int, int]] = {}
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

    def fresh_in(self, paths: Iterable[str], /) -> int:
        """What is added to these files that was not there before."""
        return sum(self.fresh[path] for path in paths)

    def is_near(self, trail: Trail, piece: Piece, mine: Net, /) -> bool:
        """Whether a new hunk stands where the landed one stands by now."""
        place = self._places.get(piece)
        if place is None:
            place = self._places[piece] = trail.place(piece, self.forebears)
        return are_near(place, mine.hunk)

    def written(self, landed: Mapping[Net, Piece], undone: Collection[Piece]) -> None:
        """Note in the ledger what this change did to older hunks."""
        for owners, piece in self._settled:
            if piece in owners:
                owners.remove(piece)
        for piece, effect in self.found.items():
            piece.live = max(0, piece.live - effect.lost)
            piece.lost_to = _plus(piece.lost_to, self._author, effect.lost)
            piece.back_by = _plus(piece.back_by, self._author, effect.back)
            effect.trail.taken_recent += effect.lost if not piece.created else 0
            if effect.lost and effect.parts:
                piece.heirs = {**piece.heirs, landed[next(iter(effect.parts))]: effect.lost}
            if piece in undone:
                piece.undone = True
                for net in effect.parts:
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
        if file.after not in trail.before:
            return []
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
                for piece in self._owners(trail, trail.added, line, mine):
                    effect = self._effect(trail, file, piece)
                    # Who deletes a file takes back its creation; what was done to it meanwhile goes along.
                    effect.along = file.deletes and not piece.created
                    effect.lost += line & WEIGHT_MAX
                    self._part(effect, piece, mine, lost=line).lost.append(line)
                    self._settled.append((trail.added[line], piece))
                    self.recent[mine] += line & WEIGHT_MAX
            returned = 0
            for line in mine.added:
                for piece in self._owners(trail, trail.removed, line, mine):
                    effect = self._effect(trail, file, piece)
                    effect.back += line & WEIGHT_MAX
                    self._part(effect, piece, mine, back=line).back.append(line)
                    self._settled.append((trail.removed[line], piece))
                    returned += line & WEIGHT_MAX
            self.fresh[file.path] += max(0, weight(mine.added) - returned)

    def _words(self, trail: Trail, file: FileChange, mine: Net) -> None:
        """The newest hunk at this place whose words are turned round, however they are broken into lines."""
        inverse = (mine.hunk.gives, mine.hunk.takes)
        if inverse == (0, 0) or mine.moved:
            return
        for piece in reversed(trail.worded.get(inverse, ())):
            if self._counts(piece.number) and self.is_near(trail, piece, mine):
                if not piece.undone and piece.tells:
                    effect = self._effect(trail, file, piece)
                    effect.inverse = True
                    effect.parts.setdefault(mine, Part())
                return

    def _owners(self, trail: Trail, index: Mapping[int, list[Piece]], line: int, mine: Net) -> list[Piece]:
        """The newest hunk that added (or removed) this line, those at this place first.

        With it those that did the same on a branch beside it, as a change that was picked into two releases is there
        twice, and a merge says again what it took from one side.
        """
        owners = [piece for piece in dict.fromkeys(index.get(line, ())) if self._counts(piece.number)]
        if len(owners) < 2:
            return owners
        newest = next((p for p in reversed(owners) if self.is_near(trail, p, mine)), owners[-1])
        return [piece for piece in owners if piece is newest or self.ledger.is_beside(piece.number, newest.number)]

    def _effect(self, trail: Trail, file: FileChange, piece: Piece) -> HunkEffect:
        found = self.found.get(piece)
        if found is None:
            found = self.found[piece] = HunkEffect(trail, file.path)
        return found

    def _part(self, effect: HunkEffect, piece: Piece, mine: Net, *, lost: int = 0, back: int = 0) -> Part:
        gone, come = self.sides.get((mine, piece.number), (0, 0))
        self.sides[mine, piece.number] = gone + (lost & WEIGHT_MAX), come + (back & WEIGHT_MAX)
        part = effect.parts.get(mine)
        if part is None:
            part = effect.parts[mine] = Part()
        return part

    def _counts(self, number: int) -> bool:
        return bool(self.forebears >> number & 1) and self.ledger.changes[number].at_ms >= self._since_ms


def _plus(counts: Mapping[str, int], name: str, more: int) -> Mapping[str, int]:
    return {**counts, name: counts.get(name, 0) + more} if more else counts
