"""The content of a change: the lines that it adds and removes in each file, whatever the hunks and their places."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loomstack_mcp.core.changes.hunks import Change, Hunk
from loomstack_mcp.core.changes.lines import WEIGHT_MAX, weight
from loomstack_mcp.core.changes.nets import Net, netted

INFORMATIVE_LEAST = 12
"""What a line must say, in letters and digits, to count: an import says ten at most, and so do most versions."""
_VERSIONED = re.compile(
    r"""(?:^|/)(?:package\.json|composer\.json|pyproject\.toml|setup\.(?:cfg|py)|cargo\.toml|go\.mod|gemfile|pom\.xml
      |[^/]*\.(?:csproj|gemspec|nuspec)|[^/]*requirements[^/]*\.(?:txt|in)|\.?(?:bump|_{0,2})version_{0,2}(?:\.[a-z]+)?)$""",
    re.VERBOSE | re.IGNORECASE,
)
"""Files of versions: that two branches raise the same one is no work done twice."""

ContentLine = tuple[str, bool, int]
"""A line of a file, by the name that the file had at the base; whether it was added; its number."""


@dataclass(eq=False, kw_only=True)
class ChangeContent:
    """What some change, or several together, did. Lines that say nothing are left out, and so are those that moved."""

    change: Change
    lines: Counter[ContentLine]
    words: Counter[tuple[str, int, int]]
    """The words that hunks take and give, by file: also of lines that weigh nothing."""
    paths: dict[str, str]
    """The names of its files by those that they had at the base."""
    said: int
    """What all of its lines say, where `lines` are not all."""
    gone: Counter[ContentLine] = field(default_factory=Counter)
    """Those of its lines that later changes took back."""


def contents(changes: Iterable[Change], /) -> list[ChangeContent]:
    """The content of each change, of which each was made on the one before."""
    names: dict[str, str] = {}
    return [_content(change, list(map(_net, netted(change.files))), names) for change in changes]


def landed_contents(landed: Iterable[Change], /, *, wanted: Container[int]) -> list[ChangeContent]:
    """The same of what the ledger keeps, which is net of moves: of each the lines of the `wanted` numbers alone.

    Each knows which of its lines are gone again.
    """
    names: dict[str, str] = {}
    found = [_content(change, [file.hunks for file in change.files], names, wanted=wanted) for change in landed]
    later: Counter[ContentLine] = Counter()
    for content in reversed(found):
        content.gone = Counter({line: later[line] for line in content.lines if line in later})
        later.update(_turned(content.lines))
    return found


def joined_content(parts: Iterable[ChangeContent], /) -> ChangeContent:
    """All of them as one, without what one of them did and another took back."""
    lines, words, paths = Counter[ContentLine](), Counter[tuple[str, int, int]](), dict[str, str]()
    for part in parts:
        lines.update(part.lines)
        words.update(part.words)
        paths |= part.paths
    lines -= _turned(lines)
    return ChangeContent(change=Change(sha=""), lines=lines, words=words, paths=paths, said=said_by(lines))


def informative_lines(lines: Mapping[ContentLine, int], /) -> int:
    """How many of them say enough to be known again, files of versions left out."""
    return sum(
        count
        for (path, _, line), count in lines.items()
        if line & WEIGHT_MAX >= INFORMATIVE_LEAST and not _VERSIONED.search(path)
    )


def said_by(lines: Mapping[ContentLine, int], /) -> int:
    """What they say together, in letters and digits."""
    return sum((line & WEIGHT_MAX) * count for (_, _, line), count in lines.items())


def _content(
    change: Change, hunks: Sequence[Sequence[Hunk]], names: dict[str, str], *, wanted: Container[int] | None = None
) -> ChangeContent:
    """`hunks` are those of each file; `names` says what files were called at the base, and hears of new names."""
    lines, words, paths, said = Counter[ContentLine](), Counter[tuple[str, int, int]](), dict[str, str](), 0
    for file, of_file in zip(change.files, hunks, strict=True):
        first = names[file.path] = file.path if file.creates else names.get(file.old_path, file.old_path)
        paths[first] = file.path
        for hunk in of_file:
            said += weight((*hunk.removed, *hunk.added))
            words[first, hunk.takes, hunk.gives] += 1
            lines.update((first, True, line) for line in _telling(hunk.added, wanted))
            lines.update((first, False, line) for line in _telling(hunk.removed, wanted))
    return ChangeContent(change=change, lines=lines, words=words, paths=paths, said=change.said or said)


def _telling(numbers: Iterable[int], wanted: Container[int] | None) -> Iterator[int]:
    return (line for line in numbers if line & WEIGHT_MAX and (wanted is None or line in wanted))


def _net(nets: Iterable[Net]) -> list[Hunk]:
    return [replace(net.hunk, removed=net.removed, added=net.added) for net in nets]


def _turned(lines: Mapping[ContentLine, int]) -> Counter[ContentLine]:
    """What takes these back."""
    return Counter({(path, not added, line): count for (path, added, line), count in lines.items()})
