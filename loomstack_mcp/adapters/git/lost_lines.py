"""The one line that tells most of what a case took, read from git."""

from collections.abc import Iterator, Sequence

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.undone import Undone, UndonePlace
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.changes.words import most_telling, taken_back
from loomstack_mcp.core.records import record

_PLACES_MAX = 40
"""That are looked at for one case, those of the largest loss first."""
_FILE_BYTES_MAX = 1_000_000
_FILES_KEPT_MAX = 200
_LOOKED_AT_BYTES = 8_000
"""For a zero byte, by which git tells what is binary (its buffer_is_binary)."""


@record
class LostLine:
    """A line of a case."""

    text: str
    path: str
    """Where the case took it, or brought it back."""
    returned: bool = False
    """Whether it had been removed, and came back; no line went."""


class FileLines:
    """The lines of files as git counts them, the last few files kept."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._kept: dict[tuple[str, str], list[str]] = {}

    def of(self, sha: str, path: str) -> list[str]:
        """None of a commit "", of a file that is not there, binary, or too large; of a long one its beginning."""
        if not sha:
            return []
        if (sha, path) not in self._kept:
            if len(self._kept) >= _FILES_KEPT_MAX:
                self._kept.clear()
            content = self._repo.file(sha, path)[:_FILE_BYTES_MAX]
            has_lines = content and b"\0" not in content[:_LOOKED_AT_BYTES]
            self._kept[sha, path] = content.decode("utf-8", "replace").split("\n") if has_lines else []
        return self._kept[sha, path]


def lost_line(files: FileLines, one: Reversal, *, head: str) -> LostLine | None:
    """Of what a case took the line that tells most, of those that `head` still lacks if there are any.

    Where it only brought back what had been removed, such a line. None where git has no text of it.
    """
    undone = sorted(taken_back(one), key=lambda undone: -undone.hunks)
    places = [(each, place) for each in undone for place in each.places][:_PLACES_MAX]
    gone = [line for each, place in places for line in _gone(files, one, each, place)]
    missing = [(text, path) for text, path in gone if text not in files.of(head, path)] if one.missing else []
    if found := most_telling(missing) or most_telling(gone):
        return LostLine(text=found[0], path=found[1])
    return _line_back(most_telling(line for each, place in places for line in _back(files, one, each, place)))


def _line_back(found: tuple[str, str] | None) -> LostLine | None:
    return LostLine(text=found[0], path=found[1], returned=True) if found else None


def _gone(files: FileLines, one: Reversal, undone: Undone, place: UndonePlace) -> Iterator[tuple[str, str]]:
    """The lines that the landed hunk had added and that the file has no more."""
    added = _part(files.of(undone.change.sha, place.path), place.hunk.after, place.hunk.after_lines)
    left = set(files.of(one.change.sha, place.by_path))
    return ((line, place.by_path) for line in added if line not in left)


def _back(files: FileLines, one: Reversal, undone: Undone, place: UndonePlace) -> Iterator[tuple[str, str]]:
    """The lines that it had removed, and that the file has again."""
    parent = undone.change.parents[0] if undone.change.parents else ""
    removed = _part(files.of(parent, place.old_path), place.hunk.before, place.hunk.before_lines)
    there = set(files.of(one.change.sha, place.by_path))
    return ((line, place.by_path) for line in removed if line in there)


def _part(lines: Sequence[str], first: int, count: int) -> Sequence[str]:
    return lines[max(0, first - 1) : max(0, first - 1) + count]
