"""What of a branch has landed already by another commit: the same lines, added and removed in the same files."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import WEIGHT_MAX
from loomstack_mcp.core.changes.nets import netted

INFORMATIVE_LEAST = 12
"""What a line must say, in letters and digits, to count: an import says ten at most, and so do most versions."""
LINES_LEAST = 3
"""Of fewer informative lines only the identical patch is known again: two people write the same line by chance."""
SHARE_LEAST = 0.8
_STANDING_LEAST = 0.5
"""Of what is alike, so much must still be there: what the target took back again may well be landed anew."""
_VERSIONED = re.compile(
    r"""(?:^|/)(?:package\.json|composer\.json|pyproject\.toml|setup\.(?:cfg|py)|cargo\.toml|go\.mod|gemfile|pom\.xml
      |[^/]*\.(?:csproj|gemspec|nuspec)|[^/]*requirements[^/]*\.(?:txt|in)|_{0,2}version_{0,2}(?:\.[a-z]+)?)$""",
    re.VERBOSE | re.IGNORECASE,
)
"""Files of versions: that two branches raise the same one is no work done twice."""

_Line = tuple[str, bool, int]
"""A line of a file, by the name that the file had at the base; whether it was added; its number."""


@dataclass(frozen=True, kw_only=True)
class Branch:
    """What may have landed already: all that a branch does, and its commits one by one."""

    base: str
    """The commit that it left the target at."""
    whole: Change | None = None
    """All of it, where it is more than its commits are together, or they were not read."""
    commits: tuple[Change, ...] = ()
    """Parents first."""


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """A landed change that has what a branch would land once more."""

    change: Change
    of: Literal["branch", "commits", "part"]
    """What has landed: the whole branch, some of its commits, or only lines among others, which are what landed."""
    commits: tuple[Change, ...] = ()
    share: float
    """How much of the branch, or of each of these commits, it has; of a part, how much of what landed that is."""
    paths: tuple[str, ...]
    """Where, by the names that the branch has."""


def repeats(branch: Branch, landed: Sequence[Change], /) -> tuple[Repeat, ...]:
    """Which of the changes that landed beside a branch it repeats, in their order.

    `landed` are those that it was not made on, parents first. What landed, and was taken back again, is not there.
    """
    commits, there = _read(branch.commits), _read(landed)
    whole = _read([branch.whole])[0] if branch.whole else _together(commits)
    _note_gone(there, {*whole.lines}.union(*(piece.lines for piece in commits)))
    has: dict[_Piece, list[_Piece]] = {}
    if best := _best(whole, there):
        has[best] = [whole]
    for piece in commits:
        best = _best(piece, there) if _stands(piece, whole) else None
        if best and has.setdefault(best, []) != [whole]:
            has[best].append(piece)
    found = ((one, has.get(one, [])) for one in there)
    return tuple(_repeat(one, whole, pieces) for one, pieces in found if pieces or _is_part_of(one, whole))


def landed_share(changes: Sequence[Change], landed: Sequence[Change], /) -> float:
    """How much of what some commits did together, each on the one before, landed changes have done, all of them.

    1 where they say nothing by which it could be told.
    """
    mine, there = _together(_read(changes)).lines, Counter[_Line]()
    for piece in _read(landed):
        there.update(piece.lines)
    wanted = _informative(mine)
    return _informative(mine & there) / wanted if wanted else 1.0


@dataclass(eq=False, kw_only=True)
class _Piece:
    """The lines of some change, net of those that only moved."""

    change: Change
    lines: Counter[_Line]
    words: Counter[tuple[str, int, int]]
    paths: dict[str, str]
    """The names of its files by those that they had at the base."""
    said: int
    gone: Counter[_Line] = field(default_factory=Counter)
    """Those of its lines that later changes took back."""

    def alike(self, other: "_Piece") -> Counter[_Line]:
        """The lines that both have; none where most of them do not stand any more."""
        alike = self.lines & other.lines
        return alike if _said(alike - self.gone) >= _STANDING_LEAST * _said(alike) else Counter()


def _read(changes: Iterable[Change]) -> list[_Piece]:
    names: dict[str, str] = {}
    return [_piece(change, names) for change in changes]


def _piece(change: Change, names: dict[str, str]) -> _Piece:
    """`names` says what files were called at the base, and hears of those that this change gives."""
    lines, words, paths = Counter[_Line](), Counter[tuple[str, int, int]](), dict[str, str]()
    for file, nets in zip(change.files, netted(change.files), strict=True):
        first = names[file.path] = file.path if file.creates else names.get(file.old_path, file.old_path)
        paths[first] = file.path
        for net in nets:
            words[first, net.hunk.takes, net.hunk.gives] += 1
            lines.update((first, True, line) for line in net.added if line & WEIGHT_MAX)
            lines.update((first, False, line) for line in net.removed if line & WEIGHT_MAX)
    return _Piece(change=change, lines=lines, words=words, paths=paths, said=change.said or _said(lines))


def _together(pieces: Sequence[_Piece]) -> _Piece:
    """All of them as one, without what one of them did and another took back."""
    lines, words, paths = Counter[_Line](), Counter[tuple[str, int, int]](), dict[str, str]()
    for piece in pieces:
        lines.update(piece.lines)
        words.update(piece.words)
        paths |= piece.paths
    lines -= _turned(lines)
    return _Piece(change=Change(sha=""), lines=lines, words=words, paths=paths, said=_said(lines))


def _note_gone(landed: Sequence[_Piece], wanted: Container[_Line]) -> None:
    """Tell each landed change what those after it did the other way round, of the lines that matter."""
    later: Counter[_Line] = Counter()
    for piece in reversed(landed):
        piece.gone = Counter({line: later[line] for line in piece.lines if line in later})
        later.update({line: count for line, count in _turned(piece.lines).items() if line in wanted})


def _turned(lines: Mapping[_Line, int]) -> Counter[_Line]:
    """What takes these back."""
    return Counter({(path, not added, line): count for (path, added, line), count in lines.items()})


def _stands(commit: _Piece, whole: _Piece) -> bool:
    """Whether the branch still has most of what one of its commits did."""
    return _said(commit.lines & whole.lines) >= _STANDING_LEAST * commit.said


def _best(piece: _Piece, there: Sequence[_Piece]) -> _Piece | None:
    """The landed change that has the most of it, the latest of equals; None where none has enough."""
    found = [(share, number) for number, one in enumerate(there) if (share := _share(piece, one))]
    return there[max(found)[1]] if found else None


def _share(piece: _Piece, landed: _Piece) -> float:
    """How much of a piece has landed with another change: 0 where that is too little to be the same work."""
    alike, wanted = landed.alike(piece), _informative(piece.lines)
    if wanted >= LINES_LEAST:
        share = _informative(alike) / wanted
        return share if share >= SHARE_LEAST and _informative(alike) >= LINES_LEAST else 0.0
    is_same = alike == piece.lines == landed.lines and (piece.words, piece.said) == (landed.words, landed.said)
    return float(wanted > 0 and is_same)


def _is_part_of(landed: _Piece, whole: _Piece) -> bool:
    """Whether the branch has nearly all of it."""
    alike = landed.alike(whole)
    return _informative(alike) >= LINES_LEAST and _said(alike) >= SHARE_LEAST * landed.said


def _repeat(landed: _Piece, whole: _Piece, pieces: Sequence[_Piece]) -> Repeat:
    shares = [_share(piece, landed) for piece in pieces] or [_said(landed.alike(whole)) / landed.said]
    return Repeat(
        change=landed.change,
        of="branch" if pieces == [whole] else "commits" if pieces else "part",
        commits=tuple(piece.change for piece in pieces if piece is not whole),
        share=min(1.0, *shares),
        paths=tuple(sorted({path for piece in pieces or [whole] for path in _paths(piece, landed.alike(piece))})),
    )


def _paths(piece: _Piece, lines: Iterable[_Line]) -> set[str]:
    return {piece.paths[first] for first, _, _ in lines}


def _informative(lines: Mapping[_Line, int]) -> int:
    """How many of them say enough to be known again, files of versions left out."""
    return sum(
        count
        for (path, _, line), count in lines.items()
        if line & WEIGHT_MAX >= INFORMATIVE_LEAST and not _VERSIONED.search(path)
    )


def _said(lines: Mapping[_Line, int]) -> int:
    return sum((line & WEIGHT_MAX) * count for (_, _, line), count in lines.items())
