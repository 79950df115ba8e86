"""What has to change so that we are in the clients' files, or out of them, byte for byte as before us."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install.journal import JournalEntry, read_journal
from loomstack_mcp.adapters.install.writing import FileStep, temporary_beside
from loomstack_mcp.core.clients.files.client_file import ClientFile
from loomstack_mcp.core.errors import Invalid

_GIT_SECONDS_MAX = 4


def planned(root: Path, files: Sequence[ClientFile]) -> tuple[FileStep, ...]:
    """What has to change so that we are in these files. Raises Invalid, naming what stands in the way."""
    steps = [*_leftovers(root, files)]
    for file in files:
        path = root / file.path
        text = _text(path)
        after = file.put(text or "") or None
        folders = _missing_folders(path) if after is not None else file.own_folders
        steps.append(FileStep(path=path, before=text, after=after, own_folders=folders, brief=file.brief))
    return tuple(step for step in steps if step.before != step.after)


def _missing_folders(path: Path) -> int:
    """How many of the folders around a file are not there. Raises Invalid where something else is instead of one."""
    missing = tuple(takewhile(lambda folder: not os.path.lexists(folder), path.parents))
    around = path.parents[len(missing)]
    if not around.is_dir():
        what = "a link to nothing" if around.is_symlink() else "no folder"
        raise Invalid(f"{around} is {what}; move it away, nothing was changed")
    return len(missing)


def planned_removal(
    root: Path, files: Sequence[ClientFile], journal: Path, *, worktree: Worktree | None
) -> tuple[FileStep, ...]:
    """What has to change so that we are not: the text from before us where nothing else changed since.

    A file that is not there comes along where its folders have to go, as after a kill.
    """
    known = read_journal(journal)
    steps = [*_leftovers(root, files), *(_removal(root, file, known.get(file.path), worktree) for file in files)]
    needed = {root / file.path for file in files if worktree and _is_needed(worktree, file, steps)}
    changing = [step for step in steps if step.before != step.after and step.path not in needed]
    return (*changing, *filter(_leaves_folders, steps))


def _leaves_folders(step: FileStep) -> bool:
    """Whether a file that is not there has folders that came with it and still are."""
    return step.before is None and step.after is None and any(os.path.lexists(folder) for folder in step.folders)


def _leftovers(root: Path, files: Sequence[ClientFile]) -> Iterator[FileStep]:
    """What an `init` that was killed has left beside the files."""
    for file in files:
        path = temporary_beside(Path(os.path.realpath(root / file.path)))
        if path.is_file() and not path.is_symlink():
            # Its last character may be cut in two.
            yield FileStep(path=path, before=_text(path, errors="replace"), after=None)


def _removal(root: Path, file: ClientFile, record: JournalEntry | None, worktree: Worktree | None) -> FileStep:
    path = root / file.path
    text = _text(path)
    guessed = file.own_folders if text is not None else 0
    folders = record.own_folder if record else guessed
    made = record is not None and record.before is None
    # Without content, as another set-up leaves what it did not make.
    if record and (record.holds_for(text) or text == record.before or (made and text == file.bare)):
        after, is_undone = record.before, True
    else:
        after = _rest(root, file, text, made=made, worktree=worktree) if text else text
        is_undone = after is None
    return FileStep(path=path, before=text, after=after, own_folders=folders, is_undone=is_undone, brief=file.brief)


def _rest(root: Path, file: ClientFile, text: str, *, made: bool, worktree: Worktree | None) -> str | None:
    """What stays of a text that is not as we wrote it; None is no file."""
    if left := file.taken(text):
        return left
    path = root / file.path
    if file.is_whole:
        return None if made or _is_inside(root, path) else text
    may_go = made or (worktree is not None and (not worktree.tracks(file.path) or _came_with_us(worktree, file)))
    # A file that may have been there before us stays, without content.
    return None if may_go and not path.is_symlink() else file.bare


def _came_with_us(worktree: Worktree, file: ClientFile) -> bool:
    """Whether git has the commit that added a file, and nothing but us was in it then: so no journal is needed."""
    if (worktree.common_dir / "shallow").exists():  # Its oldest commits look as if they had added all.
        return False
    with contextlib.suppress(Invalid):  # It takes long, or the text was broken: then nobody knows.
        added = ("log", "-1", "--diff-filter=A", "--no-renames", "--format=%H", "--", f":(top,literal){file.path}")
        commit = run(worktree.root, *added, seconds_max=_GIT_SECONDS_MAX).text
        text = run(worktree.root, "cat-file", "blob", f"{commit}:{file.path}", seconds_max=_GIT_SECONDS_MAX).text
        return bool(commit and text) and not file.taken(f"{text}\n")
    return False


def _is_inside(root: Path, path: Path) -> bool:
    """Whether no link leads from there to elsewhere, where another set-up may have written it."""
    real = os.path.realpath(path)
    return real == str(path) or Path(real).is_relative_to(os.path.realpath(root))


def _is_needed(worktree: Worktree, file: ClientFile, steps: Sequence[FileStep]) -> bool:
    """Whether any worktree of the clone has what this file hides once the steps are done, here from after us."""
    if not file.hides:
        return False
    undone = {os.path.realpath(step.path) for step in steps if step.is_undone}
    listed = run(worktree.root, "worktree", "list", "--porcelain", seconds_max=_GIT_SECONDS_MAX).text.splitlines()
    roots = {str(worktree.root), *(line.removeprefix("worktree ") for line in listed if line.startswith("worktree "))}
    found = (os.path.realpath(Path(root) / file.hides) for root in roots)
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
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Invalid(f"cannot read {path}: {reason}; nothing was changed") from None
