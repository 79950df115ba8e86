"""A git folder aside that has a repository's objects and nothing else of it: no attributes, settings, hooks or refs."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_CONFIG = "[core]\n\tbare = true\n\trepositoryformatversion = 1\n"
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"


class PlainFolder:
    """Where git compares objects: what a branch, a clone or a person has set up does not change what it finds.

    Git takes attributes from a worktree, an index, `info/attributes` and a person's file, and no option of a git
    before 2.41 turns the first three off: a line of them makes files binary, and so without lines.
    """

    def __init__(self, common_dir: Path, *, is_sha256: bool, mailmap: str) -> None:
        """`mailmap` is the commit whose `.mailmap` says who is who, "" for none."""
        self._aside = TemporaryDirectory(prefix="loomstack-")
        self.folder = Path(self._aside.name)
        for name in ("objects", "refs"):
            (self.folder / name).mkdir()
        (self.folder / "HEAD").write_text("ref: refs/heads/none\n")
        (self.folder / "config").write_text(_CONFIG + (_SHA256 if is_sha256 else ""))
        with suppress(FileNotFoundError):
            shutil.copyfile(common_dir / "shallow", self.folder / "shallow")
        self.given = (
            f"--git-dir={self.folder}",
            *("-c", f"core.attributesFile={os.devnull}"),
            *("-c", f"mailmap.file={os.devnull}", "-c", f"mailmap.blob={mailmap and f'{mailmap}:.mailmap'}"),
        )
        self.variables = {
            "GIT_OBJECT_DIRECTORY": str(common_dir / "objects"),
            "GIT_ATTR_NOSYSTEM": "1",
        }

    def close(self) -> None:
        """Take the folder away."""
        self._aside.cleanup()
