"""A worktree: who it is to the store, and what its paths name on disk."""

import os
import unicodedata
from functools import cached_property
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place, Unreadable, linked_worktrees, place_at
from loomstack_mcp.adapters.git.identity import Derivation, clone_name, derived, ignores_case, setting
from loomstack_mcp.adapters.git.layout import is_marked, marked_tops
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.patterns.globs import literal, pattern
from loomstack_mcp.core.patterns.typed import claimed
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout, earlier_identities, named_identity


@record
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

    @property
    def has_siblings(self) -> bool:
        """Whether the clone has, or had, other worktrees beside this one."""
        return (self.common_dir / "worktrees").is_dir()

    @cached_property
    def ignore_case(self) -> bool:
        """Whether letter case tells no two of its files apart."""
        return ignores_case(self.place)

    def tracks(self, path: str) -> bool:
        """Whether a file is in the index."""
        with Repository(self.place) as repo:
            return bool(repo.run("ls-files", "--", f":(top,literal){path}").text)

    def links_to(self, folder: Path) -> bool:
        """Whether a folder in it is a submodule: its index has a commit in that place (gitglossary(7), gitlink)."""
        if not folder.is_relative_to(self.root):
            return False
        with Repository(self.place) as repo:
            path = folder.relative_to(self.root)
            return repo.run("ls-files", "--stage", "--", f":(top,literal){path}").text.startswith("160000 ")

    def checkout(self, *, repo: str = "", told: Derivation | None = None) -> Checkout:
        """What the store needs to know of it; `repo` is a name that the user's settings give it.

        `told` is which repository it is, where that is known already.
        """
        known = Derivation(identity=named_identity(repo), source="", others=earlier_identities(repo)) if repo else None
        found = known or told or derived(self.place)
        return Checkout(
            identity=found.identity,
            others=found.others,
            clone=clone_name(self.place),
            branch=Repository(self.place).branch,
            worktree=str(self.root),
            ignore_case=self.ignore_case,
        )

    def on_trunk(self, path: str) -> str:
        """The text of a file as the trunk has it; "" where the file is not on it, or the trunk cannot be told.

        Where there is none, what is checked out stands for it. Raises NotFound where a partial clone lacks the file.
        """
        with Repository(self.place) as repo:
            return repo.trunk_file(path)

    def both_ends(self, text: str) -> tuple[str, ...]:
        """A path or pattern as the caller typed it, as the canonical pattern of a claim; and where a link in it leads.

        A path in another worktree of the repository is the path there. Raises Invalid, which names the repository that
        a path belongs to instead.
        """
        top, text = self._anchored(text)
        canonical = claimed(
            text,
            root=str(top),
            is_file=lambda path: os.path.lexists(top / path) and not _is_folder(top / path),
            is_folder=lambda path: _is_folder(top / path),
        )
        return tuple(dict.fromkeys((canonical, _behind_links(top, canonical))))

    def moved_to(self, folder: Path) -> "Worktree":
        """The worktree around a folder, where the repository itself names it as one of its own.

        Raises NotFound for a folder in no repository, Invalid for one in any other: a `.git` may point anywhere.
        """
        if not os.path.isdir(folder):  # noqa: PTH112 a name that is too long does not raise
            raise Invalid(f"{folder} is no folder; name one that is there")
        if not marked_top(folder):
            raise NotFound(f"{folder} is in no git repository; name a worktree of {self.root}")
        try:
            place = place_at(folder)
        except NotFound as error:
            raise Invalid(str(error)) from None
        if place.common_dir != self.common_dir:
            raise Invalid(f"{folder} is in the repository at {place.root or place.git_dir}, not in that of {self.root}")
        if place.root is None or not Path(os.path.realpath(folder)).is_relative_to(place.root):
            raise Invalid(f"{folder} is in no worktree; name one that `git worktree list` shows in {self.root}")
        if not self._names(place):
            raise Invalid(f"{folder} is in no worktree that `git worktree list` shows in {self.root}")
        return Worktree(root=place.root, place=place)

    def _anchored(self, text: str) -> tuple[Path, str]:
        """The top of the worktree that a path is meant in, and the path as it is read there."""
        path = Path(os.path.normpath(self.root / text))
        tops = (top for top in (path, *path.parents) if top == self.root or is_marked(str(top)))
        if (top := next(tops, self.root)) == self.root:
            # Out of the repository and into it again: `../shop/src`.
            leaves = text.startswith("../") and path.is_relative_to(self.root)
            return self.root, f"{self.root}/{text}" if leaves else text
        try:
            self.moved_to(top)
        except (Invalid, NotFound) as error:
            if top.is_relative_to(self.root):  # a submodule, say, which is a path here as well
                return self.root, text
            raise Invalid(f"{text} cannot be claimed here: {error}") from None
        return top, text if text.startswith("/") else f"{self.root}/{text}"

    def _names(self, place: Place) -> bool:
        """Whether `git worktree list` has it: each linked one is in the common folder, with the way back to it."""
        if place.root in (None, self.root):
            return place.root is not None
        mark = os.path.realpath(place.common_dir)
        if place.git_dir != place.common_dir:
            try:
                written = (place.git_dir / "gitdir").read_text("utf-8", "surrogateescape").rstrip("\n")
            except OSError:
                return False
            mark = os.path.realpath(place.git_dir / written)
        elif moved := setting(place, "core.worktree"):
            return os.path.realpath(place.common_dir / moved) == str(place.root)
        return mark == os.path.realpath(f"{place.root}/.git") and Path(mark).parent == place.root


def marked_top(folder: Path) -> str:
    """The nearest folder, that one or one above it, with the mark by which git knows a worktree; "" where none has."""
    return next(marked_tops(str(folder)), "")


def _behind_links(top: Path, canonical: str) -> str:
    """A pattern with its literal names as the system resolves them; as it is where they lead elsewhere."""
    key = pattern(canonical).key
    real = Path(os.path.realpath(top / key))
    rest = canonical.split("/")[key.count("/") :]
    # What is not followed by more is one entry of the tree, also where it is a link to a folder.
    if not key or not real.is_relative_to(top) or real == top or (not rest and _is_folder(real)):
        return canonical
    return "/".join([literal(unicodedata.normalize("NFC", str(real.relative_to(top)))), *rest])


def _is_folder(path: Path) -> bool:
    # A link to a folder is one entry of the tree, not the folder behind it.
    return os.path.isdir(path) and not os.path.islink(path)  # noqa: PTH112, PTH114 nor does one that is too long


def worktree_at(folder: Path) -> Worktree | None:
    """The worktree around a folder; None outside of git, and in a bare repository.

    Raises Unreadable where there is a repository that git will not read: what it holds is not known then.
    """
    place = _place_if_any(folder)
    return Worktree(root=place.root, place=place) if place and place.root else None


def container_at(folder: Path) -> Worktree | None:
    """The folder around a bare repository that has worktrees: whose they are, and what paths in them mean.

    It has no files of its own. None for any other folder. Raises Unreadable as `worktree_at` does.
    """
    place = _place_if_any(folder)
    if place is None or place.root or not any(linked_worktrees(place.common_dir)):
        return None
    return Worktree(root=Path(marked_top(folder) or folder), place=place)


def bare_at(folder: Path) -> Worktree | None:
    """The repository around a folder that is in none of its worktrees: its git folder stands for one.

    None in a worktree and outside of git. Raises Unreadable as `worktree_at` does.
    """
    place = _place_if_any(folder)
    return Worktree(root=place.git_dir, place=place) if place and place.root is None else None


def _place_if_any(folder: Path) -> Place | None:
    try:
        return place_at(folder)
    except Unreadable:
        raise
    except NotFound:
        return None
