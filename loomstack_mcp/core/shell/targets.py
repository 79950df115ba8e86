"""The paths that words name, from where a line stands, as targets of what it writes."""

from collections.abc import Iterator, Sequence

from loomstack_mcp.core.records import record
from loomstack_mcp.core.shell.words import Word

_DEVICES = ("null", "zero", "full", "tty", "stdin", "stdout", "stderr")
_NO_FILES = frozenset({"", "-", *(f"/dev/{device}" for device in _DEVICES)})


@record
class Write:
    """What the line edits, creates, moves or deletes, from where it starts."""

    path: str
    """`.` and double slashes are gone, `..` is not, for a link may stand before it. "" may be any path."""
    is_folder_wide: bool = False
    """What is below the path may be written too."""
    is_into: bool = False
    """Where a folder lies at the path, it gets what another write names, and all else in it stays."""
    glob: str = ""
    """Of what is below the path, only what this matches (fnmatch), for who can look which files there are."""


ANYWHERE = Write(path="", is_folder_wide=True)


def path_from(here: str | None, path: str, /, *, climbs: bool = False) -> str | None:
    """A path from where the line stands; None where that is not known. It `climbs` where `..` takes a folder away."""
    if not path.startswith("/"):
        if here is None:
            return None
        path = f"{here}/{path}" if here else path
    parts: list[str] = []
    for part in path.split("/"):
        if climbs and part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    root = "/" if path.startswith("/") else ""
    return root + "/".join(parts) or "."


def folder_entered(here: str | None, folder: Word, /) -> str | None:
    """Where the line stands after `cd`; None where that cannot be known."""
    # `cd` goes by the names alone, whatever links there are (POSIX, cd -L); `cd -` goes where the line was before.
    is_known = not folder.is_opaque and not folder.is_glob and folder.text != "-"
    return path_from(here, folder.text, climbs=True) if is_known else None


def paths_written(here: str | None, targets: Sequence[Word], /, *, wide: bool = False) -> Iterator[Write]:
    """The targets as paths, but for devices; `wide` where all that is below them is written too."""
    for word in targets:
        if _is_no_file(word):
            continue
        if word.is_opaque or word.is_glob:
            yield _vague(here, word)
        else:
            path = path_from(here, word.text)
            yield Write(path=path or "", is_folder_wide=wide or not path)


def _is_no_file(word: Word) -> bool:
    return (word.text in _NO_FILES and not word.is_opaque) or word.text.startswith("/dev/fd/")


def _vague(here: str | None, word: Word) -> Write:
    """Whatever is below the folder that stands before the first thing unknown."""
    text = word.text
    ends = [at for mark in "*?[" if word.is_glob and (at := text.find(mark)) >= 0]
    folder = text[: text.rfind("/", 0, min(ends, default=len(text))) + 1]
    path = path_from(here, folder or ".") if text else None
    glob = text[len(folder) :] + (f"*{word.tail}" if word.is_opaque else "")
    return Write(path=path or "", is_folder_wide=True, glob=glob if path else "")
