"""What a write to a file reaches: every worktree it lies in, by each of its names, links and submodules counted."""

import os
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.worktree import Worktree, marked_top
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.patterns.typed import file_pattern
from loomstack_mcp.core.records import record

_LINKS_MAX = 40
"""Links that one path may lead through, as for the kernel (path_resolution(7))."""


@record
class Written:
    """A repository that is written to, by one of its worktrees, and what is written there."""

    worktree: Worktree
    patterns: dict[str, Path] = field(default_factory=dict)
    """One for each file, relative to the top of the worktree that it lies in, and that top; as they were found."""
    folders: dict[str, None] = field(default_factory=dict)
    """One for each folder below a top, all of which is written."""
    whole: dict[Path, None] = field(default_factory=dict)
    """The tops of the worktrees all of which is written."""
    tops: dict[Path, None] = field(default_factory=dict)
    """The tops of the worktrees that are written to."""


class Writes:
    """The repositories that some files lie in, each asked once. A file in no repository is in none of them."""

    def __init__(self) -> None:
        self.found: dict[Path, Written] = {}
        """By the git folder that all worktrees of a clone share."""
        self.missed: list[LoomError | OSError] = []
        """What kept a file from being found."""
        self._known: dict[str, list[Worktree]] = {}

    def add(self, path: str) -> None:
        """A file that is about to be written, there or not, by its absolute path. It is meant to the letter."""
        for name in dict.fromkeys(_names(path)):
            folder = os.path.dirname(_first_link(name) or name)  # noqa: PTH120 of texts, hundreds of times in a hook
            for worktree in self._worktrees(marked_top(Path(folder))):
                self._note(worktree, name)

    def add_folder(self, path: str) -> None:
        """A folder all of which is about to be written, by its absolute path."""
        for name in dict.fromkeys(_names(path)):
            for worktree in self._worktrees(marked_top(Path(name))):
                self._note(worktree, name, is_folder=True)

    def _worktrees(self, top: str) -> list[Worktree]:
        """The worktree with the mark, and those whose submodule it is; asked once, also where that cannot be told.

        Without a mark there is no worktree, and none to ask git about.
        """
        if top and top not in self._known:
            self._known[top] = []
            try:
                self._known[top].extend(_worktrees(top))  # those before one that cannot be told count
            except (LoomError, OSError) as error:
                self.missed.append(error)
        return self._known.get(top, [])

    def _note(self, worktree: Worktree, name: str, *, is_folder: bool = False) -> None:
        above = f"{worktree.root}/"
        path = f"{name}/".removeprefix(above).rstrip("/")
        if not f"{name}/".startswith(above) or ".git" in path.split("/"):  # of which git keeps nothing
            return
        known = self.found.setdefault(worktree.common_dir, Written(worktree=worktree))
        try:
            if not path:
                known.whole[worktree.root] = None
            elif is_folder:
                known.folders[f"{file_pattern(path)}/"] = None
            else:
                known.patterns[file_pattern(path)] = worktree.root
            known.tops[worktree.root] = None
        except LoomError as error:
            self.missed.append(error)


def _names(path: str) -> Iterator[str]:
    """The absolute names of a file: as it is spelled, behind each link on its way, and as the system resolves it."""
    name = os.path.normpath(path)
    for _ in range(_LINKS_MAX):
        yield name
        if not (link := _first_link(name)):
            break
        target = os.path.join(os.path.dirname(link), os.readlink(link))  # noqa: PTH115, PTH118, PTH120
        name = os.path.normpath(target + name[len(link) :])
    # A `..` behind a link leads elsewhere than its text says.
    folder, last = os.path.split(path)
    yield os.path.join(os.path.realpath(folder), last)  # noqa: PTH118
    yield os.path.realpath(path)


def _first_link(name: str) -> str:
    """The shortest beginning of a path that is a link; "" where none is."""
    ends = (at for at, character in enumerate(f"{name}/") if character == "/" and at)
    return next((name[:end] for end in ends if os.path.islink(name[:end])), "")  # noqa: PTH114 a NUL does not raise


def _worktrees(top: str) -> Iterator[Worktree]:
    """Raises NotFound where a repository is there and cannot be read."""
    worktree = _around(top)
    while worktree is not None:
        yield worktree
        above = _around(marked_top(worktree.root.parent))
        is_part = above and above.common_dir != worktree.common_dir and above.links_to(worktree.root)
        worktree = above if is_part else None


def _around(top: str) -> Worktree | None:
    place = place_at(Path(top)) if top else None
    return Worktree(root=place.root, place=place) if place and place.root else None
