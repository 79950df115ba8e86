"""The rules that hold in a worktree, loaded again only when a file of theirs changed, and what they are asked about."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.trunk import written_for
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.policy.files import rulebook
from loomstack_mcp.adapters.policy.folders import FOLDER
from loomstack_mcp.core.policy.rules import ActionKind, Rulebook

if TYPE_CHECKING:
    from loomstack_mcp.core.policy.situation import Situation

Stamp = tuple[tuple[str, int, int, int, int], ...]


def nothing_new() -> None:
    """The organisation's rules lie where they are read."""


class Rules:
    """The trunk's rules and the worktree's together: a tightening works at once, a loosening when it has landed."""

    def __init__(
        self, worktree: Worktree, folder: Path, home: str, *, look: Callable[[], object] = nothing_new
    ) -> None:
        """`look` brings the copy of the organisation's rules up to date, where they lie elsewhere."""
        self._worktree = worktree
        self._folder = folder
        self._home = home
        self._look = look
        self._stamp: Stamp | None = None
        self._book = Rulebook()

    def book(self) -> Rulebook:
        """The rulebook as the files are now. Raises PolicyError for a set that does not load.

        Raises NotFound where no trunk can be told: what is checked out must not judge itself.
        """
        self._look()
        if tuple(self._stamps()) != self._stamp:
            with Repository(self._worktree.place) as repo:
                stamp = tuple(self._stamps())
                is_new = not repo.trunk and not repo.commit("HEAD")  # then the files are all there is
                commit = "" if is_new else repo.commit(repo.told_trunk())
                self._book = rulebook(repo, self._home, commit=commit, worktree=True)
                self._stamp = None if is_new else stamp  # its first commit may be on any branch
        return self._book

    def situation(
        self, action: ActionKind, paths: list[str], *, command: str, target: str, base: str
    ) -> "AbstractContextManager[Situation]":
        """What an agent says that it is about to do, with the facts of the worktree.

        Raises Invalid where it names no path to edit.
        """
        from loomstack_mcp.edge.asked import Asking  # parsers and RE2: 150 ms that a briefing must not cost

        asking = Asking(self._worktree, self._folder, self._home)
        return asking.situation(action, paths, command=command, target=target, base=base)

    def _stamps(self) -> Iterator[tuple[str, int, int, int, int]]:
        """What tells that the trunk moved or a file of rules was written, without asking git."""
        folders = [self._worktree.root / FOLDER, Path(self._home) / FOLDER]
        files = list(written_for(self._worktree.place))
        for folder in folders:
            try:
                files += [folder, *(Path(entry.path) for entry in os.scandir(folder))]
            except OSError:
                continue
        for file in files:
            try:
                found = file.stat()
            except OSError:
                continue
            yield str(file), found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
