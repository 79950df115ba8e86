"""Hunks without the lines that only moved, within their file or from file to file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from loomstack_mcp.core.changes.hunks import FileChange, Hunk
from loomstack_mcp.core.changes.lines import WEIGHT_MAX

_MOVED_LEAST = 12
"""What a line must say to count as moved from one file to another."""


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


def netted(files: Iterable[FileChange], /) -> tuple[tuple[Net, ...], ...]:
    """The hunks of each file without the lines that only moved, within it or from file to file."""
    files = tuple(files)
    both = _gone_and_come(files)
    if not both:
        return tuple(
            tuple(Net(hunk=hunk, removed=hunk.removed, added=hunk.added) for hunk in file.hunks) for file in files
        )
    taken: Counter[int] = Counter()
    given: Counter[int] = Counter()
    within = []
    for file in files:
        removed, added = _counted(file, both)
        within.append(removed & added)
        taken.update(removed - added)
        given.update(added - removed)
    moved = Counter({line: count for line, count in (taken & given).items() if line & WEIGHT_MAX >= _MOVED_LEAST})
    moved_in = moved.copy()
    return tuple(
        tuple(_netted(file.hunks, both, (same, moved), (same.copy(), moved_in)))
        for file, same in zip(files, within, strict=True)
    )


def _counted(file: FileChange, both: Set[int]) -> tuple[Counter[int], Counter[int]]:
    """How often which of these lines goes and comes in a file."""
    removed = Counter(line for hunk in file.hunks for line in hunk.removed if line in both)
    return removed, Counter(line for hunk in file.hunks for line in hunk.added if line in both)


def _gone_and_come(files: Iterable[FileChange]) -> Set[int]:
    """The lines that go somewhere and come somewhere: all others stay as they are."""
    gone: set[int] = set()
    come: set[int] = set()
    for file in files:
        for hunk in file.hunks:
            gone.update(hunk.removed)
            come.update(hunk.added)
    return gone & come


def _netted(
    hunks: Iterable[Hunk],
    both: Set[int],
    gone: tuple[Counter[int], Counter[int]],
    come: tuple[Counter[int], Counter[int]],
) -> Iterator[Net]:
    for hunk in hunks:
        removed = hunk.removed if both.isdisjoint(hunk.removed) else _left(hunk.removed, gone)
        added = hunk.added if both.isdisjoint(hunk.added) else _left(hunk.added, come)
        yield Net(hunk=hunk, removed=removed, added=added)


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
