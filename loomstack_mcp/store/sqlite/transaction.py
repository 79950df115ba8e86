"""One transaction of SQLite, as the seam wants it."""

import sqlite3
from typing import Any

from loomstack_mcp.store.base import Row, Statement


class SqliteTx:
    """One open transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection, now_ms: int) -> None:
        self._connection = connection
        self.now_ms = now_ms
        """Milliseconds since the epoch."""

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """Every row the statement returns, in its order."""
        return self._connection.execute(statement.text, params).fetchall()

    def run(self, statement: Statement, /, **params: Any) -> int:
        """How many rows the statement changed."""
        return self._connection.execute(statement.text, params).rowcount
