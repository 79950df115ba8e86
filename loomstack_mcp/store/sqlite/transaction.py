"""One transaction of SQLite, as the seam wants it."""

import sqlite3
from typing import Any

from loomstack_mcp.core.records import record
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Statement

REPOS = queries.statements("repos")


@record
class Moment:
    """The instant of a transaction, whose parts every statement may name as parameters.

    A lease that another boot wrote ends, by the clock of this one, at
    `expires_at_ms + wall_ahead_ms + :lease_ahead_ms`: at its end by the wall clock, and a margin.
    """

    now_ms: int
    """By the lease clock of this boot."""
    boot_id: str
    wall_ahead_ms: int
    """How far the wall clock is ahead of the lease clock."""
    lease_ahead_ms: int
    """How far the lease clock is ahead of the wall clock, and the margin for clocks that differ."""


class SqliteTx:
    """One open transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection, moment: Moment) -> None:
        self._connection = connection
        self._moment = vars(moment)
        self.now_ms = moment.now_ms
        """Milliseconds since the epoch."""
        self.woken: dict[str, None] = {}
        """The sessions for which a bell rings once this has committed."""

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """Every row the statement returns, in its order."""
        cursor = self._connection.execute(statement.text, {**self._moment, **params})
        found = cursor.fetchall()
        if not found:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def run(self, statement: Statement, /, **params: Any) -> int:
        """How many rows the statement changed."""
        return self._connection.execute(statement.text, {**self._moment, **params}).rowcount

    def later(self, statement: Statement, /, **params: Any) -> None:
        """At once: in one file there is nobody to wait for."""
        self._connection.execute(statement.text, {**self._moment, **params})

    def next_seq(self, repo_id: str, /) -> int:
        """Take the next sequence number of a repo."""
        [taken] = self.all(REPOS["next_seq"], repo_id=repo_id)
        return int(taken["seq"])

    def wake(self, session: str, /) -> None:
        """Once this has committed, whoever watches for that session looks what it is."""
        self.woken[session] = None
