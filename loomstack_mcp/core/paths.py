"""From what a caller typed to the canonical pattern of a claim."""

import re
import unicodedata
from collections.abc import Callable

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.globs import literal, pattern
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX

EVERYTHING = "**"

_GLOB = re.compile(r"[*?\[\]{}\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WINDOWS = re.compile(r"^[A-Za-z]:[\\/]")


def claimed(
    text: str,
    /,
    *,
    root: str = "",
    is_file: Callable[[str], bool] = lambda _: False,
    is_folder: Callable[[str], bool] = lambda _: False,
) -> str:
    """The canonical pattern for a path or pattern, anchored at the repository's root.

    `is_file` and `is_folder` say what a relative path names on disk. What exists is meant literally,
    glob characters and all. A literal path that does not exist is a folder to be when its last
    segment has no dot, for `src` covers everything below; else it is that file alone.

    Raises Invalid for a path outside the repository or in `.git`, and for an invalid pattern.
    """
    path = _relative(_speakable(text), root)
    names = _normalized(text, path)
    if not names:
        return EVERYTHING
    if names[0].casefold() == ".git":
        raise Invalid(f"{text} lies in .git, which no run claims; claim the files of the worktree")
    path = "/".join(names)
    if is_folder(path):
        return f"{literal(path)}/"
    if is_file(path):
        return literal(path)
    ends_in_slash = text.endswith(("/", "/."))
    plain = not _GLOB.search(path)
    if ends_in_slash or (plain and "." not in names[-1][1:]):
        path = f"{path}/"
    return pattern(path).text


def _speakable(text: str) -> str:
    if len(text) > PATTERN_CHARS_MAX:
        raise LimitExceeded(f"a path of {len(text)} characters; {PATTERN_CHARS_MAX} is the most")
    if not text.strip() or _CONTROL.search(text):
        raise Invalid(f"{text!r} is no path: it is empty or has control characters; write it like src/app.py")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid(f"{text!r} is no Unicode text; claim the folder it lies in") from None
    return unicodedata.normalize("NFC", text)


def _relative(path: str, root: str) -> str:
    """An absolute path inside the worktree, from its root; any other absolute path is refused."""
    root = unicodedata.normalize("NFC", root.rstrip("/"))
    if root and (path == root or path.startswith(f"{root}/")):
        return path[len(root) :].lstrip("/")
    if path.startswith(("/", "~")) or _WINDOWS.match(path):
        where = f" ({root})" if root else ""
        raise Invalid(f"{path} lies outside the repository{where}; write paths from its root, like src/app.py")
    return path


def _normalized(text: str, path: str) -> list[str]:
    names: list[str] = []
    for name in path.split("/"):
        if name in ("", "."):
            continue
        if name != "..":
            names.append(name)
        elif not names:
            raise Invalid(f"{text} leaves the repository; write paths from its root, like src/app.py")
        elif _GLOB.search(names.pop()):
            raise Invalid(f"{text} has .. after a wildcard, which could be anywhere; write the folder itself")
    return names
