"""One transaction of SQLite, as the seam wants it."""

import sqlite3
from typing import Any

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Moment, Row, Statement, known_parameters

REPOS = queries.statements("repos")


class SqliteTx:
    """One open transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection, moment: Moment) -> None:
        self._connection = connection
        self._moment = moment
        self.now_ms = moment.now_ms
        """Milliseconds since the epoch."""
        self.woken: dict[str, None] = {}
        """The sessions for which a bell rings once this has committed."""

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """Every row the statement returns, in its order."""
        cursor = self._connection.execute(statement.text, known_parameters(self._moment, params))
        found = cursor.fetchall()
        if not found:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def last(self, statement: Statement, /, **params: Any) -> list[Row]:
        """As `all`."""
        return self.all(statement, **params)

    def ahead(self, statement: Statement, /, **params: Any) -> None:
        """Nothing: here it is asked in its turn."""

    def run(self, statement: Statement, /, **params: Any) -> int:
        """How many rows the statement changed."""
        return self._connection.execute(statement.text, known_parameters(self._moment, params)).rowcount

    def later(self, statement: Statement, refusal: LoomError | None = None, /, **params: Any) -> None:
        """At once: in one file there is nobody to wait for."""
        if not self.run(statement, **params) and refusal:
            raise refusal

    def next_seq(self, repo_id: str, /) -> int:
        """Take the next sequence number of a repo."""
        [taken] = self.all(REPOS["next_seq"], repo_id=repo_id)
        return int(taken["seq"])

    def wake(self, session: str, /) -> None:
        """Once this has committed, whoever watches for that session looks what it is."""
        self.woken[session] = None
