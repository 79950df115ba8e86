"""Files brought to what is planned for them, all or none."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.core.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class FileStep:
    """One file as it is, and as it is to be; None is no file."""

    path: Path
    before: str | None
    after: str | None
    own_folders: int = 0
    """How many of the folders around it come, or came, with the file, and so go with the last one in them."""
    is_undone: bool = False
    """Whether it gets back what it was before us, or nothing."""
    brief: str = ""
    """What a person is shown instead of what changes in it: what it is."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those of its own, the inner ones first."""
        return tuple(self.path.parents)[: self.own_folders]


def carried_out(steps: Sequence[FileStep]) -> None:
    """Write every file, or none: what was written is put back when a later one fails.

    Raises Invalid, naming the file, where one cannot be written.
    """
    done: list[FileStep] = []
    try:
        for step in steps:
            done.append(step)
            _write(step.path, step.after)
    except OSError as error:
        for step in done:
            with contextlib.suppress(OSError):
                _write(step.path, step.before)
        _remove_folders(step for step in done if step.before is None)
        raise Invalid(f"cannot write {done[-1].path}: {error.strerror}; nothing was changed") from None
    _remove_folders(step for step in steps if step.after is None)


def _write(path: Path, text: str | None) -> None:
    """Write a file, or remove it. A link stays a link."""
    if text is None:
        Path(os.path.realpath(path)).unlink(missing_ok=True)
    else:
        replace_file(path, text)


def _remove_folders(steps: Iterable[FileStep]) -> None:
    """Remove the folders of the files' own, the inner ones first. A link stays, as does what it leads to."""
    folders = {folder for step in steps for folder in step.folders}
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        if not folder.is_symlink():
            with contextlib.suppress(OSError):  # Somebody else has a file in it.
                folder.rmdir()


def replace_file(path: Path, text: str, *, new_mode: int = 0o644) -> None:
    """Replace a file at once, by way of one beside it with a name that the next `init` knows."""
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else new_mode
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only", str(path))
    temporary = temporary_beside(path)
    with _alone_in(path.parent):
        temporary.unlink(missing_ok=True)
        try:
            # A new file: what a link of that name points to is nobody's to overwrite.
            with temporary.open("xb") as file:
                file.write(text.encode("utf-8"))
            temporary.chmod(mode)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait for whoever replaces a file there too, or they would take away the new text while it is written."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def temporary_beside(path: Path) -> Path:
    """Where the new text of a file lies while it is written."""
    return path.with_name(f".{path.name}.loomstack-new")
