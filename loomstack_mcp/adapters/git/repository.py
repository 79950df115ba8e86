"""One repository, while it is looked at: each fact asked once, its objects read by one process."""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from loomstack_mcp.adapters.git.clone_settings import clone_settings, is_partial
from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.objects import Objects
from loomstack_mcp.adapters.git.run import ASK_SECONDS_MAX, READ_SECONDS_MAX, Ran, as_text, run
from loomstack_mcp.adapters.git.trunk import branch_of, fetched_at_ms, named_by, other_trunks, trunk_of
from loomstack_mcp.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from loomstack_mcp.adapters.git.aside import Aside

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
        """End the processes that read objects, and what was made aside."""
        self.objects.close()
        if "aside" in vars(self):
            self.aside.close()
            del self.aside

    def run(
        self,
        *arguments: str,
        seconds_max: float = ASK_SECONDS_MAX,
        stdin: bytes = b"",
        variables: Mapping[str, str] = _NONE,
    ) -> Ran:
        """One git command here. Raises Invalid where it takes longer than `seconds_max`.

        For what refs, settings and ids are: whatever compares, logs, merges or looks at files runs aside.
        """
        given = {**self.variables, **variables}
        return run(self.folder, *arguments, seconds_max=seconds_max, stdin=stdin, variables=given)

    def run_plain(
        self,
        *arguments: str,
        seconds_max: float = READ_SECONDS_MAX,
        stdin: bytes = b"",
        variables: Mapping[str, str] = _NONE,
    ) -> Ran:
        """One git command aside, which knows every object by its id, and no ref, setting, attribute or program.

        Raises Invalid where it takes longer than `seconds_max`.
        """
        given = {**self.aside.plain, **variables}
        return run(self.aside.folder, *arguments, seconds_max=seconds_max, stdin=stdin, variables=given)

    @cached_property
    def aside(self) -> "Aside":
        """The git folder of our own beside it; `.mailmap` is the trunk's there, so that no branch says who is who."""
        from loomstack_mcp.adapters.git.aside import Aside  # temporary folders, which a hook need not load

        head = self.commit(self.unpushed_trunk or self.trunk) if self.trunk else ""
        return Aside(self.place, head=head, empty_tree=self.empty_tree, quarantine=self.variables)

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
        found = self.holding(commit).object_named(f"{commit}:{path}")
        return found.content or b"" if found and found.kind == "blob" else b""

    def holding(self, name: str) -> Objects:
        """The objects that a name is found among: the repository's, or else those made aside, as merged trees are."""
        if "aside" in vars(self) and self.objects.object_named(name) is None:
            return self.aside.objects
        return self.objects

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
        return trunk_of(self.place, self.objects, self.descends, head=self.head_ref)

    @cached_property
    def other_trunks(self) -> tuple[str, ...] | None:
        """Where else changes may land; None where that cannot be told, for want of any branch of a remote."""
        return other_trunks(self.place, self.objects, head=self.head_ref, trunk=self.trunk)

    @property
    def shared_trunk(self) -> str:
        """The trunk as others have it: the remote's branch where a local one stands for it; "" where none is here."""
        if not self.trunk.startswith("refs/heads/"):
            return self.trunk
        name = self.branch_name(self.trunk)
        theirs = () if self.other_trunks is None else (*self.other_trunks, self.trunk)
        return next((ref for ref in theirs if self.branch_name(ref) == name), "")

    def trunk_seen_at_ms(self, *, now_ms: int) -> int:
        """Since when it may have moved unseen: now where it is of this clone alone; 0 where nobody can tell."""
        shared = self.shared_trunk
        if shared.startswith("refs/heads/"):
            return now_ms
        return fetched_at_ms(self.place, self.branch_name(shared), self.commit(shared)) if shared else 0

    @property
    def unpushed_trunk(self) -> str:
        """The remote's branch that the trunk stands for, where the trunk itself is checked out; else ""."""
        if not self.trunk or self.head_ref != self.trunk:
            return ""
        name = self.branch_name(self.trunk)
        return next((ref for ref in self.other_trunks or () if self.branch_name(ref) == name), "")

    def told_trunk(self) -> str:
        """The same. Raises NotFound where none can be told: what is checked out is not what judges it."""
        if not self.trunk:
            self.must_have_history()
            raise NotFound(
                f"no trunk can be told in {self.folder}: name one with base (--base origin/BRANCH), or fetch it "
                "(git fetch origin BRANCH:refs/remotes/origin/BRANCH; git remote set-head origin BRANCH); "
                "without a remote: git config init.defaultBranch BRANCH"
            )
        return self.trunk

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

    def trunk_file(self, path: str, *, target: str = "") -> str:
        """What `trunk_text` says; "" also where git ended over it."""
        try:
            return self.trunk_text(path, target=target)
        except Invalid:
            return ""

    def trunk_text(self, path: str, *, target: str = "") -> str:
        """The text of a file as the trunk has it, or as the target where no trunk can be told; "" where neither has.

        Raises NotFound where the file is on it, and not in this clone; Invalid where git ended over it.
        """
        commit = self.trunk or self.branch_ref(target)
        text = self.text_of(commit, path)
        if commit and not (text or self.is_whole) and self._lacks(commit, path):
            raise NotFound(
                f"{path} of {commit} is not in this partial clone, so what it says is not known; to fetch it: "
                f"git show {commit}:{path}"
            )
        return text

    def _lacks(self, commit: str, path: str) -> bool:
        """Whether a commit has a file, or a folder on the way to it, that is not here."""
        folder = f"{commit}:"
        for name in path.split("/"):
            entries = self.objects.entries(folder)
            if entries is None or name not in entries:
                return entries is None
            folder = f"{folder}{'' if folder.endswith(':') else '/'}{name}"
        return self.objects.object_named(folder) is None

    def text_of(self, commit: str, path: str) -> str:
        """The text of a file as a commit ("" for none) has it; "" where it is not there."""
        return as_text(self.file(commit, path)).rstrip("\n") if commit else ""

    def deciders(self, target: str) -> tuple[str, ...]:
        """The commits whose own files say what counts when something lands on a target: its own, and the trunk's.

        All have to say so, for a caller may name as the target what it made itself, or make it on the trunk.
        """
        found = (self.commit(name) if name else "" for name in (self.trunk, target, self.unpushed_trunk))
        return tuple(dict.fromkeys(commit for commit in found if commit))

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

    def branch_name(self, ref: str) -> str:
        """A ref as people call the branch: `refs/remotes/origin/main` is main."""
        return branch_of(self.place, ref)

    @property
    def is_shallow(self) -> bool:
        """Whether commits are missing behind a depth (git-clone(1), --depth)."""
        return (self.place.common_dir / "shallow").exists()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of its history is left with a remote: neither commits nor their files."""
        return not (self.is_shallow or is_partial(clone_settings(self.place)))

    @cached_property
    def boundaries(self) -> frozenset[str]:
        """The commits of a shallow clone whose parents are not here."""
        return frozenset(as_text(_bytes(self.place.common_dir / "shallow")).split())

    @cached_property
    def empty_tree(self) -> str:
        """The tree without a file."""
        return _EMPTY_TREES[self._is_sha256]

    @property
    def _is_sha256(self) -> bool:
        return bool(_SHA256.search(_bytes(self.place.common_dir / "config")))

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


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
