"""A worktree: who it is to the store, and what its paths name on disk."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place, place_at
from loomstack_mcp.adapters.git.identity import clone_name, identity, ignores_case
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.patterns.typed import claimed
from loomstack_mcp.core.repos import Checkout, identity_of


@dataclass(frozen=True)
class Worktree:
    """The checkout that a process stands in."""

    root: Path
    place: Place

    @property
    def git_dir(self) -> Path:
        """The worktree's own."""
        return self.place.git_dir

    @property
    def common_dir(self) -> Path:
        """The git folder that all worktrees of the clone share."""
        return self.place.common_dir

    @property
    def exclude(self) -> str:
        """The clone's own list of files that git leaves out (gitignore(5)), which no colleague gets."""
        return str(self.common_dir / "info" / "exclude")

    @cached_property
    def ignore_case(self) -> bool:
        """Whether letter case tells no two of its files apart."""
        return ignores_case(self.place)

    def tracks(self, path: str) -> bool:
        """Whether a file is in the index."""
        with Repository(self.place) as repo:
            return bool(repo.run("ls-files", "--", f":(top,literal){path}").text)

    def checkout(self, *, repo: str = "") -> Checkout:
        """What the store needs to know of it; `repo` is a name that the user's settings give it."""
        return Checkout(
            identity=identity_of(repo) if repo else identity(self.place),
            clone=clone_name(self.place),
            branch=Repository(self.place).branch,
            worktree=str(self.root),
            ignore_case=self.ignore_case,
        )

    def on_trunk(self, path: str) -> str:
        """The text of a file as the trunk has it; "" where the file is not on it, or the trunk cannot be told.

        Where there is none, what is checked out stands for it.
        """
        with Repository(self.place) as repo:
            return repo.trunk_file(path)

    def claimed(self, text: str) -> str:
        """A path or pattern as the caller typed it, as the canonical pattern of a claim. Raises Invalid."""
        return claimed(
            text,
            root=str(self.root),
            is_file=lambda path: os.path.lexists(self.root / path) and not self._is_folder(path),
            is_folder=self._is_folder,
        )

    def _is_folder(self, path: str) -> bool:
        # A link to a folder is one entry of the tree, not the folder behind it. Unlike those of pathlib, these answer
        # for a name that is longer than a file system takes.
        return os.path.isdir(self.root / path) and not os.path.islink(self.root / path)  # noqa: PTH112, PTH114


def worktree_at(folder: Path) -> Worktree | None:
    """The worktree around a folder; None outside of git, in a bare repository, and without git."""
    try:
        place = place_at(folder)
    except NotFound:
        return None
    return Worktree(place.root, place) if place.root else None
