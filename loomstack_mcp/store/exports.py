"""What an admin takes out of a store, whichever it is: what is public of it, files that are new, what a check found."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record

VIEWS = (
    *("v_live", "v_runs", "v_claims", "v_decisions", "v_approvals", "v_conflicts", "v_trace", "v_loop_health"),
    "v_usage",
)
LOGS = ("note", "outcome", "event")
READ_ONLY = "the store is read only here and nothing was changed: give one SELECT"
TOO_LONG = "the query took too long and was ended; narrow it with WHERE"


@record
class Health:
    """What a full check of a store found."""

    ok: bool
    schema: int
    size_bytes: int
    log_bytes: int
    """Of the log beside a file; 0 where there is none."""
    free_bytes: int
    """Of the file, in which nothing is."""
    problems: tuple[str, ...]


def other_schema(found: int, newest: int, /) -> str:
    """The problem of a store that another version wrote last, and what mends it."""
    if found > newest:
        return f"schema {found}; this version has {newest}: install the newer loomstack-mcp"
    return (
        f"schema {found}; this version has {newest}: nothing is lost, and the next session upgrades it, "
        "as `loomstack-mcp runs` does now"
    )


def made_folder(folder: Path) -> None:
    """Make it where it is missing. Raises Invalid where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"cannot make {folder}: {error.strerror}; choose a new folder where you may write") from None


@contextmanager
def created_file(target: Path) -> Iterator[None]:
    """A new private file, taken away again when writing it fails. Raises Invalid where there is one."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise Invalid(f"cannot write {target}: {error.strerror}; choose a new name in a folder of yours") from None
    try:
        yield
    except BaseException:
        target.unlink()
        raise


def write_lines(target: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Rows as JSON lines in a new file; returns how many."""
    count = 0
    with created_file(target), target.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count
