"""The SQLite backend: one file, many processes, one writer at a time."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loomstack_mcp.core.errors import NotFound, StoreUnavailable
from loomstack_mcp.core.limits import BUSY_WAIT_MS, GATE_WAIT_MS
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Moment, Tx
from loomstack_mcp.store.bells import ring
from loomstack_mcp.store.sqlite import gate, schema
from loomstack_mcp.store.sqlite.boot import BootBase, drawn_boot, known_boot, moment_of, used_boot
from loomstack_mcp.store.sqlite.clock import Clock, machine
from loomstack_mcp.store.sqlite.failures import explained
from loomstack_mcp.store.sqlite.file import prepare_file, refuse_moved
from loomstack_mcp.store.sqlite.transaction import SqliteTx

REPOS = queries.statements("repos")

LOG_BYTES_MAX = 16_000_000
"""So large the log stays once all that stood in it is in the file: a long reader, a backup say, lets it grow."""

Upgrade = Callable[[sqlite3.Connection, Path, Path], None]
"""What to do, behind the gate, with a file that is new or has an older schema than the migrations in a folder."""


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
        gate_wait_ms: int = GATE_WAIT_MS,
        clock: Clock | None = None,
        migrations: Path = schema.FOLDER,
        upgrade: Upgrade = schema.refuse_older,
    ) -> None:
        self.path = path
        self._gate = gate.gate_beside(path)
        self._gate_wait_ms = gate_wait_ms
        self._synchronous = "FULL" if full_sync else "NORMAL"
        self._clock = clock or machine()
        self._migrations = migrations
        self._version = schema.newest(migrations)
        self._upgrade = upgrade
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._boot: BootBase | None = None
        self._inode: int | None = None

    @contextmanager
    def read(self) -> Iterator[SqliteTx]:
        """One consistent snapshot."""
        with self._connection() as connection, self._transaction(connection, "BEGIN"):
            yield SqliteTx(connection, self._moment(connection))

    @contextmanager
    def write(self, repo_id: str | Callable[[Tx], str]) -> Iterator[SqliteTx]:
        """The lock of the repo, then the clock. Raises NotFound for a repo the store does not know."""
        with self._writing() as tx:  # in one file the lock of any repo is that of all, so that one question is enough
            if callable(repo_id):
                repo_id(tx)
            elif not tx.all(REPOS["get"], repo_id=repo_id):
                raise NotFound(f"repository {repo_id} is unknown; start_run in it first")
            yield tx

    @contextmanager
    def append(self) -> Iterator[SqliteTx]:
        """A write that belongs to no repo yet, or needs no order within one."""
        with self._writing() as tx:
            yield tx

    def private(self) -> "SqliteStore":
        """The file `NAME-private.db` beside this one. What it is told survives a power cut."""
        beside = self.path.with_name(f"{self.path.stem}-private{self.path.suffix}")
        folder = schema.PRIVATE_FOLDER
        return SqliteStore(beside, full_sync=True, clock=self._clock, migrations=folder, upgrade=self._upgrade)

    @contextmanager
    def listening(self, _: str, news: threading.Event | None = None, /) -> Iterator[threading.Event]:
        """Never set: to look at the file costs a twentieth of a millisecond."""
        yield news or threading.Event()

    @property
    def tells_news(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Give back every connection. What was read or written before stands, so that this raises nothing."""
        with self._lock:
            idle, self._idle = self._idle, []
        if not idle:
            return
        # The last connection to close checkpoints the log, which must not meet another writer. Who holds the gate has
        # the file open, so that ours is not the last; nor can it checkpoint where we may not write. So nobody waits.
        with contextlib.ExitStack() as entered:
            with contextlib.suppress(StoreUnavailable), explained(self.path, self._gate):
                entered.enter_context(gate.passed(self._gate, wait_ms=0))
            for connection in idle:
                connection.close()

    @contextmanager
    def _writing(self) -> Iterator[SqliteTx]:
        with (
            self._connection() as connection,  # before the gate: bringing the file to its schema takes it, too
            gate.passed(self._gate, wait_ms=self._gate_wait_ms),
            self._transaction(connection, "BEGIN IMMEDIATE"),
        ):
            boot = used_boot(connection, self._clock, self._boot)
            tx = SqliteTx(connection, moment_of(self._clock, boot))
            yield tx
        self._boot = boot
        for session in tx.woken:
            ring(str(self.path), session)

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection, begin: str) -> Iterator[None]:
        self._refuse_moved()
        connection.execute(begin)
        try:
            [version] = connection.execute("PRAGMA user_version").fetchone()
            schema.refuse_newer(version, self._version)
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path, self._gate):
            connection = self._borrowed()
            try:
                yield connection
            finally:
                with self._lock:
                    self._idle.append(connection)

    def _moment(self, connection: sqlite3.Connection) -> Moment:
        self._boot = self._boot or known_boot(connection, self._clock)
        return moment_of(self._clock, self._boot or drawn_boot(connection, self._clock))

    def _refuse_moved(self) -> None:
        if self._inode is not None:
            refuse_moved(self.path, self._inode)

    def _borrowed(self) -> sqlite3.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        self._refuse_moved()
        prepare_file(self.path)
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
            connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES_MAX}")
            if self._inode is None:
                self._inode = self.path.stat().st_ino
        except BaseException:
            connection.close()
            raise
        return connection
