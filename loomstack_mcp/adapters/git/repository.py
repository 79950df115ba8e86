"""One repository, while it is looked at: each fact asked once, its objects read by one process."""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.objects import Objects
from loomstack_mcp.adapters.git.run import ASK_SECONDS_MAX, Ran, as_text, run
from loomstack_mcp.adapters.git.trunk import named_by, trunk_of
from loomstack_mcp.core.errors import Invalid, NotFound

_REMERGE_SINCE = (2, 35)
_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
_SHA256 = re.compile(rb"^\s*objectformat\s*=\s*sha256\s*$", re.IGNORECASE | re.MULTILINE)
_EMPTY_TREES = (
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
)
"""The tree without a file, in SHA-1 and in SHA-256; git knows it in every repository."""
_UNFINISHED = {
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}
_NONE: Mapping[str, str] = {}


class Repository:
    """A repository with or without a worktree. What it was asked once it knows until it is closed."""

    def __init__(self, place: Place, *, quarantined: bool = False) -> None:
        """`quarantined` is for a pre-receive hook, whose new objects are elsewhere (git-receive-pack(1))."""
        self.place = place
        self.folder = place.folder
        self.quarantined = quarantined
        names = _QUARANTINE if quarantined else ()
        self.variables = {name: os.environ[name] for name in names if name in os.environ}
        self.objects = Objects(self.folder, self.variables)
        self._forks: dict[frozenset[str], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process that reads objects."""
        self.objects.close()

    def run(
        self,
        *arguments: str,
        seconds_max: float = ASK_SECONDS_MAX,
        stdin: bytes = b"",
        variables: Mapping[str, str] = _NONE,
        in_git_dir: bool = False,
    ) -> Ran:
        """One git command here, or in the git folder, where a worktree's files say nothing.

        Raises Invalid where it takes longer than `seconds_max`.
        """
        given = {**self.variables, **variables}
        folder = self.place.git_dir if in_git_dir else self.folder
        return run(folder, *arguments, seconds_max=seconds_max, stdin=stdin, variables=given)

    def commit(self, name: str) -> str:
        """The commit that a name stands for, or ""."""
        return self.objects.commit(name)

    def branch_ref(self, name: str) -> str:
        """A branch by its whole name, here or of a remote, before any tag of that name; another name as it is."""
        wholes = (f"refs/heads/{name}", f"refs/remotes/{name}") if name not in ("", "HEAD") else ()
        return next((whole for whole in wholes if self.commit(whole)), name)

    def file(self, commit: str, path: str) -> bytes:
        """A file as a commit has it; b"" where it is not there, or larger than BLOB_BYTES_MAX."""
        if "\n" in path:  # which a question to `cat-file --batch` cannot hold
            return self.run("cat-file", "blob", f"{commit}:{path}").printed
        found = self.objects.object_named(f"{commit}:{path}")
        return found.content or b"" if found and found.kind == "blob" else b""

    def fork(self, one: str, other: str) -> str:
        """The newest commit that two have in common, or ""."""
        asked = frozenset((one, other))
        if asked not in self._forks:
            found = one if one == other else self.run("merge-base", *sorted(asked)).text.partition("\n")[0]
            self._forks[asked] = found
        return self._forks[asked]

    def descends(self, later: str, earlier: str) -> bool:
        """Whether a commit has another among its ancestors, or is it. Both are full ids."""
        return self.fork(later, earlier) == earlier

    @cached_property
    def trunk(self) -> str:
        """The ref that changes land on; "" where none can be told."""
        return trunk_of(self.place, self.objects, self.descends)

    def must_have_history(self) -> None:
        """Raises NotFound where there is no commit yet, or none that can be read, with git's complaint."""
        try:
            has_commit = bool(self.commit("HEAD"))
        except Invalid:
            complaint = self.run("rev-parse", "--git-dir").complaint
            raise NotFound(f"{self.folder} is in a git repository that cannot be read ({complaint})") from None
        if not has_commit and (named := self.run("rev-parse", "--verify", "--quiet", "HEAD").text):
            raise NotFound(f"HEAD of {self.folder} is {named[:12]}, which is no commit in this clone; fetch it")
        if not has_commit:
            raise NotFound(f"the repository of {self.folder} has no commit yet, so there is nothing to look at")

    def trunk_file(self, path: str) -> str:
        """The text of a file as the trunk has it, or what is checked out where no trunk can be told; "" where not."""
        try:
            return as_text(self.file(self.trunk or "HEAD", path)).rstrip("\n")
        except Invalid:
            return ""

    @cached_property
    def head_ref(self) -> str:
        """The branch that HEAD stands for, by its whole name, also before its first commit; "" where it is detached."""
        named = named_by(self.place.git_dir / "HEAD")
        if named == "refs/heads/.invalid":  # what stands there where refs are kept in another way (reftable)
            return self.run("symbolic-ref", "--quiet", "HEAD").text
        return named

    @property
    def branch(self) -> str:
        """The branch that is checked out; "" where HEAD is detached."""
        return self.head_ref.removeprefix("refs/heads/")

    @property
    def is_shallow(self) -> bool:
        """Whether commits are missing behind a depth (git-clone(1), --depth)."""
        return (self.place.common_dir / "shallow").exists()

    @cached_property
    def empty_tree(self) -> str:
        """The tree without a file."""
        return _EMPTY_TREES[bool(_SHA256.search(_bytes(self.place.common_dir / "config")))]

    @cached_property
    def merges(self) -> bool:
        """Whether this git can tell what a merge itself changed."""
        version = re.search(r"(\d+)\.(\d+)", self.run("--version").text)
        return version is not None and (int(version[1]), int(version[2])) >= _REMERGE_SINCE

    @property
    def gaps(self) -> tuple[str, ...]:
        """What no answer about its history can hold, in sentences."""
        missing = "this clone is shallow: what landed before its first commit is unknown (git fetch --unshallow)"
        found = (missing,) if self.is_shallow else ()
        under_way = (what for name, what in _UNFINISHED.items() if (self.place.git_dir / name).exists())
        return (
            *found,
            *(
                f"{what} is in progress here: what is not committed yet may still change"
                for what in dict.fromkeys(under_way)
            ),
        )


def branch_name(ref: str) -> str:
    """A ref as people call it: `refs/remotes/origin/main` is main."""
    name = ref.removeprefix("refs/")
    return name.removeprefix("heads/") if name.startswith("heads/") else name.removeprefix("remotes/origin/")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
