"""What a change did to each file, read from git's own output."""

import re
from collections.abc import Callable, Iterator, Sequence

from loomstack_mcp.core.changes.generated import named_so
from loomstack_mcp.core.changes.hunks import FileChange, Hunk
from loomstack_mcp.core.changes.lines import WEIGHT_BITS, WEIGHT_MAX, Lines

HUNK_LINES_MAX = 5_000
"""A larger hunk is compared as a whole."""

_FILE = b"\ndiff --git "
"""Which no line of a file's content can begin with, as it has a mark before it; nor with what begins a hunk."""
_HUNK = b"\n@@ -"
_ENTRY = re.compile(rb"^(?:index|old mode|similarity|new file|deleted file) ", re.MULTILINE)
_PLACE = re.compile(rb"(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_LINE_FEED = b"\\"
_RAW = re.compile(r":+\d+ (?:\d+ )+([0-9a-f]+) (?:[0-9a-f]+ )*([0-9a-f]+) ([A-Z])[A-Z]*\d*$")
"""Of a merge with the ids of all its parents' files."""
_MARKERS = (b"<<<<<<< ", b"=======", b">>>>>>> ", b"||||||| ")


def file_changes(
    raw: Sequence[str],
    patch: bytes,
    /,
    *,
    lines: Lines,
    begin: int = 0,
    ignored: Callable[[str], bool] = named_so,
    is_merge: bool = False,
) -> tuple[FileChange, ...]:
    """The entries of `--raw -z` (meta, path, and a second path after a rename) with their hunks of `-U0`.

    Without files that are `ignored`: that machines write, as their names say. The patch stands from `begin` on. Of a
    merge the text before is git's own attempt (git-log(1), `--remerge-diff`), whose markers are nobody's lines.
    """
    blob = lines.blob
    sections = _sections(patch, begin)
    found = []
    for status, before, after, old_path, path in _entries(raw):
        if status == "T":  # a link in the place of a file is printed as a deletion and a creation
            next(sections, None)
        section = next(sections, b"")
        if ignored(path):
            continue
        hunks = tuple(_hunks(section, lines, markers=_MARKERS if is_merge else ()))
        if before != after and not any(hunk.removed or hunk.added or hunk.takes or hunk.gives for hunk in hunks):
            hunks = (_wholly(before, after, lines), *hunks)
        found.append(FileChange(path=path, old_path=old_path, before=blob(before), after=blob(after), hunks=hunks))
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


def _sections(patch: bytes, begin: int) -> Iterator[bytes]:
    """Each file's part, without those that only tell of a conflict: they have no entry."""
    start = begin if patch.startswith(_FILE[1:], begin) else patch.find(_FILE, begin)
    while begin <= start < len(patch):
        following = patch.find(_FILE, start + 1)
        end = len(patch) if following < 0 else following
        hunk = patch.find(_HUNK, start, end)
        if _ENTRY.search(patch, start, end if hunk < 0 else hunk):
            yield patch[start:end]
        start = end


def _hunks(section: bytes, lines: Lines, *, markers: tuple[bytes, ...]) -> Iterator[Hunk]:
    for printed in section.split(_HUNK)[1:]:
        place = _PLACE.match(printed)
        assert place, "git prints where a hunk is"
        before, before_lines, after, after_lines = (int(number or 1) for number in place.groups())  # 1 is left out
        _, *rows = printed.split(b"\n")
        removed, rest = rows[:before_lines], rows[before_lines:]
        if rest and rest[0].startswith(_NO_LINE_FEED):
            del rest[0]
        added = rest[:after_lines]
        if markers:
            removed = [row for row in removed if not row.startswith(markers, 1)]
        yield _hunk((before, before_lines, after, after_lines), _unmarked(removed), _unmarked(added), lines)


def _unmarked(rows: Sequence[bytes]) -> list[bytes]:
    """The lines, without the sign before each."""
    return [row[1:] for row in rows]


def _hunk(place: tuple[int, int, int, int], removed: list[bytes], added: list[bytes], lines: Lines) -> Hunk:
    before, before_lines, after, after_lines = place
    takes, gives, kept_percent = lines.words(removed, added)
    if len(removed) + len(added) > HUNK_LINES_MAX:
        gone, come = (tuple(words << WEIGHT_BITS | WEIGHT_MAX for words in (one,) if words) for one in (takes, gives))
    else:
        gone, come = lines.telling(removed), lines.telling(added)
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
