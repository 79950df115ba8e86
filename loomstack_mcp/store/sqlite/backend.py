"""The SQLite backend: one file, many processes, one writer at a time."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from loomstack_mcp.core.errors import NotFound, StoreUnavailable
from loomstack_mcp.core.limits import BUSY_WAIT_MS
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Statement
from loomstack_mcp.store.sqlite import gate, schema
from loomstack_mcp.store.sqlite.clock import Clock, machine

BOOT = queries.statements("boot")
REPOS = queries.statements("repos")

_OLDEST = (3, 37)  # STRICT tables
_ADVICE = {
    "SQLITE_FULL": "the disk is full; free some space and try again",
    "SQLITE_READONLY": "the file or its folder is read-only; change that, or choose another path with --store",
    "SQLITE_BUSY": "another program holds a lock on it; close that program (a database browser?) and try again",
    "SQLITE_CANTOPEN": "it cannot be opened; check that its folder exists and that you may write there",
    "SQLITE_NOTADB": "it is no SQLite database; choose another path with --store or LOOMSTACK_STORE",
    "SQLITE_CORRUPT": "it is damaged; `loomstack-mcp db check` says where, and backups lie beside it",
    "SQLITE_IOERR": "the disk failed to read or write; check it, then try again",
    "SQLITE_PERM": "you may not open it; check its permissions",
}


Upgrade = Callable[[sqlite3.Connection, Path, Path], None]
"""What to do, behind the gate, with a file that is new or has an older schema than the migrations in a folder."""


class SqliteTx:
    """One open transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection, now_ms: int) -> None:
        self._connection = connection
        self.now_ms = now_ms

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        return self._connection.execute(statement.text, params).fetchall()

    def run(self, statement: Statement, /, **params: Any) -> int:
        return self._connection.execute(statement.text, params).rowcount


class SqliteStore:
    """A SQLite file in WAL mode. Nothing is opened or written before the first transaction.

    Every sqlite3 error leaves as StoreUnavailable: it says what is wrong with which file and what
    helps, and the transaction is rolled back.
    """

    def __init__(
        self,
        path: Path,
        *,
        full_sync: bool = False,
        clock: Clock | None = None,
        migrations: Path = schema.FOLDER,
        upgrade: Upgrade = schema.refuse_older,
    ) -> None:
        self.path = path
        self._gate = gate.beside(path)
        self._synchronous = "FULL" if full_sync else "NORMAL"
        self._clock = clock or machine()
        self._migrations = migrations
        self._version = schema.newest(migrations)
        self._upgrade = upgrade
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._base_ms: int | None = None
        self._inode: int | None = None

    @contextmanager
    def read(self) -> Iterator[SqliteTx]:
        with self._transaction("BEGIN") as connection:
            yield SqliteTx(connection, self._now_ms())

    @contextmanager
    def write(self, repo_id: str) -> Iterator[SqliteTx]:
        with self._writing() as tx:
            if not tx.all(REPOS["get"], repo_id=repo_id):
                raise NotFound(f"repository {repo_id} is unknown; start_run in it first")
            yield tx

    @contextmanager
    def append(self) -> Iterator[SqliteTx]:
        with self._writing() as tx:
            yield tx

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        if not idle:
            return
        # The last connection to close checkpoints the log, which must not meet another writer.
        with self._explained(), gate.passed(self._gate):
            for connection in idle:
                connection.close()

    @contextmanager
    def _writing(self) -> Iterator[SqliteTx]:
        with self._explained():
            self._borrowed_once()
            with gate.passed(self._gate), self._transaction("BEGIN IMMEDIATE") as connection:
                [version] = connection.execute("PRAGMA user_version").fetchone().values()
                schema.refuse_newer(version, self._version)
                yield SqliteTx(connection, self._now_ms())

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._explained():
            connection = self._borrowed()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                with self._lock:
                    self._idle.append(connection)

    def _refuse_moved(self) -> None:
        """Raises StoreUnavailable where the path leads to another file by now, which others would write to."""
        try:
            found = self.path.stat().st_ino
        except OSError:
            found = None
        if found != self._inode:
            raise StoreUnavailable(
                f"{self.path} was moved, removed or replaced while it was open; put it back, or restart the session"
            )

    def _now_ms(self) -> int:
        assert self._base_ms is not None  # set when the first connection was opened
        return self._base_ms + self._clock.boot_ms()

    def _borrowed_once(self) -> None:
        """Open and migrate before the gate is taken: migrating takes the gate itself."""
        connection = self._borrowed()
        with self._lock:
            self._idle.append(connection)

    def _borrowed(self) -> sqlite3.Connection:
        if self._inode is not None:
            self._refuse_moved()
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        self._prepare_file()
        connection = sqlite3.connect(
            self.path,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_WAIT_MS / 1000,
            cached_statements=256,
        )
        try:
            if not schema.is_current(connection, self._version):
                self._upgrade(connection, self.path, self._migrations)
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.row_factory = _named
            if self._base_ms is None:
                self._inode = self.path.stat().st_ino
                self._base_ms = self._boot_base_ms(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_file(self) -> None:
        """A private file in a private folder; refuse what is no regular file before it can hang."""
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreUnavailable(
                f"SQLite {sqlite3.sqlite_version} is too old; LoomStack needs 3.37: use a newer Python"
            )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.path.exists() and not stat.S_ISREG(self.path.stat().st_mode):
                raise StoreUnavailable(f"{self.path} is no file; choose another path with --store or LOOMSTACK_STORE")
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise StoreUnavailable(
                f"cannot make {self.path}: {why}; choose another path with --store or LOOMSTACK_STORE"
            ) from None

    def _boot_base_ms(self, connection: sqlite3.Connection) -> int:
        """The base of this boot's clock; the first process of a boot ends what the last boot held."""
        boot_id = self._clock.boot_id
        known = SqliteTx(connection, 0).all(BOOT["base"], boot_id=boot_id)
        if known:
            return int(known[0]["base_ms"])
        with gate.passed(self._gate), closing(connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                tx = SqliteTx(connection, self._clock.wall_ms())
                if not (known := tx.all(BOOT["base"], boot_id=boot_id)):
                    if tx.all(BOOT["begun"]):
                        tx.run(BOOT["jump"])
                        tx.run(BOOT["end_leases"], now_ms=tx.now_ms)
                    tx.run(BOOT["begin"], boot_id=boot_id, base_ms=tx.now_ms - self._clock.boot_ms())
                    known = tx.all(BOOT["base"], boot_id=boot_id)
                cursor.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    cursor.execute("ROLLBACK")
        return int(known[0]["base_ms"])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a constraint that our own code broke is a bug, not the store's state
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "") or ""
            advice = next((text for prefix, text in _ADVICE.items() if name.startswith(prefix)), None)
            if advice is None:
                raise
            raise StoreUnavailable(f"store {self.path}: {advice}. Nothing was written") from error
        except OSError as error:
            if error.filename is None or str(error.filename) != str(self._gate):
                raise
            raise StoreUnavailable(f"store {self.path}: {error.strerror}; its folder must be writable") from None


def _named(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip((column[0] for column in cursor.description), row, strict=True))
