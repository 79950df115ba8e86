"""The paths that an edit or a shell line names, as they are spelled and as they really are."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from glob import iglob
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import marked_top, worktree_at
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.patterns.gitignore import compiled
from loomstack_mcp.core.policy.looks import NoLooks
from loomstack_mcp.core.policy.situation import Touched
from loomstack_mcp.core.shell.targets import Write

BELOW_MAX = 10_000
"""Files of a folder that are looked at; a larger one counts as holding whatever is asked for."""
_HARMLESS = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd")


def touched(root: Path, cwd: Path, names: Iterable[tuple[str, bool]]) -> tuple[tuple[Touched, ...], tuple[str, ...]]:
    """Each name relative to the root, and where links lead it; and what leads out of the repository.

    A name comes with whether all below it is meant; "" may be any path, and so is the root. What is written to the
    system's temporary folder, to a terminal, or to the client's own notes, is nobody's business.
    """
    found: dict[Touched, None] = {}
    outside: dict[str, None] = {}
    real_folder = cache(_real)
    in_sibling = _in_sibling(root)
    tops = (str(root), os.path.realpath(root))
    for name, is_wide in names:
        lexical = os.path.normpath(cwd / os.path.expanduser(name)) if name else str(root)  # noqa: PTH111 `~nobody/x` stays as it is
        real = os.path.join(real_folder(os.path.dirname(lexical)), os.path.basename(lexical))  # noqa: PTH118, PTH119, PTH120
        real = os.path.realpath(real) if os.path.islink(real) else real  # noqa: PTH114 a NUL does not raise
        for path in dict.fromkeys((lexical, real)):
            if (inside := in_sibling(path) or _below(tops, path)) is not None:
                is_folder = is_wide or name.endswith("/") or os.path.isdir(path)  # noqa: PTH112 a NUL does not raise
                found[Touched(path=inside, is_folder=is_folder)] = None
            elif not _is_harmless(path):
                outside[name] = None
    return tuple(found), tuple(outside)


def found_by_pattern(cwd: Path, write: Write) -> Iterator[str]:
    """What is there of the files and folders that a write names by a pattern, absolutely; some thousands at most."""
    folder = os.path.join(cwd, os.path.expanduser(write.path))  # noqa: PTH111, PTH118 as below
    found = iglob(write.glob, root_dir=folder, recursive=True)  # noqa: PTH207 as a shell does, without names with a dot
    yield from (f"{folder}/{name}" for name in islice(found, BELOW_MAX))


def takes_all(root: Path, cwd: Path, write: Write) -> bool:
    """Whether a write is to a folder around the root, and so takes all of the repository along: `rm -rf ..`."""
    around = os.path.normpath(cwd / os.path.expanduser(write.path)).rstrip("/")  # noqa: PTH111 `~nobody/x` stays as it is
    if not write.is_folder_wide or not write.path:
        return False
    first = write.glob.partition("/")[0] or "*"
    tops = (top[len(around) + 1 :] for top in (str(root), os.path.realpath(root)) if top.startswith(f"{around}/"))
    return any(fnmatchcase(top.partition("/")[0], first) for top in tops)


def _real(path: str) -> str:
    """Where links lead; a path with a NUL, which no link has, leads to itself."""
    return path if "\0" in path else os.path.realpath(path)


class FolderLooks(NoLooks):
    """The one look at an edit or a command: which files lie in the folders that it touches."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, tuple[str, ...]] = {}

    def below(self, folder: str, patterns: Sequence[str], /) -> tuple[tuple[str, str], ...]:
        """What the patterns cover of the files in a folder, each path with its pattern.

        A folder of more than `BELOW_MAX` files counts as holding whatever is asked for: itself, with the first pattern.
        """
        if folder not in self._files:
            self._files[folder] = tuple(islice(_files(self._root, folder), BELOW_MAX + 1))
        found = self._files[folder]
        if len(found) > BELOW_MAX:
            return ((folder, patterns[0]),)
        matcher = compiled(patterns)
        return tuple((path, matcher.loose(path)) for path in matcher.among(found))


def _files(root: Path, folder: str) -> Iterator[str]:
    if "\0" in folder:  # of which there is none
        return
    for place, folders, names in os.walk(root / folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118
        yield from (os.path.relpath(os.path.join(place, name), root) for name in (*names, *links))  # noqa: PTH118


def _in_sibling(root: Path) -> Callable[[str], str]:
    """What tells the path that a file in another worktree has in the repository; "" for any other file.

    The top of a worktree is none of its files: who removes it takes nothing out of the repository.
    """
    worktree = worktree_at(root)
    if worktree is None or not worktree.has_siblings:
        return lambda _: ""

    @cache
    def is_sibling(top: str) -> bool:
        try:
            return worktree.moved_to(Path(top)).root != worktree.root
        except LoomError:
            return False

    def inside(path: str) -> str:
        top = marked_top(Path(path).parent)
        return path[len(top) + 1 :] if top and is_sibling(top) else ""

    return inside


def _below(tops: tuple[str, str], path: str) -> str | None:
    """The path relative to the root, as it is spelled or as it really is; "" is the root."""
    for top in tops:
        if path == top:
            return ""
        if path.startswith(f"{top}/"):
            return path[len(top) + 1 :]
    return None


def _is_harmless(path: str) -> bool:
    import tempfile  # 4 ms, for what lies outside of a repository

    temporary = ("/tmp", tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir()))  # noqa: S108
    spared = (*_HARMLESS, *temporary, *_client_notes())
    return any(path == place or path.startswith(f"{place}/") for place in spared)


@cache
def _client_notes() -> tuple[str, ...]:
    """Where clients keep plans, to-dos and memories, and no settings (Claude Code 2.1.330, Codex 0.169.0)."""
    homes = {
        os.environ.get("CLAUDE_CONFIG_DIR") or "~/.claude": ("plans", "projects", "todos"),
        os.environ.get("CODEX_HOME") or "~/.codex": ("memories",),
    }
    places = [f"{os.path.expanduser(home)}/{name}" for home, names in homes.items() for name in names]  # noqa: PTH111
    return tuple(dict.fromkeys([*places, *map(os.path.realpath, places)]))
