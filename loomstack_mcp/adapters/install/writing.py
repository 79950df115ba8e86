"""Files brought to what is planned for them, all or none."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.core.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class FileStep:
    """One file as it is, and as it is to be; None is no file."""

    path: Path
    before: str | None
    after: str | None
    own_folder: bool = False
    """Whether its folder comes, or came, with the file, and so goes with the last one in it."""
    is_undone: bool = False
    """Whether it gets back what it was before us, or nothing."""


def carried_out(steps: Sequence[FileStep]) -> None:
    """Write every file, or none: what was written is put back when a later one fails.

    Raises Invalid, naming the file, where one cannot be written.
    """
    done: list[FileStep] = []
    try:
        for step in steps:
            done.append(step)
            _carry_out(step, step.after)
    except OSError as error:
        for step in done:
            with contextlib.suppress(OSError):
                _carry_out(step, step.before)
        raise Invalid(f"cannot write {done[-1].path}: {error.strerror}; nothing was changed") from None


def _carry_out(step: FileStep, text: str | None) -> None:
    """Write a file, or remove it together with a folder of its own. A link stays a link, as does a folder's."""
    if text is not None:
        replace_file(step.path, text)
        return
    Path(os.path.realpath(step.path)).unlink(missing_ok=True)
    folder = step.path.parent
    if step.own_folder and not folder.is_symlink():
        with contextlib.suppress(OSError):  # Somebody else has a file in it.
            folder.rmdir()


def replace_file(path: Path, text: str) -> None:
    """Replace a file at once, by way of one beside it with a name that the next `init` knows."""
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
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
