"""What an admin does with a SQLite store: check, back up, export, query; and leave nothing of what was erased."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.store.base import Row
from loomstack_mcp.store.exports import (
    LOGS,
    READ_ONLY,
    TOO_LONG,
    VIEWS,
    Health,
    created_file,
    made_folder,
    other_schema,
    write_lines,
)
from loomstack_mcp.store.sqlite import gate, schema
from loomstack_mcp.store.sqlite.space import log_given_back, space_of

if TYPE_CHECKING:
    from sqlite_utils import Database

_PRIMARY = 0xFF
"""The part of SQLite's result codes that says what kind it is."""
_STEPS = 1_000
"""SQLite asks for leave to go on every so many steps of its machine."""


def check(path: Path) -> Health:
    """Read every page and every index. Raises StoreUnavailable where that is not even possible."""
    with _opened(path) as db:
        problems = [str(row["integrity_check"]) for row in db.query("PRAGMA integrity_check(20)")]
        problems = [] if problems == ["ok"] else problems
        problems += [f"{row['table']}: a row points nowhere" for row in db.query("PRAGMA foreign_key_check")]
        [found] = (int(row["user_version"]) for row in db.query("PRAGMA user_version"))
        if found != schema.newest():
            problems.append(other_schema(found, schema.newest()))
    space = space_of(path)
    return Health(
        ok=not problems,
        schema=found,
        size_bytes=space.file_bytes,
        log_bytes=space.log_bytes,
        free_bytes=space.free_bytes,
        problems=tuple(problems[:20]),
    )


def back_up(path: Path, target: Path, *, is_private: bool = False) -> int:
    """Write one consistent copy while others go on working; returns its size in bytes. Never overwrites."""
    with _opened(path, schema.PRIVATE_FOLDER if is_private else schema.FOLDER) as db, created_file(target):
        db.execute("VACUUM INTO ?", [str(target)])
    log_given_back(path)  # which grows as long as it is read
    return target.stat().st_size


def scrub(path: Path) -> tuple[str, ...]:
    """What was erased is in no page of the file any more, nor in its log; returns where it may be still.

    The file is written anew while others wait. Copies that were made of it are not touched.
    """
    left = [f"{copy} is an older copy" for copy in sorted(path.parent.glob(f"{path.name}.*.backup"))]
    beside = path.with_name(f"{path.stem}-private{path.suffix}")
    for file in (path, beside) if beside.exists() else (path,):
        if busy := _rewritten(file, has_words=file == path):
            left.append(f"{file} and its -wal ({busy}); once that is over: loomstack-mcp forget --free")
    return tuple(left)


def _rewritten(path: Path, *, has_words: bool) -> str:
    """The file is written anew, and its log is empty; else why not."""
    with gate.passed(gate.gate_beside(path)), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            if has_words:
                connection.execute("INSERT INTO note_fts (note_fts) VALUES ('rebuild')")
            connection.execute("VACUUM")
            [is_busy] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[:1]
        except sqlite3.Error as error:  # a disk that is full, a reader that does not end
            return str(error)
    return "somebody reads it just now" if is_busy else ""


def export(path: Path, folder: Path) -> dict[str, int]:
    """One file of JSON lines for each public view and log; returns how many lines each has. Never overwrites."""
    counts = {}
    with _opened(path) as db:
        made_folder(folder)
        db.execute("BEGIN")
        for name in (*VIEWS, *LOGS):
            counts[name] = write_lines(folder / f"{name}.jsonl", db[name].rows)
    return counts


def table_names(path: Path) -> tuple[str, ...]:
    """Every table of the file, which are private, all of them: what is public are views."""
    with _opened(path) as db:
        return tuple(db.table_names())


def query(path: Path, sql: str, *, limit: int, may_go_on: Callable[[], bool]) -> tuple[Sequence[Row], bool]:
    """The first rows of a SELECT, and whether there are more. The file is opened read-only.

    Raises Invalid for SQL that does not run, or that `may_go_on` ends.
    """
    with _opened(path) as db:
        db.conn.set_progress_handler(lambda: not may_go_on(), _STEPS)
        try:
            found = db.query(sql)
            rows = [row for row, _ in zip(found, range(limit + 1), strict=False)]
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise Invalid(f"{_why_not(error)}; the views are {', '.join(VIEWS)}") from None
    return rows[:limit], len(rows) > limit


def _why_not(error: Exception) -> str:
    """Why a query did not run, for whoever typed it."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    # What returns no rows, a ValueError of sqlite_utils, is a write or nothing at all.
    if code == sqlite3.SQLITE_READONLY or isinstance(error, ValueError):
        return READ_ONLY
    if code == sqlite3.SQLITE_INTERRUPT:
        return TOO_LONG
    return str(error)


@contextmanager
def _opened(path: Path, migrations: Path = schema.FOLDER) -> "Iterator[Database]":
    from sqlite_utils import Database  # some 110 ms, which only these commands need

    if not path.is_file():
        raise StoreUnavailable(f"there is no store at {path}; the first session makes it")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=2)
        try:
            schema.is_current(connection, schema.newest(migrations))
            yield Database(connection, execute_plugins=False)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & _PRIMARY == sqlite3.SQLITE_BUSY:
            raise StoreUnavailable(f"{path}: another program keeps it locked; try again when that is done") from None
        raise StoreUnavailable(f"{path}: {error}; the newest *.backup beside it is the last good copy") from None
