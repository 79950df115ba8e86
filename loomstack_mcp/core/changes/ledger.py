"""The landed changes of a window: who added each line that is still there, and who removed each that is gone."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, weight

_MOVED_LEAST = 12
"""What a line must say to count as moved from one file to another."""
_DRIFT_LINES = 3
_FLEET_NAMES = 5
"""An address with so many names belongs to a fleet of agents: each name is an author."""
_CHURN_STEPS = 20
_CHURN_PERCENT = 70


@dataclass(frozen=True, kw_only=True, eq=False)
class Net:
    """A hunk without the lines that only moved."""

    hunk: Hunk
    removed: tuple[int, ...]
    added: tuple[int, ...]

    @property
    def moved(self) -> bool:
        """Whether nothing is left of it."""
        return not (self.removed or self.added) and bool(self.hunk.removed or self.hunk.added)


class Piece:
    """One hunk of a landed change, and what has become of it."""

    def __init__(self, number: int, file: FileChange, net: Net) -> None:
        self.number = number
        """Of its change, in the order of landing."""
        self.path = file.path
        self.old_path = file.old_path
        self.created = file.creates
        self.net = net
        self.removed = weight(net.removed)
        self.added = weight(net.added)
        self.tells = bool(self.added or self.removed) or (bool(net.hunk.takes or net.hunk.gives) and not net.moved)
        """Whether it changed more than layout: words that weigh nothing, as `True` does, count at their place."""
        self.live = self.added
        """What those of its lines say that are still there."""
        self.heirs: dict[Piece, int] = {}
        """The hunks that replaced its lines, and how much of them."""
        self.lost_to: Counter[str] = Counter()
        self.back_by: Counter[str] = Counter()
        """What each author took out of it, and brought back of what it had removed."""
        self.undone = False
        self.undoes: tuple[Piece, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one change did to one file."""

    number: int
    file: FileChange
    pieces: tuple[Piece, ...]


@dataclass
class Trail:
    """What happened to one file, under whatever name, and whose lines are in it."""

    steps: list[Step] = field(default_factory=list)
    added: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    removed: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    worded: dict[tuple[int, int], list[Piece]] = field(default_factory=lambda: defaultdict(list))
    """By the words that a hunk takes and gives."""
    taken: int = 0
    taken_recent: int = 0
    """What the removed lines said, and those of them that had themselves replaced others within the window."""

    @property
    def churns(self) -> bool:
        """Whether the file is rewritten all the time, as version numbers and lock files are."""
        return len(self.steps) >= _CHURN_STEPS and 100 * self.taken_recent >= _CHURN_PERCENT * self.taken > 0


class Ledger:
    """Changes in an order in which parents come before children. The order of dates says nothing."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        """Those that changed files, by number."""
        self._numbers: dict[str, int] = {}
        self._reach: dict[str, int] = {}
        self._trails: dict[str, Trail] = {}
        self._names: dict[str, set[str]] = defaultdict(set)

    def forebears(self, change: Change, /) -> int:
        """The changes that `change` was made on, as a set of bits by number."""
        found = 0
        for parent in change.parents:
            found |= self._reach.get(parent, 0)
        return found

    def know(self, authors: Iterable[tuple[str, str]], /) -> None:
        """Hear of authors, each an account and a name, whose changes are not added."""
        for account, name in authors:
            self._names[account].add(name)

    def number(self, change: Change, /) -> int:
        return self._numbers[change.sha]

    def trail(self, file: FileChange, /) -> Trail | None:
        return self._trails.get(file.old_path) or self._trails.get(file.path)

    def same_author(self, one: Change, other: Change, /) -> bool:
        """By name, or by address unless a whole fleet uses it."""
        if one.author == other.author:
            return True
        return one.account == other.account != "" and len(self._names[one.account]) < _FLEET_NAMES

    def add(self, change: Change, nets: Sequence[Sequence[Net]], /) -> dict[Net, Piece]:
        """Land a change; returns the piece of each hunk."""
        number = len(self.changes)
        self._reach[change.sha] = self.forebears(change)
        if not change.files:
            return {}
        self._reach[change.sha] |= 1 << number
        self._numbers[change.sha] = number
        self.changes.append(change)
        self.know([(change.account, change.author)])
        landed = {}
        for file, hunks in zip(change.files, nets, strict=True):
            trail = self._trails[file.path] = self.trail(file) or Trail()  # the old name stays for parallel branches
            pieces = {net: Piece(number, file, net) for net in hunks}
            trail.steps.append(Step(number=number, file=file, pieces=tuple(pieces.values())))
            for net, piece in pieces.items():
                trail.taken += piece.removed
                trail.worded[net.hunk.takes, net.hunk.gives].append(piece)
                for line in net.added:
                    trail.added[line].append(piece)
                for line in net.removed:
                    trail.removed[line].append(piece)
            landed.update(pieces)
        return landed


def netted(files: Iterable[FileChange], /) -> tuple[tuple[Net, ...], ...]:
    """The hunks of each file without the lines that only moved, within it or from file to file."""
    files = tuple(files)
    taken: Counter[int] = Counter()
    given: Counter[int] = Counter()
    within = []
    for file in files:
        removed = Counter(line for hunk in file.hunks for line in hunk.removed)
        added = Counter(line for hunk in file.hunks for line in hunk.added)
        within.append(removed & added)
        taken.update(removed - added)
        given.update(added - removed)
    moved = Counter({line: count for line, count in (taken & given).items() if line & WEIGHT_MAX >= _MOVED_LEAST})
    moved_in = moved.copy()
    return tuple(
        tuple(_netted(file.hunks, (same, moved), (same.copy(), moved_in)))
        for file, same in zip(files, within, strict=True)
    )


def near(trail: Trail, piece: Piece, hunk: Hunk, forebears: int, /) -> bool:
    """Whether `hunk` of a new change, made on `forebears`, stands where `piece` stands by now.

    Exact on a straight history; where branches were merged, up to the lines that they shifted.
    """
    first, last = _span(piece.net.hunk.after, piece.net.hunk.after_lines)
    for step in trail.steps:
        if step.number > piece.number and forebears >> step.number & 1:
            first, last = _shifted(first, last, step.file.hunks)
    start, end = _span(hunk.before, hunk.before_lines)
    return start <= last + _DRIFT_LINES and first <= end + _DRIFT_LINES


def _netted(
    hunks: Iterable[Hunk], gone: tuple[Counter[int], Counter[int]], come: tuple[Counter[int], Counter[int]]
) -> Iterator[Net]:
    for hunk in hunks:
        yield Net(hunk=hunk, removed=_left(hunk.removed, gone), added=_left(hunk.added, come))


def _left(lines: Iterable[int], moved: tuple[Counter[int], Counter[int]]) -> tuple[int, ...]:
    left = []
    for line in lines:
        for counter in moved:
            if counter[line] > 0:
                counter[line] -= 1
                break
        else:
            left.append(line)
    return tuple(left)


def _shifted(first: int, last: int, hunks: Iterable[Hunk]) -> tuple[int, int]:
    """Where the lines `first` to `last` are after these hunks; widened to the hunks that replace some of them."""
    low, high, shift_low, shift_high = first, last, 0, 0
    for hunk in hunks:
        start, end = _span(hunk.before, hunk.before_lines)
        if start > last:
            break
        shift = hunk.after_lines - hunk.before_lines
        shift_high += shift
        if end < first:
            shift_low += shift
        else:
            low, high = min(low, start), max(high, end)
    return low + shift_low, max(low + shift_low, high + shift_high)


def _span(start: int, lines: int) -> tuple[int, int]:
    """First and last line; an empty place, which git names by the line above it, is that line and the next."""
    return (start, start + lines - 1) if lines else (start, start + 1)
