"""Very many rows of one transaction, written as they come."""

from collections.abc import Iterable, Mapping
from typing import Any

from loomstack_mcp.store.base import Statement, Tx

_TOGETHER = 500


def write_rows(tx: Tx, statement: Statement, rows: Iterable[Mapping[str, Any]], /) -> None:
    """Each row by the statement, some hundred in one round trip.

    All of them kept for one would fill the memory, and a database ends who stands still in a change meanwhile.
    """
    for at, row in enumerate(rows, start=1):
        (tx.later if at % _TOGETHER else tx.run)(statement, **row)
