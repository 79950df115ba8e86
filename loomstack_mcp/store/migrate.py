"""Bring a SQLite file to this version's schema: numbered files, each applied once."""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from loomstack_mcp.core.errors import StoreUnavailable

APPLICATION_ID = 0x4C4F4F4D
"""`LOOM`, in the file's header."""
FOLDER = Path(__file__).parent / "sql" / "sqlite"
_NUMBER = re.compile(r"^(\d{4})_\w+\.sql$")


def newest(folder: Path = FOLDER) -> int:
    """The version that the migrations in `folder` lead to."""
    return max(_numbered(folder))


def is_current(connection: sqlite3.Connection, version: int) -> bool:
    """Whether the file has exactly this version. Raises StoreUnavailable for a foreign or a newer file."""
    [found] = connection.execute("PRAGMA user_version").fetchone()
    [owner] = connection.execute("PRAGMA application_id").fetchone()
    [tables] = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (tables or found):
        raise StoreUnavailable(
            "the file is another program's database, not a LoomStack store; "
            "choose another path with --store or LOOMSTACK_STORE"
        )
    refuse_newer(found, version)
    return bool(found == version)


def refuse_newer(found: int, version: int) -> None:
    """Raises StoreUnavailable where a newer LoomStack has upgraded the file."""
    if found > version:
        raise StoreUnavailable(
            f"the store has schema {found}, this version knows {version}; "
            "run `pip install --upgrade loomstack-mcp` and restart the session"
        )


def migrate(connection: sqlite3.Connection, path: Path, folder: Path = FOLDER) -> None:
    """Apply what is missing, all of it or nothing. The caller holds the write gate.

    A file with an older schema is copied first, beside itself. Raises StoreUnavailable for a
    foreign or a newer file.
    """
    version = newest(folder)
    if is_current(connection, version):
        return
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if found:
        _back_up(connection, path, found)
    else:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, source in sorted(_numbered(folder).items()):
            if number > found:
                for statement in _statements(source.read_text(encoding="utf-8")):
                    connection.execute(statement)
                _AFTER.get(number, _nothing)(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    copy = path.with_name(f"{path.name}.v{version}-{stamp}.backup")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # VACUUM INTO accepts an empty file
    connection.execute("VACUUM INTO ?", (str(copy),))


def _full_text(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database  # some 110 ms, and only a new file needs it

    notes = Database(connection, execute_plugins=False).table("note")
    notes.enable_fts(["text"], tokenize="porter unicode61", create_triggers=True)
    assert connection.in_transaction  # the migration is still all or nothing


def _nothing(_: sqlite3.Connection) -> None:
    """Most migrations are their SQL and no more."""


_AFTER: dict[int, Callable[[sqlite3.Connection], None]] = {1: _full_text}


def _numbered(folder: Path) -> dict[int, Path]:
    return {int(match[1]): file for file in folder.iterdir() if (match := _NUMBER.match(file.name))}


def _statements(source: str) -> Iterator[str]:
    """Whole statements, triggers included; `executescript` would commit before each script."""
    statement = ""
    for line in source.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
