"""Where a repository is: told by its own files where it lies as most do, and by git where it does not."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.adapters.git.run import Ran, run
from loomstack_mcp.core.errors import NotFound

_MARK_BYTES_MAX = 4_096
_USUAL = re.compile(rb"^\s*(?:bare\s*=\s*false|repositoryformatversion\s*=\s*[01])\s*$", re.IGNORECASE | re.MULTILINE)
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-f]{40}")
_OWNED = re.compile(r"dubious ownership in repository at '(.*)'")
_SHOWN_MAX = 5


class Unreadable(NotFound):
    """There is a repository, and git will not read it: the message has git's word. Never the same as none."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A repository on this machine."""

    root: Path | None
    """The top of the worktree; None in a bare repository, and inside of a git folder."""
    git_dir: Path
    """The worktree's own."""
    common_dir: Path
    """The git folder that all worktrees of the clone share."""

    @property
    def folder(self) -> Path:
        """Where git is asked: in the worktree, where that leads to the repository (core.worktree may be elsewhere)."""
        return self.root if self.root and os.path.lexists(self.root / ".git") else self.git_dir


def place_at(folder: Path) -> Place:
    """The repository around a folder. Raises NotFound where there is none, Unreadable where git refuses the one."""
    return _by_files(folder) or _by_git(folder)


def no_worktree(folder: Path) -> str:
    """What to say of a folder that is in no worktree, in a clause: a bare repository's name those there are."""
    try:
        place = place_at(folder)
    except NotFound:
        return f"{folder} is in no git worktree"
    found = sorted(map(str, linked_worktrees(place.common_dir)))
    more = " …" if len(found) > _SHOWN_MAX else ""
    of_it = f"; those of {place.common_dir} are {', '.join(found[:_SHOWN_MAX])}{more}" if found else ""
    return f"{folder} is in no git worktree{of_it}"


def linked_worktrees(common_dir: Path) -> Iterator[Path]:
    """The worktrees that are there besides the main one (gitrepository-layout(5), worktrees/)."""
    for own in (common_dir / "worktrees").glob("*/gitdir"):
        mark = own.parent / os.fsdecode(own.read_bytes().rstrip(b"\n"))
        if mark.is_file():
            yield mark.resolve().parent


def _by_git(folder: Path) -> Place:
    asked = ("--path-format=absolute", "--git-common-dir", "--git-dir", "--show-toplevel")
    # Outside of a worktree git prints the first two before it fails.
    ran = run(folder, "rev-parse", *asked)
    lines = os.fsdecode(ran.printed).split("\n")[:-1]
    if len(lines) not in (0, 2 if ran.code else 3):  # a line feed in a name: one answer at a time
        each = [run(folder, "rev-parse", asked[0], name) for name in asked[1:]]
        lines = [os.fsdecode(one.printed.removesuffix(b"\n")) for one in each if one.code == 0]
    if len(lines) < 2:
        raise _refusal(folder, ran)
    common_dir, git_dir = (Path(os.path.realpath(line)) for line in lines[:2])
    return Place(root=Path(lines[2]) if len(lines) == 3 else None, git_dir=git_dir, common_dir=common_dir)


def _refusal(folder: Path, ran: Ran) -> NotFound:
    """Whether there is no repository, or one that git will not read."""
    if not folder.is_dir():
        return NotFound(f"{folder} is gone; go to a folder that is there")
    mark = next((top / ".git" for top in (folder, *folder.parents) if _is_meant(top / ".git")), None)
    is_none = b"not a git repository (or any" in ran.complained
    if mark is None and is_none:
        return NotFound(f"{folder} is in no git repository; go to one, or clone it")
    if mark is None and not ran.complained:
        return NotFound(f"{folder} is in no git repository that can be read (there is no git on PATH); install git")
    if is_none:
        return Unreadable(f"git takes {mark} for no repository ({ran.complaint}): its HEAD, refs or objects are broken")
    complaint = ran.complaint if ran.complained else "there is no git on PATH"
    owned = _OWNED.search(os.fsdecode(ran.complained))
    mend = f"whoever trusts it: git config --global --add safe.directory {owned[1]}" if owned else "mend that"
    return Unreadable(f"git will not read the repository around {folder} ({complaint}); {mend}")


def _is_meant(mark: Path) -> bool:
    """Whether something stands for a repository, whole or not: sandboxes leave empty folders of its name."""
    try:
        return mark.is_symlink() or (any(os.scandir(mark)) if mark.is_dir() else mark.stat().st_size > 0)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _by_files(folder: Path) -> Place | None:
    """The same without a process, which costs a hook more than all it does; None where only git can tell.

    That is where git would look at more than the `.git` of a folder above (git(1), gitrepository-layout(5)): other
    owners, other devices, bare repositories, configured worktrees.
    """
    here = Path(os.path.realpath(folder))
    try:
        device = here.stat().st_dev
        for top in (here, *here.parents):
            if top.stat().st_dev != device or top.name == ".git" or (top / "HEAD").exists():
                return None
            if (mark := top / ".git").exists():
                return _marked(top, mark) if _has_git() else None
    except OSError:
        return None
    return None


def _marked(top: Path, mark: Path) -> Place | None:
    git_dir = mark if mark.is_dir() else _pointed_to(mark, b"gitdir: ", top)
    if git_dir is None or not _HEAD.match((git_dir / "HEAD").read_bytes()):
        return None
    common_dir = _pointed_to(git_dir / "commondir", b"", git_dir) or git_dir
    is_mine = {path.lstat().st_uid for path in (top, mark, git_dir)} == {os.geteuid()}
    is_whole = (common_dir / "objects").is_dir() and (common_dir / "refs").is_dir()
    if not is_mine or not is_whole or _has_more_to_say(common_dir):
        return None
    real = Path(os.path.realpath(git_dir))
    return Place(root=top, git_dir=real, common_dir=Path(os.path.realpath(common_dir)))


def _pointed_to(file: Path, mark: bytes, base: Path) -> Path | None:
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        line = opened.read(_MARK_BYTES_MAX).rstrip(b"\r\n")
    return base / os.fsdecode(line.removeprefix(mark)) if line.startswith(mark) else None


def _has_more_to_say(common_dir: Path) -> bool:
    """Whether the clone's settings may move its worktree, deny that there is one, or be for another git."""
    left = _USUAL.sub(b"", (common_dir / "config").read_bytes()).lower()
    return any(word in left for word in (b"bare", b"worktree", b"include", b"extensions", b"formatversion"))


def _has_git() -> bool:
    return any(os.access(os.path.join(folder, "git"), os.X_OK) for folder in os.get_exec_path())  # noqa: PTH118 a hook's
