"""What the clients' files said before us, kept for one worktree, so that they can say it again."""

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from loomstack_mcp.adapters.install.writing import FileStep, replace_file
from loomstack_mcp.core.clients.files.client_file import ClientFile
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record


@record
class JournalEntry:
    """What a file said before us. It counts only where the file says what we wrote, whoever was at it since."""

    before: str | None
    after: list[str]
    """Hashes of what we wrote last and, in case that did not get done, of what we wrote before."""
    own_folder: int = 0
    """How many of its folders came with it. The name stays, as older packages read it: to them it is true or false."""

    def holds_for(self, text: str | None) -> bool:
        """Whether the file says what we wrote."""
        return text is not None and _hash(text) in self.after


def journal_of(home: Path, place: str) -> Path:
    """Where the texts from before us are kept, for one worktree, or whatever else is one place to us."""
    return home / "init" / f"{_hash(place)[:16]}.json"


def read_journal(path: Path) -> dict[str, JournalEntry]:
    """The entries by the file's path in the worktree; none where there is no journal, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: JournalEntry(**record) for name, record in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_journal(journal: Path, root: Path, files: Sequence[ClientFile], steps: Sequence[FileStep]) -> None:
    """Note what the files say before the steps, so that they can say it again. Raises Invalid where that fails."""
    known = read_journal(journal)
    wanted = {root / file.path: file for file in files}
    for step in steps:
        if file := wanted.get(step.path):
            old = known.pop(file.path, None)
            if entry := _entry(file, step, old):
                known[file.path] = entry
    try:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = json.dumps({name: asdict(record) for name, record in known.items()}, indent=1)
        replace_file(journal, told, new_mode=0o600)
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


def _entry(file: ClientFile, step: FileStep, old: JournalEntry | None) -> JournalEntry | None:
    """What to note of a file before a step.

    None where part of us is in it, in a text that we did not write, and where a private one can do without.
    """
    own_folder = max(step.own_folders, old.own_folder if old else 0)
    after = [_hash(step.after or "")]
    if old and old.holds_for(step.before):
        return JournalEntry(before=old.before, after=[*after, _hash(step.before or "")], own_folder=own_folder)
    if step.before is None or (file.taken(step.before) == step.before and not _is_needless(file, step)):
        return JournalEntry(before=step.before, after=after, own_folder=own_folder)
    return None


def _is_needless(file: ClientFile, step: FileStep) -> bool:
    """Whether a private file needs no copy, as taking us out gives its text back; an empty text it does not."""
    return file.is_private and step.before != "" and file.taken(step.after or "") == step.before


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
