"""What a change did to each file, read from git's own output."""

import re
from collections.abc import Iterable, Iterator, Sequence

from loomstack_mcp.core.changes.hunks import FileChange, Hunk
from loomstack_mcp.core.changes.lines import WEIGHT_BITS, WEIGHT_MAX, Lines

HUNK_LINES_MAX = 5_000
"""A larger hunk is compared as a whole."""

_FILE = b"diff --git "
_ENTRY = (b"index ", b"old mode ", b"similarity ", b"new file ", b"deleted file ")
_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_RAW = re.compile(r":\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*$")
_MARKERS = (b"<<<<<<< ", b"=======", b">>>>>>> ", b"||||||| ")


def file_changes(
    raw: Sequence[str], patch: bytes, /, *, lines: Lines, is_merge: bool = False
) -> tuple[FileChange, ...]:
    """The entries of `--raw -z` (meta, path, and a second path after a rename) with their hunks of `-U0`.

    Of a merge the text before is git's own attempt (git-log(1), `--remerge-diff`), whose markers are nobody's lines.
    """
    sections = _sections(patch)
    found = []
    for status, before, after, old_path, path in _entries(raw):
        if status == "T":  # a link in the place of a file is printed as a deletion and a creation
            next(sections, None)
        hunks = tuple(_hunks(next(sections, []), lines, markers=_MARKERS if is_merge else ()))
        if before != after and not any(hunk.removed or hunk.added or hunk.takes or hunk.gives for hunk in hunks):
            hunks = (_wholly(before, after, lines), *hunks)
        found.append(FileChange(path=path, old_path=old_path, before=before, after=after, hunks=hunks))
    return tuple(found)


def _wholly(before: str, after: str, lines: Lines) -> Hunk:
    """Content that is no lines, as one line before and one after."""
    removed, added = ((lines.number(f"blob {blob}".encode()),) if blob.strip("0") else () for blob in (before, after))
    return Hunk(
        before=1,
        before_lines=len(removed),
        after=1,
        after_lines=len(added),
        removed=removed,
        added=added,
        takes=removed[0] if removed else 0,
        gives=added[0] if added else 0,
    )


def _entries(raw: Sequence[str]) -> Iterator[tuple[str, str, str, str, str]]:
    fields = iter(raw)
    for meta in fields:
        if match := _RAW.match(meta):
            before, after, status = match.groups()
            old_path = next(fields, "")
            path = next(fields, "") if status in "RC" else old_path
            yield status, before, after, old_path if status != "C" else path, path


def _sections(patch: bytes) -> Iterator[list[bytes]]:
    """The lines of each file's part, without those that only tell of a conflict: they have no entry."""
    section: list[bytes] = []
    for line in (*patch.split(b"\n"), _FILE):
        if not line.startswith(_FILE):  # which no line of a file's content can begin with
            section.append(line)
        else:
            if any(line.startswith(_ENTRY) for line in section):
                yield section
            section = []


def _hunks(section: Iterable[bytes], lines: Lines, *, markers: tuple[bytes, ...]) -> Iterator[Hunk]:
    place: tuple[int, int, int, int] | None = None
    removed: list[bytes] = []
    added: list[bytes] = []
    for line in section:
        first = line[:1]
        if place and first == b"+":
            added.append(line[1:])
        elif place and first == b"-":
            if not line.startswith(markers, 1):
                removed.append(line[1:])
        elif header := _HEADER.match(line):
            if place:
                yield _hunk(place, removed, added, lines)
            place = _place(header)
            removed, added = [], []
    if place:
        yield _hunk(place, removed, added, lines)


def _place(header: re.Match[bytes]) -> tuple[int, int, int, int]:
    """First line and number of lines, before and after; git leaves out a number that is 1."""
    return int(header[1]), int(header[2] or 1), int(header[3]), int(header[4] or 1)


def _hunk(place: tuple[int, int, int, int], removed: list[bytes], added: list[bytes], lines: Lines) -> Hunk:
    before, before_lines, after, after_lines = place
    takes, gives, kept_percent = lines.words(removed, added)
    if len(removed) + len(added) > HUNK_LINES_MAX:
        gone, come = (tuple(words << WEIGHT_BITS | WEIGHT_MAX for words in (one,) if words) for one in (takes, gives))
    else:
        gone, come = _telling(removed, lines), _telling(added, lines)
    return Hunk(
        before=before,
        before_lines=before_lines,
        after=after,
        after_lines=after_lines,
        removed=gone,
        added=come,
        takes=takes,
        gives=gives,
        kept_percent=kept_percent,
    )


def _telling(texts: list[bytes], lines: Lines) -> tuple[int, ...]:
    return tuple(number for number in map(lines.number, texts) if number & WEIGHT_MAX)
