"""Writes the clients' files: planned first, all or none, and undone byte for byte."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from loomstack_mcp.adapters.git.run import run
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.core.clients.files.project import ClientFile
from loomstack_mcp.core.errors import Invalid

_GIT_SECONDS_MAX = 4


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


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """What a file said before us. It counts only where the file says what we wrote, whoever was at it since."""

    before: str | None
    after: list[str]
    """Hashes of what we wrote last and, in case that did not get done, of what we wrote before."""
    own_folder: bool = False


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
    known = _journal(journal)
    steps = [*_leftovers(worktree.root, files)]
    steps += [_removal(worktree, file, known.get(file.path)) for file in files]
    needed = {worktree.root / file.path for file in files if file.hides and _is_left(worktree, file.hides, steps)}
    return tuple(step for step in steps if step.before != step.after and step.path not in needed)


def write_journal(journal: Path, root: Path, files: Sequence[ClientFile], steps: Sequence[FileStep]) -> None:
    """Note what the files say before the steps, so that they can say it again. Raises Invalid where that fails."""
    known = _journal(journal)
    wanted = {root / file.path: file for file in files}
    for step in steps:
        if (file := wanted.get(step.path)) is None:
            continue
        old = known.pop(file.path, None)
        own_folder = step.own_folder or (old is not None and old.own_folder)
        after = [_hash(step.after or "")]
        if old and _counts(old, step.before):
            known[file.path] = JournalEntry(
                before=old.before, after=[*after, _hash(step.before or "")], own_folder=own_folder
            )
        elif step.before is None or file.taken(step.before) == step.before:
            known[file.path] = JournalEntry(before=step.before, after=after, own_folder=own_folder)
    try:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(journal, json.dumps({name: asdict(record) for name, record in known.items()}, indent=1))
    except OSError as error:
        raise Invalid(
            f"cannot note in {journal} what the files say now: {error.strerror}; "
            "set LOOMSTACK_HOME to a folder that you may write to, nothing was changed"
        ) from None


def remove_journal(journal: Path) -> None:
    """Remove the notes, once the files say again what they said."""
    # Where the folder is read-only they stay, and count for no file.
    with contextlib.suppress(OSError):
        journal.unlink()


def carried_out(steps: Sequence[FileStep]) -> None:
    """Write every file, or none: what was written is put back when a later one fails."""
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


def journal_of(home: Path, root: Path) -> Path:
    """Where the texts from before us are kept, for one worktree."""
    return home / "init" / f"{_hash(str(root))[:16]}.json"


def _leftovers(root: Path, files: Sequence[ClientFile]) -> Iterator[FileStep]:
    """What an `init` that was killed has left beside the files."""
    for file in files:
        path = _beside(Path(os.path.realpath(root / file.path)))
        if path.is_file() and not path.is_symlink():
            # Its last character may be cut in two.
            yield FileStep(path=path, before=_text(path, errors="replace"), after=None)


def _removal(worktree: Worktree, file: ClientFile, record: JournalEntry | None) -> FileStep:
    path = worktree.root / file.path
    text = _text(path)
    own_folder = record is not None and record.own_folder
    if record and _counts(record, text):
        return FileStep(path=path, before=text, after=record.before, own_folder=own_folder, is_undone=True)
    after = text
    if text:
        after = file.taken(text)
        if not after:
            made = record is not None and record.before is None
            # A file that may have been there before us stays, without content.
            after = None if not path.is_symlink() and (made or not worktree.tracks(file.path)) else file.bare
    return FileStep(path=path, before=text, after=after, own_folder=own_folder, is_undone=after is None)


def _counts(record: JournalEntry, text: str | None) -> bool:
    return text is not None and _hash(text) in record.after


def _is_left(worktree: Worktree, path: str, steps: Sequence[FileStep]) -> bool:
    """Whether any worktree of the clone has the file once the steps are done, here with content from after us."""
    undone = {os.path.realpath(step.path) for step in steps if step.is_undone}
    listed = run(worktree.root, "worktree", "list", "--porcelain", seconds_max=_GIT_SECONDS_MAX).text.splitlines()
    roots = {str(worktree.root), *(line.removeprefix("worktree ") for line in listed if line.startswith("worktree "))}
    found = (os.path.realpath(Path(root) / path) for root in roots)
    return any(real not in undone and Path(real).exists() for real in found)


def _text(path: Path, *, errors: str = "strict") -> str | None:
    try:
        with path.open(encoding="utf-8", errors=errors, newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {path}: {type(error).__name__}; nothing was changed") from None


def _carry_out(step: FileStep, text: str | None) -> None:
    """Write a file, or remove it together with a folder of its own. A link stays a link, as does a folder's."""
    if text is not None:
        _write(step.path, text)
        return
    Path(os.path.realpath(step.path)).unlink(missing_ok=True)
    folder = step.path.parent
    if step.own_folder and not folder.is_symlink():
        with contextlib.suppress(OSError):  # Somebody else has a file in it.
            folder.rmdir()


def _write(path: Path, text: str) -> None:
    """Replace a file at once, by way of one beside it with a name that the next `init` knows."""
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only", str(path))
    temporary = _beside(path)
    temporary.unlink(missing_ok=True)
    try:
        # A new file: what a link of that name points to is nobody's to overwrite.
        with temporary.open("xb") as file:
            file.write(text.encode("utf-8"))
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.loomstack-new")


def _journal(path: Path) -> dict[str, JournalEntry]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: JournalEntry(**record) for name, record in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
