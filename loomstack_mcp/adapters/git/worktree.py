"""A worktree, asked by plain git: its root, branch, identity, and what its paths name on disk."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.core.cochange import together
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.patterns.globs import pattern
from loomstack_mcp.core.patterns.typed import claimed
from loomstack_mcp.core.repos import Checkout, identity_of

_GIT_SECONDS_MAX = 4
_ORIGINS_MAX = 5
"""Local origins that are followed: a clone of a clone of …"""
_NAME_CHARS = 16
_COMMITS_MAX = 100
_HISTORY = "1 year ago"
_LOG_SECONDS_MAX = 0.5
_TRUNKS = ("refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master")


@dataclass(frozen=True, kw_only=True)
class Worktree:
    """The checkout that a process stands in."""

    root: Path
    common_dir: Path
    """The git folder that all worktrees of the clone share."""
    git_dir: Path
    """The worktree's own."""

    @property
    def exclude(self) -> str:
        """The clone's own list of files that git leaves out (gitignore(5)), which no colleague gets."""
        return str(self.common_dir / "info" / "exclude")

    def tracks(self, path: str) -> bool:
        """Whether a file is in the index."""
        return bool(_git(self.root, "ls-files", "--", f":(top,literal){path}"))

    def checkout(self, *, repo: str = "") -> Checkout:
        """What the store needs to know of it; `repo` is a name that the user's settings give it."""
        return Checkout(
            identity=identity_of(repo) if repo else _identity(self.root, self.common_dir),
            clone=f"clone:{_hash(str(self.common_dir))}",
            branch=_git(self.root, "symbolic-ref", "--quiet", "--short", "HEAD"),
            worktree=str(self.root),
            ignore_case=_git(self.root, "config", "--type=bool", "--get", "core.ignorecase") == "true",
        )

    def on_trunk(self, path: str) -> str:
        """The text of a file as the trunk has it; "" where the trunk, or the file on it, cannot be found.

        The trunk is origin's default branch, else `main`, `master`, or what is checked out.
        """
        refs = _git(self.root, "for-each-ref", "--format=%(refname)", *_TRUNKS).splitlines()
        trunk = next((name for name in _TRUNKS if name in refs), "HEAD")
        return _git(self.root, "cat-file", "blob", f"{trunk}:{path}")

    def changed_with(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Files that history changed together with these patterns' literal parts, most often first; as patterns.

        Empty where git takes too long: a briefing can do without.
        """
        keys = sorted({parsed.key.rstrip("/") for parsed in map(pattern, patterns) if parsed.key})
        if not keys:
            return ()
        asked = ("log", f"--max-count={_COMMITS_MAX}", f"--since={_HISTORY}", "--no-merges", "--full-diff")
        printed = ("--name-only", "-z", "--format=%x01", "--", *(f":(top,literal){key}" for key in keys))
        try:
            log = _git(self.root, *asked, *printed, seconds_max=_LOG_SECONDS_MAX)
        except Invalid:
            return ()
        commits = [commit.strip("\n\0").split("\0") for commit in log.split("\x01")]
        return together(commits, mine=patterns)

    def claimed(self, text: str) -> str:
        """A path or pattern as the caller typed it, as the canonical pattern of a claim. Raises Invalid."""
        return claimed(
            text,
            root=str(self.root),
            is_file=lambda path: os.path.lexists(self.root / path) and not self._is_folder(path),
            is_folder=self._is_folder,
        )

    def _is_folder(self, path: str) -> bool:
        # A link to a folder is one entry of the tree, not the folder behind it.
        return (self.root / path).is_dir() and not (self.root / path).is_symlink()


def worktree_at(folder: Path) -> Worktree | None:
    """The worktree around a folder; None outside of git, in a bare repository, and without git."""
    answer = _git(folder, "rev-parse", "--show-toplevel", "--path-format=absolute", "--git-common-dir", "--git-dir")
    lines = answer.splitlines()
    if len(lines) != 3 or not lines[0]:
        return None
    common_dir, git_dir = (Path(os.path.realpath(line)) for line in lines[1:])
    return Worktree(root=Path(lines[0]), common_dir=common_dir, git_dir=git_dir)


def _identity(folder: Path, common_dir: Path) -> str:
    """`origin`, else the root commit, else the git folder itself; a local origin is followed."""
    for _ in range(_ORIGINS_MAX):
        origin = _git(folder, "config", "--get", "remote.origin.url")
        if not origin:
            break
        local = origin.removeprefix("file://")
        if "://" in local or not (local.startswith((".", "/", "~")) or (folder / local).exists()):
            return identity_of(origin)
        folder = (folder / Path(local).expanduser()).resolve()
        pointed_to = _git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir")
        if not pointed_to:
            return f"folder:{_hash(str(folder))}"
        common_dir = Path(os.path.realpath(pointed_to))
    roots = _git(folder, "rev-list", "--max-parents=0", "HEAD").splitlines()
    return f"root:{sorted(roots)[0][:_NAME_CHARS]}" if roots else f"folder:{_hash(str(common_dir))}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_NAME_CHARS]


def _git(folder: Path, *arguments: str, seconds_max: float = _GIT_SECONDS_MAX) -> str:
    """What git prints, stripped; "" where it fails."""
    return run(folder, *arguments, seconds_max=seconds_max).text
