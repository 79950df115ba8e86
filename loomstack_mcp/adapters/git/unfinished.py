"""What is not finished in a worktree: files that are not committed, commits that are not pushed. No filter runs."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.clone_settings import clone_settings, remotes
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import as_text

_HASHED_BYTES_MAX = 5_000_000
_SHA1_LETTERS = 40
_WORDS = 5


def changed_since(repo: Repository, root: Path, commit: str, *, most: int) -> tuple[str, ...]:
    """The paths of up to so many tracked files by which the index and the files differ from a commit."""
    listed = list(_listed(repo, commit))[:most]
    return tuple(path for path, told in listed if not _is_as_it_was(root / path, told))


def uncommitted(repo: Repository, root: Path, *, since_s: float) -> tuple[str, ...]:
    """The paths of what is new, changed or gone since HEAD, and was written since then.

    A file that was written back as it was is none of them. Of what is gone, its folder tells when.
    """
    new = _names(repo.run("ls-files", "--others", "--exclude-standard", "-z").printed)
    head = repo.commit("HEAD")
    listed = list(_listed(repo, head)) if head else [(path, ()) for path in _names(repo.run("ls-files", "-z").printed)]
    written = (told for told in listed if _is_written_since(root, told[0], since_s))
    changed = (path for path, told in written if not _is_as_it_was(root / path, told))
    return (*changed, *(path for path in new if _is_written_since(root, path, since_s)))


def unpushed(repo: Repository, *, since_s: int) -> int:
    """How many commits of HEAD, made since then, no remote's branch has; 0 where the clone has no remote."""
    if not remotes(clone_settings(repo.place)):
        return 0
    asked = ("rev-list", "--count", f"--since={since_s}", "HEAD", "--not", "--remotes", "--")
    counted = repo.run(*asked).text
    return int(counted) if counted.isdigit() else 0


def _listed(repo: Repository, commit: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Each path that differs, and what git tells of it: two modes, two ids, a letter (git-diff-index(1))."""
    told = as_text(repo.run("diff-index", "--no-renames", "--ignore-submodules=all", "-z", commit, "--").printed)
    words = told.split("\0")
    return ((path, entry.lstrip(":").split(" ")) for entry, path in zip(words[::2], words[1::2], strict=False))


def _is_written_since(root: Path, name: str, since_s: float) -> bool:
    path = root / name
    while path != root and not os.path.lexists(path):
        path = path.parent
    return path.lstat().st_mtime >= since_s


def _is_as_it_was(path: Path, told: Sequence[str]) -> bool:
    """Whether a file that git did not read has the very bytes that the commit has: it was touched alone."""
    if len(told) < _WORDS or told[0] != told[1] or told[3].strip("0") or not path.is_file() or path.is_symlink():
        return False
    size = path.stat().st_size
    if size > _HASHED_BYTES_MAX:
        return False
    hashed = hashlib.sha1 if len(told[2]) == _SHA1_LETTERS else hashlib.sha256
    return hashed(b"blob %d\0" % size + path.read_bytes()).hexdigest() == told[2]


def _names(printed: bytes) -> tuple[str, ...]:
    return tuple(name for name in as_text(printed).split("\0") if name)
