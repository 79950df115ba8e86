"""The PostgreSQL backend: one database, many processes on many machines, one writer at a time in each repo."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
from psycopg import Connection, errors

from loomstack_mcp.core.errors import NotFound, StoreUnavailable
from loomstack_mcp.core.limits import ANSWER_MS, CONNECTIONS_MAX, GATE_WAIT_MS, PRIVATE_CONNECTIONS_MAX, STILL_MS
from loomstack_mcp.store.base import Row, Tx
from loomstack_mcp.store.postgres import schema as schemas
from loomstack_mcp.store.postgres.address import DatabaseAddress, database_address
from loomstack_mcp.store.postgres.bells import CHANNEL, DatabaseBells
from loomstack_mcp.store.postgres.connections import Connections, session_settings
from loomstack_mcp.store.postgres.failures import explained_database
from loomstack_mcp.store.postgres.line import DatabaseLine, TupleRow
from loomstack_mcp.store.postgres.spelling import positional
from loomstack_mcp.store.postgres.transaction import POSTGRES, PostgresTx

SCHEMA = "loom"

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_ROUNDS_MAX = 10

SchemaUpgrade = Callable[["Connection[TupleRow]", str, Path], None]
"""What to do with a schema that is not there, or older than the migrations in a folder."""


class PostgresStore:
    """A schema of a PostgreSQL database. Nothing is opened or written before the first transaction.

    Every error of the database or the network leaves as StoreUnavailable, and the transaction is rolled back. A
    connection that was lost while nothing was written is opened anew, once.
    """

    def __init__(
        self,
        url: str | DatabaseAddress,
        *,
        schema: str = SCHEMA,
        wait_ms: int = GATE_WAIT_MS,
        still_ms: int = STILL_MS,
        answer_ms: int = ANSWER_MS,
        connections_max: int = CONNECTIONS_MAX,
        clock_ms: Callable[[], int] | None = None,
        migrations: Path = schemas.FOLDER,
        upgrade: SchemaUpgrade = schemas.refuse_older_schema,
    ) -> None:
        """`clock_ms` stands for the database's clock where a test turns it."""
        self.address = url if isinstance(url, DatabaseAddress) else database_address(url)
        self._schema = schema
        settings = session_settings(schema, wait_ms=wait_ms, still_ms=still_ms)
        # Behind a pooler the next transaction is another's.
        local = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
        self._settings = [f"SELECT {local}"] if self.address.is_pooled else []
        self._clock_ms = clock_ms
        self._migrations = migrations
        self._version = schemas.newest_schema(migrations)
        self._upgrade = upgrade
        self._connections = Connections(
            self.address, settings, self._opened, most=connections_max, wait_ms=wait_ms, answer_ms=answer_ms
        )
        self._bells = DatabaseBells(self.address, self._notify)

    @contextmanager
    def read(self) -> Iterator[PostgresTx]:
        """One consistent snapshot."""
        with self._transaction(_READ) as tx:
            yield tx

    @contextmanager
    def write(self, repo_id: str | Callable[[Tx], str]) -> Iterator[PostgresTx]:
        """The lock of the repo, then the clock. Raises NotFound for a repo the store does not know."""
        with self._transaction(_WRITE, repo_id) as tx:
            yield tx

    @contextmanager
    def append(self) -> Iterator[PostgresTx]:
        """A write that belongs to no repo yet, or needs no order within one."""
        with self._transaction(_WRITE) as tx:
            yield tx

    def private(self) -> "PostgresStore":
        """The schema `NAME_private` of the same database."""
        return PostgresStore(
            self.address,
            schema=f"{self._schema}_private",
            connections_max=PRIVATE_CONNECTIONS_MAX,
            clock_ms=self._clock_ms,
            migrations=schemas.PRIVATE_FOLDER,
            upgrade=self._upgrade,
        )

    def listening(self, name: str, news: threading.Event | None = None, /) -> AbstractContextManager[threading.Event]:
        """An event that is set within a tenth of a second, from whichever process; never behind a pooler."""
        return self._bells.listening(name, news)

    @property
    def tells_news(self) -> bool:
        """Whether the database is listened to: whoever listens has it begun."""
        return self._bells.is_heard

    def close(self) -> None:
        """Give back every connection."""
        self._bells.close()
        self._connections.close()

    @contextmanager
    def _transaction(self, begin: str, repo_id: str | Callable[[Tx], str] = "") -> Iterator[PostgresTx]:
        with explained_database(self.address.shown):
            lines = [self._connections.borrowed()]

            def reconnected() -> DatabaseLine:
                self._connections.give_back(lines.pop())
                lines.append(self._connections.borrowed(fresh=True))
                return lines[0]

            def begun() -> PostgresTx:
                return PostgresTx(lines[0], [begin, *self._settings], now_ms=self._now_ms, reconnected=reconnected)

            try:
                tx = self._locked(begun, repo_id) if repo_id else begun()
                yield tx
                self._commit(tx)
            finally:
                for line in lines:
                    line.give_up()
                    self._connections.give_back(line)
        self._bells.tell((*tx.woken, *tx.numbered))

    def _locked(self, begun: Callable[[], PostgresTx], repo_id: str | Callable[[Tx], str]) -> PostgresTx:
        for _ in range(_ROUNDS_MAX):
            tx = begun()
            wanted = repo_id(tx) if callable(repo_id) else repo_id
            if tx.has_written:  # a repo's name, before the repo's lock, which others take in the other order
                self._commit(tx)
                tx = begun()
            if tx.locked(wanted):
                if not callable(repo_id) or repo_id(tx) == wanted:
                    return tx
            elif not callable(repo_id):
                raise NotFound(f"repository {wanted} is unknown; start_run in it first")
            tx.line.give_up()  # what was asked has another answer by now
        raise StoreUnavailable(f"store {self.address.shown}: what this is about moves all the time; try again")

    def _notify(self, text: str) -> None:
        with self.append() as tx:
            tx.later(POSTGRES["notify"], channel=CHANNEL, text=text)

    def _commit(self, tx: PostgresTx) -> None:
        try:
            is_done = tx.commit()
        except psycopg.OperationalError as error:
            if not tx.line.is_lost:  # the server refused what was written
                raise
            raise StoreUnavailable(
                f"store {self.address.shown}: the connection was lost at the very end of a change, which may or "
                "may not have been made: look before you do it again"
            ) from error
        if not is_done:
            raise StoreUnavailable(f"store {self.address.shown}: a statement failed, so that nothing was written")

    def _opened(self, line: DatabaseLine) -> None:
        """A schema that is older, or not there, is brought to this version, or refused."""
        began = positional(POSTGRES["began"].text)[0]
        try:
            answers = line.sent([(text, ()) for text in (_READ, *self._settings, began)])
            version = line.rows(began, answers[-1])[0]["version"]
        except errors.UndefinedTable:
            version = -1
        line.give_up()
        if not schemas.is_current_schema(version, self._version):
            self._upgrade(line.connection, self._schema, self._migrations)

    def _now_ms(self, told: Row) -> int:
        """The instant of a transaction. Raises StoreUnavailable where the schema is not this version's any more."""
        version = told.get("version", self._version)
        if not schemas.is_current_schema(version, self._version):
            raise StoreUnavailable(f"store {self.address.shown} has the schema {version} by now; open it once more")
        clock_ms = self._clock_ms() if self._clock_ms else int(told["clock_ms"])
        return max(clock_ms, int(told.get("now_ms", 0)))
