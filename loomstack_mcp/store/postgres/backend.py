"""The PostgreSQL backend: one database, many processes on many machines, one writer at a time in each repo."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import Connection, errors
from psycopg.pq import TransactionStatus

from loomstack_mcp.core.errors import NotFound, StoreUnavailable
from loomstack_mcp.core.limits import (
    CONNECTIONS_MAX,
    GATE_WAIT_MS,
    OTHER_BOOT_MARGIN_MS,
    PRIVATE_CONNECTIONS_MAX,
    STILL_MS,
)
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Moment, Tx
from loomstack_mcp.store.postgres import schema as schemas
from loomstack_mcp.store.postgres.address import database_address
from loomstack_mcp.store.postgres.connections import Connections, session_settings
from loomstack_mcp.store.postgres.failures import explained_database
from loomstack_mcp.store.postgres.transaction import PostgresTx, TupleRow

POSTGRES = queries.statements("postgres")
SCHEMA = "loom"

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_BOOT = "postgres"
"""The database's clock is everybody's: there are no boots to tell apart."""
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
        url: str,
        *,
        schema: str = SCHEMA,
        wait_ms: int = GATE_WAIT_MS,
        still_ms: int = STILL_MS,
        connections_max: int = CONNECTIONS_MAX,
        clock_ms: Callable[[], int] | None = None,
        migrations: Path = schemas.FOLDER,
        upgrade: SchemaUpgrade = schemas.refuse_older_schema,
    ) -> None:
        """`clock_ms` stands for the database's clock where a test turns it."""
        self._url = url
        self.address = database_address(url)
        self._schema = schema
        settings = session_settings(schema, wait_ms=wait_ms, still_ms=still_ms)
        # Behind a pooler the next transaction is another's.
        local = "".join(f"SET LOCAL {name} = {value}; " for name, value in settings.items() if self.address.is_pooled)
        self._begin = {begin: f"{begin}; {local}{POSTGRES['began'].text}".encode() for begin in (_READ, _WRITE)}
        self._clock_ms = clock_ms
        self._migrations = migrations
        self._version = schemas.newest_schema(migrations)
        self._upgrade = upgrade
        self._connections = Connections(self.address, settings, most=connections_max, wait_ms=wait_ms)

    @contextmanager
    def read(self) -> Iterator[PostgresTx]:
        """One consistent snapshot."""
        with self._transaction(lambda connection: self._began(connection, _READ)) as tx:
            yield tx

    @contextmanager
    def write(self, repo_id: str | Callable[[Tx], str]) -> Iterator[PostgresTx]:
        """The lock of the repo, then the clock. Raises NotFound for a repo the store does not know."""
        with self._transaction(lambda connection: self._locked(connection, repo_id)) as tx:
            yield tx

    @contextmanager
    def append(self) -> Iterator[PostgresTx]:
        """A write that belongs to no repo yet, or needs no order within one."""
        with self._transaction(lambda connection: self._began(connection, _WRITE)) as tx:
            yield tx

    def private(self) -> "PostgresStore":
        """The schema `NAME_private` beside this one."""
        return PostgresStore(
            self._url,
            schema=f"{self._schema}_private",
            connections_max=PRIVATE_CONNECTIONS_MAX,
            clock_ms=self._clock_ms,
            migrations=schemas.PRIVATE_FOLDER,
            upgrade=self._upgrade,
        )

    def close(self) -> None:
        """Give back every connection."""
        self._connections.close()

    @contextmanager
    def _transaction(self, entered: "Callable[[Connection[TupleRow]], PostgresTx]") -> Iterator[PostgresTx]:
        with explained_database(self.address.shown):
            tx = self._entered(entered)
            try:
                yield tx
                self._commit(tx.connection)
            finally:
                self._leave(tx.connection)

    def _entered(self, entered: "Callable[[Connection[TupleRow]], PostgresTx]") -> PostgresTx:
        connection = self._connections.borrowed()
        for is_again in (False, True):
            try:
                return entered(connection)
            except BaseException as error:
                self._leave(connection)
                if is_again or not (isinstance(error, psycopg.OperationalError) and connection.closed):
                    raise
            connection = self._connections.borrowed(fresh=True)  # nothing was written yet
        raise AssertionError

    def _leave(self, connection: "Connection[TupleRow]") -> None:
        try:
            status = connection.info.transaction_status
            if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                connection.execute("ROLLBACK")
        except psycopg.OperationalError:
            pass  # a transaction whose connection is lost was rolled back by that
        finally:
            self._connections.give_back(connection)

    def _commit(self, connection: "Connection[TupleRow]") -> None:
        try:
            done = connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            raise StoreUnavailable(
                f"store {self.address.shown}: the connection was lost at the very end of a change, which may or "
                "may not have been made: look before you do it again"
            ) from error
        if done != "COMMIT":
            raise StoreUnavailable(f"store {self.address.shown}: a statement failed, so that nothing was written")

    def _locked(self, connection: "Connection[TupleRow]", repo_id: str | Callable[[Tx], str]) -> PostgresTx:
        for _ in range(_ROUNDS_MAX):
            asked = self._began(connection, _WRITE)
            wanted = repo_id(asked) if callable(repo_id) else repo_id
            if asked.has_written:  # a repo's name, before the repo's lock, which others take in the other order
                self._commit(connection)
                asked = self._began(connection, _WRITE)
            found = asked.all(POSTGRES["lock"], repo_id=wanted)
            if not found:
                raise NotFound(f"repository {wanted} is unknown; start_run in it first")
            tx = PostgresTx(connection, self._moment(found[0]["clock_ms"], floor_ms=found[0]["now_ms"]))
            if not callable(repo_id) or repo_id(tx) == wanted:
                return tx
            connection.execute("ROLLBACK")
        raise StoreUnavailable(f"store {self.address.shown}: what this is about moves all the time; try again")

    def _began(self, connection: "Connection[TupleRow]", begin: str) -> PostgresTx:
        try:
            version, clock_ms = self._asked(connection, begin)
        except errors.UndefinedTable:
            version, clock_ms = -1, 0
        if not schemas.is_current_schema(version, self._version):
            connection.execute("ROLLBACK")
            self._upgrade(connection, self._schema, self._migrations)
            version, clock_ms = self._asked(connection, begin)
        return PostgresTx(connection, self._moment(clock_ms, floor_ms=0))

    def _asked(self, connection: "Connection[TupleRow]", begin: str) -> tuple[int, int]:
        cursor = connection.execute(self._begin[begin], prepare=False)
        while cursor.nextset():
            pass
        [(version, clock_ms)] = cursor.fetchall()
        return version, clock_ms

    def _moment(self, clock_ms: int, *, floor_ms: int) -> Moment:
        now_ms = max(self._clock_ms() if self._clock_ms else clock_ms, floor_ms)
        return Moment(now_ms=now_ms, boot_id=_BOOT, wall_ahead_ms=0, lease_ahead_ms=OTHER_BOOT_MARGIN_MS)
