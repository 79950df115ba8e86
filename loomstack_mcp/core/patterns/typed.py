"""From what a caller typed to the canonical pattern of a claim."""

import re
import unicodedata
from collections.abc import Callable

from loomstack_mcp.core.errors import Invalid, LimitExceeded
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX
from loomstack_mcp.core.patterns.braces import without_false_braces
from loomstack_mcp.core.patterns.globs import Pattern, literal, pattern
from loomstack_mcp.core.patterns.segments import with_sets, without_false_sets

EVERYTHING = "**"

_GLOB = re.compile(r"[*?\[\]{}]")
_WILD = re.compile(r"(?<!\\)[*?]")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_UNSPEAKABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories: controls, halves of a character, and what breaks a line."""


def claimed(
    text: str,
    /,
    *,
    root: str = "",
    is_file: Callable[[str], bool] = lambda _: False,
    is_folder: Callable[[str], bool] = lambda _: False,
) -> str:
    """The canonical pattern for a path or pattern, anchored at the repository's root.

    `is_file` and `is_folder` say what a relative path, without a final slash, names on disk; what
    exists is meant literally, glob characters and all, and so are the folders that exist above what
    does not. Of the rest, braces without a choice and ranges that run backwards are meant as they
    stand, and a set covers both the text that spells it and each of its characters. So, but for a
    choice of braces, the answer covers the typed text as a path, whatever is on disk: two callers who
    type the same never miss one another.

    A path of names and sets that does not exist is a folder to be when its last name has no dot after
    its first character, else that file alone. Claiming the answer again gives the same answer. `..`
    is resolved by text alone.

    Raises Invalid for what is no path of the worktree, LimitExceeded for one that is too long.
    """
    names = _normalized(_relative(_speakable(text, root), root), text)
    if not names:
        return EVERYTHING
    path, is_meant_as_folder = "/".join(names), text.endswith(("/", "/.", "/.."))
    if not is_meant_as_folder and is_file(path):
        return _claimable(literal(path), text).text
    if is_folder(path):
        return _claimable(f"{literal(path)}/", text).text
    names = _as_meant(names, is_folder)
    wanted = _claimable("/".join(names), text)
    if not wanted.literal:
        is_wide = is_meant_as_folder or _may_be_new_folder(names[-1])
        return _claimable(_shortest(names, is_wide), text).text
    # Without its backslashes it may well exist: `a\*b` names a file called `a*b`.
    path = wanted.key[:-1]
    exists = is_file(path)
    if path.startswith("~") and not exists:
        raise Invalid(f"{text} may mean a home folder; write paths from the repository's root, like src/app.py")
    folder = is_meant_as_folder or is_folder(path) or not (exists or _has_extension(path))
    return _claimable(f"{literal(path)}/" if folder else literal(path), text).text


def file_pattern(path: str, /) -> str:
    """The canonical pattern of one file by its path from the root, as a program names it: every character is meant.

    Raises Invalid for what is no Unicode text, LimitExceeded for a path that is too long.
    """
    if any(unicodedata.category(character) == "Cs" for character in path):
        raise Invalid(f"{path!r} is no Unicode text, which no claim can hold; rename the file")
    return pattern(literal(unicodedata.normalize("NFC", path))).text


def _as_meant(names: list[str], is_folder: Callable[[str], bool]) -> list[str]:
    """The names with a backslash before what the disk, or they themselves, say to be no wildcard."""
    depths = range(len(names) - 1, 0, -1) if any(map(_GLOB.search, names[:-1])) else ()
    there = next((depth for depth in depths if is_folder("/".join(names[:depth]))), 0)
    rest = without_false_sets(without_false_braces("/".join(names[there:])))
    return [*map(literal, names[:there]), *rest.split("/")]


def _may_be_new_folder(name: str) -> bool:
    """Whether a name of sets and letters may be that of a folder to be, as `[slug]` of a route."""
    spelled = with_sets(name, lambda _: "x")
    return spelled != name and not _WILD.search(spelled) and not _has_extension(spelled)


def _has_extension(path: str) -> bool:
    """A dot that begins the last name hides it, as of `.github`, and sets off no extension."""
    return "." in path.rpartition("/")[2][1:]


def _speakable(text: str, root: str) -> str:
    if len(text) > PATTERN_CHARS_MAX + len(root) + 1:
        raise LimitExceeded(f"a path of {len(text)} characters, over {PATTERN_CHARS_MAX}; claim a folder above it")
    if not text or text != text.strip():
        raise Invalid(f"{text!r} is empty or has spaces around it; write a path like src/app.py, or ** for all")
    if any(unicodedata.category(character) in _UNSPEAKABLE for character in text):
        raise Invalid(f"{text!r} has control characters, or is no Unicode text; claim the folder above it")
    return unicodedata.normalize("NFC", text)


def _relative(path: str, root: str) -> list[str]:
    """The names below the root; "." and ".." still among them."""
    names = path.split("/")
    if _WINDOWS.match(path):
        raise Invalid(f"{path} is a Windows path; write paths from the repository's root with /, like src/app.py")
    if names[0] == "~":
        raise Invalid(f"{path} lies in a home folder; write paths from the repository's root, like src/app.py")
    if not path.startswith("/"):
        return names
    # Resolved before it is compared: /repo/../other lies outside of /repo.
    names, above = _normalized(names, path), unicodedata.normalize("NFC", root).strip("/").split("/")
    if not root or names[: len(above)] != above:
        where = f" {root}" if root else ""
        raise Invalid(f"{path} lies outside the repository{where}; write paths from its root, like src/app.py")
    return names[len(above) :]


def _normalized(names: list[str], text: str) -> list[str]:
    kept: list[str] = []
    for name in names:
        if name == "..":
            if not kept:
                raise Invalid(f"{text} leaves the repository; write paths from its root, like src/app.py")
            if _GLOB.search(kept.pop()):
                raise Invalid(f"{text} has .. after a wildcard, which could be anywhere; write the folder itself")
        elif name not in ("", "."):
            kept.append(name)
    return kept


def _claimable(canonical: str, text: str) -> Pattern:
    """The pattern, unless a name in it is `.git`: git keeps no such path."""
    wanted = pattern(canonical)
    names = [name for way in wanted.ways for part in way.route for name in part]
    if any(isinstance(name, str) and name.casefold() == ".git" for name in names):
        raise Invalid(f"{text} lies in .git, which no run claims; claim files of the worktree")
    return wanted


def _shortest(names: list[str], slash: bool) -> str:
    """One spelling for patterns that cover the same: no `**/**`, no `**/*` or `**/` at the end."""
    kept: list[str] = []
    for name in names:
        if not (name == "**" and kept[-1:] == ["**"]):
            kept.append(name)
    while kept[-2:] == ["**", "*"]:
        kept.pop()
    return "/".join(kept) + ("/" if slash and kept[-1] != "**" else "")
