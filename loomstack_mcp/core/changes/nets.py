"""Hunks without the lines that only moved, within their file or from file to file."""

from collections import Counter
from collections.abc import Iterable, Iterator
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
