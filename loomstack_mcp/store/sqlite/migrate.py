"""Bring a SQLite file to this version's schema: numbered files, each applied once."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loomstack_mcp.store.plain import APPLICATION_ID
from loomstack_mcp.store.sqlite import gate
from loomstack_mcp.store.sqlite.backend import SqliteStore
from loomstack_mcp.store.sqlite.schema import is_current, newest, numbered


def migrating_store(path: Path, **options: Any) -> SqliteStore:
    """The store at `path`, made or brought to this version's schema when it is first used."""
    return SqliteStore(path, upgrade=migrate, **options)


def migrate(connection: sqlite3.Connection, path: Path, folder: Path) -> None:
    """Apply what is missing, all of it or nothing, behind the write gate.

    A file with an older schema is copied first, beside itself, while others go on writing. Raises StoreUnavailable for
    a foreign or a newer file.
    """
    if not path.stat().st_size:
        import sqlite_utils  # noqa: F401 some 110 ms, which nobody else should wait for at the gate
    version = newest(folder)
    with gate.passed(path.with_name(f"{path.name}-upgrade")):  # so that only one of those who come at once copies it
        if is_current(connection, version):
            return
        [found] = connection.execute("PRAGMA user_version").fetchone()
        if found:
            _back_up(connection, path, found)
        with gate.passed(gate.gate_beside(path)):
            _migrated(connection, folder)


def _migrated(connection: sqlite3.Connection, folder: Path) -> None:
    version = newest(folder)
    if is_current(connection, version):
        return
    [found] = connection.execute("PRAGMA user_version").fetchone()
    if not found:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, source in sorted(numbered(folder).items()):
            if number > found:
                for statement in _statements(source.read_text(encoding="utf-8")):
                    connection.execute(statement)
                _AFTER.get(source.stem, _nothing)(connection)
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
    from sqlite_utils import Database  # only a new file needs it

    notes = Database(connection, execute_plugins=False).table("note")
    notes.enable_fts(["text"], tokenize="porter unicode61", create_triggers=True)
    assert connection.in_transaction  # the migration is still all or nothing


def _nothing(_: sqlite3.Connection) -> None:
    """Most migrations are their SQL and no more."""


_AFTER: dict[str, Callable[[sqlite3.Connection], None]] = {"0001_core": _full_text}


def _statements(source: str) -> Iterator[str]:
    """Whole statements, triggers included; `executescript` would commit before each script."""
    statement = ""
    for line in source.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
