"""A git folder of our own beside a repository: its objects, and nothing of its settings, attributes, hooks and refs.

What compares or logs there gives what plain git gives, whoever configured what: no driver, filter, pager or signature
checker is known, and what git writes (merged trees, the objects of a worktree) is gone with the folder.
"""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.objects import Objects
from loomstack_mcp.adapters.git.run import UNCONFIGURED

_CONFIG = "[core]\n\trepositoryformatversion = {version}\n\tbare = true\n\tlooseCompression = 0\n{more}"
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"
_SHA1_CHARS = 40
_NONE_THERE = "ref: refs/heads/none"


class Aside:
    """The folder, there until it is closed."""

    def __init__(self, place: Place, *, head: str, empty_tree: str, quarantine: Mapping[str, str]) -> None:
        """`head` is the commit whose `.mailmap` says who is who, "" for none.

        `quarantine` are the variables of a pre-receive hook, whose new objects are elsewhere (git-receive-pack(1)).
        """
        self._made = TemporaryDirectory(prefix="loomstack-")
        self.folder = Path(self._made.name)
        """A git folder that knows no worktree and no attributes."""
        self.seen = self.folder / "seen"
        """Another, of the same objects, for whoever looks at a worktree."""
        (self.folder / "objects").mkdir()
        is_sha256 = len(empty_tree) > _SHA1_CHARS
        config = _CONFIG.format(version=int(is_sha256), more=_SHA256 if is_sha256 else "")
        for git_dir in (self.folder, self.seen):
            (git_dir / "refs").mkdir(parents=True)
            (git_dir / "config").write_text(config)
            (git_dir / "HEAD").write_text(f"{head or _NONE_THERE}\n")
        borrow(place.common_dir, "shallow", into=self.folder)
        new = quarantine.get("GIT_OBJECT_DIRECTORY")
        lent = [_quoted(str(path)) for path in (new, place.common_dir / "objects") if path]
        lent += [found] if (found := quarantine.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")) else []
        self._objects = {
            "GIT_OBJECT_DIRECTORY": str(self.folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(lent),
        }
        # Git from 2.41 on takes attributes from this tree; an older one finds neither a worktree nor an index.
        about = {"GIT_DIR": str(self.folder), "GIT_ATTR_SOURCE": empty_tree}
        self.plain = {**UNCONFIGURED, **self._objects, **about}
        """Variables with which git reads objects, and no attributes."""
        self.objects = Objects(self.folder, self.plain)
        """The repository's, and those made here."""

    def in_worktree(self, root: Path) -> dict[str, str]:
        """Variables with which git looks at a worktree, by what was borrowed for it."""
        return {**UNCONFIGURED, **self._objects, "GIT_DIR": str(self.seen), "GIT_WORK_TREE": str(root)}

    def close(self) -> None:
        """End what reads here; the folder is gone."""
        self.objects.close()
        self._made.cleanup()


def borrow(folder: Path, *names: str, into: Path, renamed: str = "") -> None:
    """Have copies of these files of a git folder in another, as old as they are; what is not there is left out."""
    for name in names:
        ours = into / (renamed or name)
        with suppress(FileNotFoundError):
            ours.parent.mkdir(exist_ok=True)
            # With its times: git tells by the index's own which files may have changed behind its back.
            shutil.copy2(folder / name, ours)


def _quoted(path: str) -> str:
    """As git(1) reads it in a list of paths with colons between them."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
