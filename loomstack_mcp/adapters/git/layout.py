"""The layout of a repository, told by its own files where it lies as most do: in few modules, with paths as texts."""

import os
import re
from collections.abc import Iterator

_MARK_BYTES_MAX = 4_096
_USUAL = re.compile(rb"^\s*(?:bare\s*=\s*false|repositoryformatversion\s*=\s*[01])\s*$", re.IGNORECASE | re.MULTILINE)
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-f]{40}")
_OF_WORKTREE = (b"bare", b"worktree")
_MORE = (b"include", b"extensions", b"formatversion")


def plain_layout(folder: str, /) -> tuple[str, str, str] | None:
    """The top of the worktree around a folder, its git folder, and the one that all worktrees of the clone share.

    Without a process, which costs a hook more than all it does; None where only git can tell. That is where git would
    look at more than the `.git` of a folder above (git(1), gitrepository-layout(5)): other owners, other devices, bare
    repositories, configured worktrees.
    """
    here = os.path.realpath(folder)
    try:
        device = os.stat(here).st_dev
        for top in _upwards(here):
            if os.stat(top).st_dev != device or os.path.basename(top) == ".git" or _is_there(os.path.join(top, "HEAD")):
                return None
            if _is_there(os.path.join(top, ".git")):
                return _marked(top) if _has_git() else None
    except OSError:
        return None
    return None


def marked_clone(top: str, /) -> str:
    """The git folder of the clone that the mark of a folder leads to; "" where that is not told by plain files."""
    try:
        found = _led_to(top)
    except OSError:
        return ""
    return os.path.realpath(found[1]) if found else ""


def marked_tops(folder: str, /) -> Iterator[str]:
    """The folders, that one and those above it, with the mark by which git knows a worktree, the nearest first."""
    return filter(is_marked, _upwards(folder))


def is_marked(top: str, /) -> bool:
    """Whether a folder has the mark by which git knows a worktree, whole or broken."""
    # A folder with nothing of a repository in it is none to git: sandboxes leave such a one behind (Codex 0.169.0).
    mark = os.path.join(top, ".git")
    inside = ("HEAD", "objects", "refs")
    return os.path.lexists(mark) and (
        not os.path.isdir(mark) or any(os.path.lexists(f"{mark}/{name}") for name in inside)
    )


def _upwards(folder: str) -> Iterator[str]:
    above = folder
    while True:
        folder, above = above, os.path.dirname(above)
        yield folder
        if folder == above:
            return


def _marked(top: str) -> tuple[str, str, str] | None:
    if (found := _led_to(top)) is None:
        return None
    git_dir, common_dir = found
    is_whole = all(os.path.isdir(os.path.join(common_dir, name)) for name in ("objects", "refs"))
    if not is_whole or _has_more_to_say(common_dir, is_linked=git_dir != common_dir):
        return None
    return top, os.path.realpath(git_dir), os.path.realpath(common_dir)


def _led_to(top: str) -> tuple[str, str] | None:
    """The git folders that the mark of a folder leads to, where all that is ours."""
    mark = os.path.join(top, ".git")
    git_dir = mark if os.path.isdir(mark) else _pointed_to(mark, b"gitdir: ", top)
    if git_dir is None or not _HEAD.match(_bytes(os.path.join(git_dir, "HEAD"))):
        return None
    is_mine = {os.lstat(path).st_uid for path in (top, mark, git_dir)} == {os.geteuid()}
    common_dir = _pointed_to(os.path.join(git_dir, "commondir"), b"", git_dir) or git_dir
    return (git_dir, common_dir) if is_mine else None


def _pointed_to(file: str, mark: bytes, base: str) -> str | None:
    if not os.path.isfile(file):
        return None
    line = _bytes(file, most=_MARK_BYTES_MAX).rstrip(b"\r\n")
    return os.path.join(base, os.fsdecode(line.removeprefix(mark))) if line.startswith(mark) else None


def _has_more_to_say(common_dir: str, *, is_linked: bool) -> bool:
    """Whether the clone's settings may move its worktree, deny that there is one, or be for another git.

    Of worktrees they say so for the clone's own alone, and not for those that are linked to it (git-worktree(1)).
    """
    left = _USUAL.sub(b"", _bytes(os.path.join(common_dir, "config"))).lower()
    return any(word in left for word in (_MORE if is_linked else (*_OF_WORKTREE, *_MORE)))


def _bytes(file: str, *, most: int = -1) -> bytes:
    with open(file, "rb") as opened:
        return opened.read(most)


def _is_there(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _has_git() -> bool:
    return any(os.access(os.path.join(folder, "git"), os.X_OK) for folder in os.get_exec_path())
