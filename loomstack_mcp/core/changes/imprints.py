"""Imprints: what a change did, as keyed numbers by which it is known again after squash, rebase, amend and rename.

A patch-id of our own: of the lines that a file loses and gains, whatever their order, place and white space. How well
it knows is measured on replayed histories by `python -m tests.eval recognised`.
"""

import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Literal

from loomstack_mcp.core.changes.generated import named_so
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import WEIGHT_MAX
from loomstack_mcp.core.changes.nets import Net, netted
from loomstack_mcp.core.records import record
from loomstack_mcp.core.texts import encodable

BoundBy = Literal["sha", "patch", "files", "lines", "trailer"]

_INFORMATIVE_LEAST = 8
"""What a line must say to tell one change from another."""
_LINES_LEAST = 3
_LINES_MAX = 5_000
"""Of a larger change the files are compared, not the lines."""
_SHARE_OF_LINES = 0.8
_SHARE_WITH_MORE = 0.6
"""Where one side of a file, or a trailer, says the same."""


@record
class Imprint:
    """One change. Marks are 64 bits with a sign, as the store keeps them."""

    whole: int = 0
    """The mark of all its files together; 0 where it has none."""
    tells: bool = False
    """Whether it says enough for its mark to be nobody else's."""
    files: tuple[tuple[int, int], ...] = ()
    """The mark of each file, and how many of the lines are its."""
    sides: tuple[int, ...] = ()
    """The marks of what goes from a file, and of what comes to it, each where it tells something."""
    lines: tuple[int, ...] = ()
    """The lines that tell something: those that went turned round. Empty where there are very many."""
    listed: tuple[int, ...] = ()
    """The same of files that only list what changed, by which a change alone is never known."""
    placed: tuple[int, ...] = ()
    """The lines that came and tell little, each with its file."""
    moved: tuple[int, ...] = ()
    """The lines that only moved there, each with its file."""
    places: tuple[int, ...] = ()
    """The files."""

    @property
    def marks(self) -> frozenset[int]:
        """By what it is known again."""
        files = (mark for mark, _ in self.files)
        return frozenset((self.whole, *files, *self.sides, *self.lines)) if self.whole else frozenset()

    @property
    def telling(self) -> frozenset[int]:
        """All its lines of which one tells something."""
        return frozenset((*self.lines, *self.listed))

    @property
    def rest(self) -> frozenset[int]:
        """What is kept of it beside marks and lines, to tell who wrote which line of what several made."""
        return frozenset((*self.placed, *self.moved, *self.places))


@record
class KnownRun:
    """A run that made something like it."""

    run_id: str
    shared: frozenset[int]
    """The marks that both have."""
    size: int
    """How many marks the run has in all."""


@record
class Maker:
    """Whose a change is, how that is known, and how much of it was that run's."""

    run_id: str
    bound_by: BoundBy
    share: float = 1.0


@record
class MadeBranch:
    """The commits of a branch, and what they change together; its `hints` are those of all."""

    shas: tuple[str, ...]
    change: Change


def imprint(
    files: Iterable[FileChange],
    nets: Sequence[Sequence[Net]] | None = None,
    /,
    *,
    lists: Iterable[FileChange] = (),
) -> Imprint:
    """The imprint of a change to these files, without what machines write; `nets` where the caller has them.

    `lists` are those of its files that only list what changed.
    """
    files = tuple(files)
    nets = netted(files) if nets is None else nets
    counts: dict[int, int] = {}
    lines: set[int] = set()
    sides: set[int] = set()
    rest = _rest_of(zip(files, nets, strict=True), lists)
    said = 0
    for file, hunks in zip(files, nets, strict=True):
        if named_so(file.path):
            continue
        gone, come = _both_sides(hunks)
        new, old = ({_signed(line) for line in side if _informs(line)} for side in (come, gone))
        counts[_mark_of_file(file, gone, come)] = len(new) + len(old)
        sides |= {_mark_of_file(file, *side) for side, told in (((gone, ()), old), (((), come), new)) if told}
        lines |= new | {~line for line in old}
        said += sum(line & WEIGHT_MAX for line in (*gone, *come))
    if not counts:
        return rest
    whole = _hashed(b"whole", *(struct.pack("<q", mark) for mark in sorted(counts)))
    return replace(
        rest,
        whole=whole,
        tells=said >= _INFORMATIVE_LEAST,
        files=tuple(sorted(counts.items())),
        sides=tuple(sorted(sides)),
        lines=_few(lines),
    )


def _rest_of(files: Iterable[tuple[FileChange, Sequence[Net]]], lists: Iterable[FileChange]) -> Imprint:
    placed, moved, listed, places = set[int](), set[int](), set[int](), set[int]()
    for file, hunks in files:
        if named_so(file.path):
            continue
        path = encodable(file.path)
        places.add(place_mark(path))
        for net in hunks:
            come = set(net.added)
            placed.update(placed_mark(path, line) for line in come if not _informs(line))
            moved.update(placed_mark(path, line) for line in net.hunk.added if line not in come)
    lists = tuple(lists)
    for file, hunks in zip(lists, netted(lists), strict=True):
        places.add(place_mark(encodable(file.path)))
        for net in hunks:
            listed.update(listed_mark(line) for line in net.added if _informs(line))
            listed.update(~listed_mark(line) for line in net.removed if _informs(line))
    return Imprint(listed=_few(listed), placed=_few(placed), moved=_few(moved), places=_few(places))


def _few(marks: Collection[int]) -> tuple[int, ...]:
    return tuple(sorted(marks)) if len(marks) <= _LINES_MAX else ()


def place_mark(path: str, /) -> int:
    """The mark of a file that something was changed in."""
    return _hashed(b"place", path.encode())


def placed_mark(path: str, line: int, /) -> int:
    """The mark of a line, by its number, together with its file."""
    return _hashed(b"placed", path.encode(), struct.pack("<Q", line))


def listed_mark(line: int, /) -> int:
    """The mark of a line, by its number, of a file that only lists what changed."""
    return _hashed(b"listed", struct.pack("<Q", line))


def range_mark(whole: int, /) -> int:
    """The mark of a branch as a whole, beside that of the same change in one commit."""
    return _hashed(b"range", struct.pack("<q", whole))


def line_mark(number: int, /) -> int:
    """The mark of a line that comes, by its number; 0 where that says too little to tell one change from another."""
    return _signed(number) if _informs(number) else 0


def _both_sides(hunks: Sequence[Net]) -> tuple[list[int], list[int]]:
    """The lines that go, and those that come, each in order: the places of hunks tell nothing."""
    return (
        sorted(line for net in hunks for line in net.removed),
        sorted(line for net in hunks for line in net.added),
    )


def recognised(wanted: Imprint, known: Iterable[KnownRun], /, *, hints: Collection[str] = ()) -> Maker | None:
    """Whose a change is, by what runs made before it landed; of equals the one that comes first. None: nobody's.

    `hints` are the runs that its message names. They bind nothing that is not that run's for the most part.
    """
    best: tuple[tuple[bool, float, float], Maker] | None = None
    for one in known:
        if maker := _maker(wanted, one, hints):
            rank = (wanted.whole in one.shared, maker.share, len(one.shared) / max(1, one.size))
            if best is None or rank > best[0]:
                best = (rank, maker)
    return best[1] if best else None


def _maker(wanted: Imprint, one: KnownRun, hints: Collection[str]) -> Maker | None:
    is_same = bool(wanted.whole) and wanted.whole in one.shared
    share = 1.0 if is_same else part_shared(wanted, one.shared)
    is_named = one.run_id in hints
    bound_by: BoundBy
    if is_same and wanted.tells:
        bound_by = "patch"
    elif is_named and share >= _SHARE_WITH_MORE:
        bound_by = "trailer"
    elif share >= _SHARE_WITH_MORE and _has_same_side(wanted, one.shared):
        bound_by = "files"
    elif share >= _SHARE_OF_LINES and len(wanted.lines) >= _LINES_LEAST:
        bound_by = "lines"
    else:
        return None
    return Maker(run_id=one.run_id, bound_by=bound_by, share=share)


def _has_same_side(wanted: Imprint, shared: frozenset[int]) -> bool:
    """Whether all that goes from a file, or all that comes to it, is the same, in a change that says enough."""
    return sum(count for _, count in wanted.files) >= _LINES_LEAST and not shared.isdisjoint(wanted.sides)


def part_shared(wanted: Imprint, shared: frozenset[int]) -> float:
    """How much of a change is in what is shared: of its lines, else of its files."""
    if wanted.lines:
        return len(shared.intersection(wanted.lines)) / len(wanted.lines)
    lines = sum(count for _, count in wanted.files)
    return sum(count for mark, count in wanted.files if mark in shared) / lines if lines else 0.0


def _informs(line: int) -> bool:
    return line & WEIGHT_MAX >= _INFORMATIVE_LEAST


def _mark_of_file(file: FileChange, gone: Sequence[int], come: Sequence[int]) -> int:
    names = f"{encodable(file.old_path)}\0{encodable(file.path)}\0{file.creates:d}{file.deletes:d}".encode()
    counts = len(gone), len(come)
    return _hashed(b"file", names, struct.pack(f"<2Q{sum(counts)}Q", *counts, *gone, *come))


def _hashed(*parts: bytes) -> int:
    digest = blake2b(b"\0".join(parts), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
