"""Writes the clients' files: planned first, all or none, and undone byte for byte."""

import contextlib
import hashlib
import json
import os
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loomstack_mcp.core.clientfiles import ClientFile
from loomstack_mcp.core.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class Step:
    """One file as it is, and as it is to be; None is no file."""

    path: Path
    before: str | None
    after: str | None


def planned(root: Path, files: Sequence[ClientFile]) -> tuple[Step, ...]:
    """What has to change so that we are in these files. Raises Invalid, naming what stands in the way."""
    steps = [_step(root / file.path, before := _text(root / file.path), file.put(before or "")) for file in files]
    return tuple(step for step in steps if step.before != step.after)


def planned_removal(root: Path, files: Sequence[ClientFile], journal: Path) -> tuple[Step, ...]:
    """What has to change so that we are not: the text from before us where nothing else changed since."""
    known = _journal(journal)
    steps = []
    for file in files:
        path = root / file.path
        before = _text(path)
        record = known.get(os.path.relpath(path, root))
        untouched = record is not None and before is not None and record["after"] == _hash(before)
        after = record["before"] if record and untouched else file.taken(before or "")
        steps.append(_step(path, before, after))
    return tuple(step for step in steps if step.before != step.after)


def carried_out(steps: Sequence[Step]) -> None:
    """Write every file, or none: what was written is put back when a later one fails."""
    done: list[Step] = []
    try:
        for step in steps:
            _write(step.path, step.after)
            done.append(step)
    except OSError as error:
        for step in done:
            with contextlib.suppress(OSError):
                _write(step.path, step.before)
        raise Invalid(f"cannot write {error.filename or ''}: {error.strerror}; nothing was changed") from None


def remember(journal: Path, root: Path, steps: Sequence[Step]) -> None:
    """Note what the files said before us, so that they can say it again."""
    known = _journal(journal)
    for step in steps:
        name = os.path.relpath(step.path, root)
        first = known.get(name, {"before": step.before})["before"]
        known[name] = {"before": first, "after": _hash(step.after or "")}
    journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(journal, json.dumps(known, ensure_ascii=False, indent=1))


def journal_of(home: Path, root: Path) -> Path:
    """Where the texts from before us are kept, for one worktree."""
    return home / "init" / f"{_hash(str(root))[:16]}.json"


def _step(path: Path, before: str | None, after: str | None) -> Step:
    after = after or None
    if after is not None and path.suffix == ".toml":
        try:
            tomllib.loads(after)
        except tomllib.TOMLDecodeError as error:
            raise Invalid(
                f"{path.name} would not be valid TOML ({error}); mend the file first, nothing was changed"
            ) from None
    return Step(path=path, before=before, after=after)


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {path}: {type(error).__name__}; nothing was changed") from None


def _write(path: Path, text: str | None) -> None:
    """Replace a file at once, or remove it together with the folders it leaves empty. A link stays a link."""
    path = Path(os.path.realpath(path))
    if text is None:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only", str(path))
    with _beside(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
        temporary.chmod(mode)
        temporary.replace(path)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _journal(path: Path) -> dict[str, dict[str, str | None]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
