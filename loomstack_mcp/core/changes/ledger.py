"""The landed changes of a window: who added each line that is still there, and who removed each that is gone."""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import weight
from loomstack_mcp.core.changes.nets import Net
from loomstack_mcp.core.changes.people import People
from loomstack_mcp.core.changes.places import Shifts, place_of

_ROUTINE_TIMES = 5
_CHURN_STEPS = 20
_CHURN_PERCENT = 70
_NONE: Mapping[Any, int] = MappingProxyType({})
"""Shared by all pieces that nobody has touched: most are never."""


class Piece:
    """One hunk of a landed change, and what has become of it."""

    __slots__ = (
        "added",
        "back_by",
        "created",
        "heirs",
        "live",
        "lost_to",
        "net",
        "number",
        "old_path",
        "path",
        "removed",
        "tells",
        "undoes",
        "undone",
    )

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
        self.heirs: Mapping[Piece, int] = _NONE
        """The hunks that replaced its lines, and how much of them."""
        self.lost_to: Mapping[str, int] = _NONE
        self.back_by: Mapping[str, int] = _NONE
        """What each author took out of it, and brought back of what it had removed."""
        self.undone = False
        self.undoes: tuple[Piece, ...] = ()


@dataclass(kw_only=True)
class TrailStep:
    """What one change did to one file."""

    number: int
    file: FileChange
    pieces: tuple[Piece, ...]
    _shifts: Shifts | None = None

    @property
    def shifts(self) -> Shifts:
        """How it moved the lines."""
        if self._shifts is None:
            self._shifts = Shifts(self.file.hunks)
        return self._shifts


@dataclass(eq=False)
class Trail:
    """What happened to one file, under whatever name, and whose lines are in it."""

    steps: list[TrailStep] = field(default_factory=list)
    before: set[str] = field(default_factory=set)
    """All that the file was before one of the steps."""
    taken: int = 0
    taken_recent: int = 0
    """What the removed lines said, and those of them that had themselves replaced others within the window."""
    _added: dict[int, list[Piece]] | None = None
    _removed: dict[int, list[Piece]] | None = None
    _worded: dict[tuple[int, int], list[Piece]] | None = None

    @property
    def churns(self) -> bool:
        """Whether the file is rewritten all the time, as version numbers and lock files are."""
        return len(self.steps) >= _CHURN_STEPS and 100 * self.taken_recent >= _CHURN_PERCENT * self.taken > 0

    @property
    def added(self) -> dict[int, list[Piece]]:
        """By line, whose hunks added it. Most files are never touched again: nothing is sorted before somebody asks."""
        if self._added is None:
            self._added = _by_line(self.steps, lambda net: net.added)
        return self._added

    @property
    def removed(self) -> dict[int, list[Piece]]:
        """By line, whose hunks removed it."""
        if self._removed is None:
            self._removed = _by_line(self.steps, lambda net: net.removed)
        return self._removed

    @property
    def worded(self) -> dict[tuple[int, int], list[Piece]]:
        """By the words that a hunk takes and gives."""
        if self._worded is None:
            self._worded = defaultdict(list)
            for step in self.steps:
                for piece in step.pieces:
                    self._worded[piece.net.hunk.takes, piece.net.hunk.gives].append(piece)
        return self._worded

    def place(self, piece: Piece, forebears: int) -> tuple[int, int]:
        """Where a landed hunk stands for a change that was made on `forebears`, a set of bits: first and last line."""
        first, last = place_of(piece.net.hunk)
        for at in range(bisect_right(self.steps, piece.number, key=attrgetter("number")), len(self.steps)):
            if forebears >> self.steps[at].number & 1:
                first, last = self.steps[at].shifts.shifted(first, last)
        return first, last

    def add(self, step: TrailStep) -> None:
        """One more thing happened to it."""
        self.steps.append(step)
        self.before.add(step.file.before)
        for piece in step.pieces:
            self.taken += piece.removed
            if self._added is not None:
                for line in piece.net.added:
                    self._added[line].append(piece)
            if self._removed is not None:
                for line in piece.net.removed:
                    self._removed[line].append(piece)
            if self._worded is not None:
                self._worded[piece.net.hunk.takes, piece.net.hunk.gives].append(piece)


class Ledger:
    """Changes in an order in which parents come before children. The order of dates says nothing."""

    def __init__(self, *, window_ms: int) -> None:
        self.changes: list[Change] = []
        """Those that changed files, by number, without their files."""
        self.window_ms = window_ms
        self._numbers: dict[str, int] = {}
        self._reach: dict[str, int] = {}
        self._trails: dict[str, Trail] = {}
        self._people = People()
        self._titles: Counter[str] = Counter()

    def forebears(self, change: Change, /) -> int:
        """The changes that `change` was made on, as a set of bits by number."""
        found = 0
        for parent in change.parents:
            found |= self._reach.get(parent, 0)
        return found

    def is_beside(self, number: int, other: int, /) -> bool:
        """Whether a landed change is an earlier one that `other` was not made on, or that `other` merges."""
        change = self.changes[other]
        return number < other and (len(change.parents) > 1 or not self._reach[change.sha] >> number & 1)

    def know(self, authors: Iterable[tuple[str, str]], /) -> None:
        """Hear of authors, each an account and a name, whose changes are not added."""
        for account, name in authors:
            self._people.know(account, name)

    def number(self, change: Change, /) -> int:
        """Of a landed change that changed files, in the order of landing."""
        return self._numbers[change.sha]

    def trail(self, file: FileChange, /) -> Trail | None:
        """What happened to this file; None where nothing has yet."""
        return self._trails.get(file.old_path) or self._trails.get(file.path)

    def is_routine(self, change: Change, /) -> bool:
        """Whether changes of its title, numbers apart, have landed again and again."""
        return self._titles[_without_numbers(change.title)] >= _ROUTINE_TIMES

    def same_author(self, one: Change, other: Change, /) -> bool:
        """Whether two changes are one loop's of one developer, or of no loop and one person's.

        Developers whose loops bear one name are told apart by what git has for them, where it has that of both.
        """
        if one.signed is None and other.signed is None:
            return self._people.same(one.signer, other.signer)
        if one.signed is None or other.signed is None or one.author != other.author:
            return False
        is_unknown = not any(one.signed) or not any(other.signed)
        return is_unknown or self._people.same(one.signed, other.signed)

    def add(self, change: Change, nets: Sequence[Sequence[Net]], /) -> dict[Net, Piece]:
        """Land a change; returns the piece of each hunk."""
        number = len(self.changes)
        self._reach[change.sha] = self.forebears(change)
        if not change.files:
            return {}
        self._reach[change.sha] |= 1 << number
        self._numbers[change.sha] = number
        said = change.said or sum(weight((*net.removed, *net.added)) for hunks in nets for net in hunks)
        self.changes.append(replace(change, files=(), said=said))
        self.know([(change.account, change.author)])
        self._titles[_without_numbers(change.title)] += 1
        landed = {}
        for file, hunks in zip(change.files, nets, strict=True):
            trail = self._trails[file.path] = self.trail(file) or Trail()  # the old name stays for parallel branches
            pieces = {net: Piece(number, file, net) for net in hunks}
            trail.add(TrailStep(number=number, file=file, pieces=tuple(pieces.values())))
            landed.update(pieces)
        return landed

    def forget(self, before_ms: int, /) -> None:
        """Let go of the files that nobody changed since: who is still to come looks no further back."""
        old = [
            path
            for path, trail in self._trails.items()
            if all(self.changes[step.number].at_ms < before_ms for step in trail.steps[-1:])
        ]
        for path in old:
            del self._trails[path]


def _without_numbers(title: str) -> str:
    return re.sub(r"\d+", "#", title)


def _by_line(steps: Iterable[TrailStep], lines: Callable[[Net], Sequence[int]]) -> dict[int, list[Piece]]:
    found: dict[int, list[Piece]] = defaultdict(list)
    for step in steps:
        for piece in step.pieces:
            for line in lines(piece.net):
                found[line].append(piece)
    return found
