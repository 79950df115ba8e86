"""What has to change so that we are in the clients' files, or out of them, byte for byte as before us."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install.journal import JournalEntry, read_journal
from loomstack_mcp.adapters.install.writing import FileStep, temporary_beside
from loomstack_mcp.core.clients.files.project import ClientFile
from loomstack_mcp.core.errors import Invalid

_GIT_SECONDS_MAX = 4


def planned(root: Path, files: Sequence[ClientFile]) -> tuple[FileStep, ...]:
    """What has to change so that we are in these files. Raises Invalid, naming what stands in the way."""
    steps = [*_leftovers(root, files)]
    for file in files:
        path = root / file.path
        text = _text(path)
        own_folder = not os.path.lexists(path.parent)
        steps.append(FileStep(path=path, before=text, after=file.put(text or ""), own_folder=own_folder))
    return tuple(step for step in steps if step.before != step.after)


def planned_removal(worktree: Worktree, files: Sequence[ClientFile], journal: Path) -> tuple[FileStep, ...]:
    """What has to change so that we are not: the text from before us where nothing else changed since."""
    known = read_journal(journal)
    steps = [*_leftovers(worktree.root, files)]
    steps += [_removal(worktree, file, known.get(file.path)) for file in files]
    needed = {worktree.root / file.path for file in files if file.hides and _is_left(worktree, file.hides, steps)}
    return tuple(step for step in steps if step.before != step.after and step.path not in needed)


def _leftovers(root: Path, files: Sequence[ClientFile]) -> Iterator[FileStep]:
    """What an `init` that was killed has left beside the files."""
    for file in files:
        path = temporary_beside(Path(os.path.realpath(root / file.path)))
        if path.is_file() and not path.is_symlink():
            # Its last character may be cut in two.
            yield FileStep(path=path, before=_text(path, errors="replace"), after=None)


def _removal(worktree: Worktree, file: ClientFile, record: JournalEntry | None) -> FileStep:
    path = worktree.root / file.path
    text = _text(path)
    own_folder = record is not None and record.own_folder
    if record and record.holds_for(text):
        return FileStep(path=path, before=text, after=record.before, own_folder=own_folder, is_undone=True)
    after = text
    if text:
        after = file.taken(text)
        if not after:
            made = record is not None and record.before is None
            # A file that may have been there before us stays, without content.
            after = None if not path.is_symlink() and (made or not worktree.tracks(file.path)) else file.bare
    return FileStep(path=path, before=text, after=after, own_folder=own_folder, is_undone=after is None)


def _is_left(worktree: Worktree, path: str, steps: Sequence[FileStep]) -> bool:
    """Whether any worktree of the clone has the file once the steps are done, here with content from after us."""
    undone = {os.path.realpath(step.path) for step in steps if step.is_undone}
    listed = run(worktree.root, "worktree", "list", "--porcelain", seconds_max=_GIT_SECONDS_MAX).text.splitlines()
    roots = {str(worktree.root), *(line.removeprefix("worktree ") for line in listed if line.startswith("worktree "))}
    found = (os.path.realpath(Path(root) / path) for root in roots)
    return any(real not in undone and Path(real).exists() for real in found)


def _text(path: Path, *, errors: str = "strict") -> str | None:
    try:
        # A link to a device never ends, and a pipe never begins.
        if path.exists() and not path.is_file():
            raise Invalid(f"{path} is no file; move it away, nothing was changed")
        with path.open(encoding="utf-8", errors=errors, newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {path}: {type(error).__name__}; nothing was changed") from None
