"""Files brought to what is planned for them, all or none."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record


@record
class FileStep:
    """One file as it is, and as it is to be; None is no file."""

    path: Path
    before: str | None
    after: str | None
    own_folders: int = 0
    """How many of the folders around it come, or came, with the file, and so go with the last one in them."""
    is_undone: bool = False
    """Whether it gets back what it was before us, or has it already, or is to be no file."""
    brief: str = ""
    """What a person is shown instead of what changes in it: what it is."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those of its own, the inner ones first."""
        return tuple(self.path.parents)[: self.own_folders]


_DoneStep = tuple[FileStep, int | None]
"""A step that was done, and the mode of the file before; None where there was none."""


def carried_out(steps: Sequence[FileStep]) -> None:
    """Write every file, or none: what was written is put back when a later one fails.

    Raises Invalid, naming the file that cannot be written, and those that could not be put back.
    """
    done: list[_DoneStep] = []
    for step in steps:
        mode = _mode_of(step.path)
        try:
            _write(step.path, step.after)
        except OSError as error:
            lost = [str(each) for each in _not_put_back(done)]
            _remove_folders(each for each in (*(one for one, _ in done), step) if each.before is None)
            rest = f"{', '.join(lost)} could not be put back; see to that and run it again" if lost else ""
            raise Invalid(f"cannot write {step.path}: {error.strerror}; {rest or 'nothing was changed'}") from None
        done.append((step, mode))
    _remove_folders(step for step in steps if step.after is None)


def _not_put_back(done: Sequence[_DoneStep]) -> Iterator[Path]:
    """Put back what was written, and tell what that failed for."""
    # What is new goes first: where the disk is full, the others need its room.
    for step, mode in sorted(done, key=lambda each: each[0].before is not None):
        try:
            _write(step.path, step.before, mode=mode)
        except OSError:
            yield step.path


def _write(path: Path, text: str | None, *, mode: int | None = None) -> None:
    """Write a file, or remove it. A link stays a link."""
    if text is None:
        Path(os.path.realpath(path)).unlink(missing_ok=True)
    else:
        replace_file(path, text, new_mode=mode)


def _remove_folders(steps: Iterable[FileStep]) -> None:
    """Remove the folders of the files' own, the inner ones first. A link stays, as does what it leads to."""
    folders = {folder for step in steps for folder in step.folders}
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        if not folder.is_symlink():
            with contextlib.suppress(OSError):  # Somebody else has a file in it.
                folder.rmdir()


def replace_file(path: Path, text: str, *, new_mode: int | None = None) -> None:
    """Replace a file at once, by way of one beside it with a name that the next `init` knows. Mode and owner stay.

    A new one gets `new_mode`, or what its person's umask says.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    found = path.stat() if path.exists() else None
    if found and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only", str(path))
    temporary = temporary_beside(path)
    with _alone_in(path.parent):
        temporary.unlink(missing_ok=True)
        try:
            # A new file: what a link of that name points to is nobody's to overwrite.
            with temporary.open("xb") as file:
                # Before the text, which nobody else may read where the old one was private.
                _make_like(temporary, found, new_mode)
                file.write(text.encode("utf-8"))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _make_like(path: Path, found: os.stat_result | None, new_mode: int | None) -> None:
    """Give a new file the owner and the mode of the one that it replaces, or that mode."""
    if found:
        with contextlib.suppress(OSError):  # Only root gives files away.
            os.chown(path, found.st_uid, found.st_gid)
    if (mode := found.st_mode & 0o777 if found else new_mode) is not None:
        path.chmod(mode)


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


def _mode_of(path: Path) -> int | None:
    """None where there is no file."""
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    return None


def temporary_beside(path: Path) -> Path:
    """Where the new text of a file lies while it is written."""
    return path.with_name(f".{path.name}.loomstack-new")
