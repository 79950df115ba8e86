"""One transaction of PostgreSQL, as the seam wants it."""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection, RawCursor

from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Moment, Row, Statement, known_parameters
from loomstack_mcp.store.postgres.spelling import positional

REPOS = queries.statements("repos")
TupleRow = tuple[Any, ...]


class PostgresTx:
    """One open transaction on one connection."""

    def __init__(self, connection: "Connection[TupleRow]", moment: Moment) -> None:
        self.connection = connection
        self.moment = moment
        self.woken: dict[str, None] = {}
        """The sessions whose watchers look once this has committed."""
        self.has_written = False

    @property
    def now_ms(self) -> int:
        """Milliseconds since the epoch, by the database's clock."""
        return self.moment.now_ms

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """Every row the statement returns, in its order."""
        cursor = self._executed(statement, params)
        found = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]

    def run(self, statement: Statement, /, **params: Any) -> int:
        """How many rows the statement changed."""
        self.has_written = True
        return self._executed(statement, params).rowcount

    def later(self, statement: Statement, /, **params: Any) -> None:
        """A write whose count nobody needs."""
        self._executed(statement, params)

    def next_seq(self, repo_id: str, /) -> int:
        """Take the next sequence number of a repo."""
        [taken] = self.all(REPOS["next_seq"], repo_id=repo_id)
        return int(taken["seq"])

    def wake(self, session: str, /) -> None:
        """Once this has committed, whoever watches for that session looks what it is."""
        self.woken[session] = None

    def _executed(self, statement: Statement, params: Mapping[str, Any]) -> "RawCursor[TupleRow]":
        text, names = positional(statement.postgres or statement.text)
        known = known_parameters(self.moment, params)
        cursor = RawCursor(self.connection)
        cursor.execute(text.encode(), [known[name] for name in names])
        return cursor
