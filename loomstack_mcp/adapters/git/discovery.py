"""Where a repository is: told by its own files where it lies as most do, and by git where it does not."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from loomstack_mcp.adapters.git.layout import plain_layout
from loomstack_mcp.adapters.git.run import Ran, run
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.records import record

_OWNED = re.compile(r"dubious ownership in repository at '(.*)'")
_SHOWN_MAX = 5


class Unreadable(NotFound):
    """There is a repository, and git will not read it: the message has git's word. Never the same as none."""


@record
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
    """The same without a process; None where only git can tell."""
    found = plain_layout(str(folder))
    return Place(root=Path(found[0]), git_dir=Path(found[1]), common_dir=Path(found[2])) if found else None
