"""What an admin does with a PostgreSQL store: check, export, query. Never writes to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, RawCursor, errors
from psycopg.rows import dict_row

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Statement
from loomstack_mcp.store.exports import LOGS, READ_ONLY, TOO_LONG, VIEWS, Health, made_folder, other_schema, write_lines
from loomstack_mcp.store.postgres import schema as schemas
from loomstack_mcp.store.postgres.address import database_address
from loomstack_mcp.store.postgres.backend import SCHEMA
from loomstack_mcp.store.postgres.failures import explained_database
from loomstack_mcp.store.postgres.spelling import positional

_POSTGRES = queries.statements("postgres")
_PROBLEMS_MAX = 20
_CHECK_SECONDS = 3_600

_Rows = Connection[dict[str, Any]]


def check_database(url: str) -> Health:
    """Every key, reference and index of the catalogue, and every row that refers to another one."""
    with _opened(url, seconds=_CHECK_SECONDS) as connection:
        [state] = _asked(connection, _POSTGRES["size"])
        problems = [str(row["problem"]) for row in _asked(connection, _POSTGRES["unsound"])]
        for reference in _asked(connection, _POSTGRES["references"]):
            [count] = connection.execute(str(reference["question"]).encode()).fetchall()
            if count["rows"]:
                problems.append(f"{reference['name']}: {count['rows']} rows point nowhere")
        newest = schemas.newest_schema()
        if state["version"] != newest:
            problems.append(other_schema(state["version"], newest))
    return Health(
        ok=not problems,
        schema=state["version"],
        size_bytes=state["size_bytes"],
        log_bytes=0,
        free_bytes=0,
        problems=tuple(problems[:_PROBLEMS_MAX]),
    )


def export_database(url: str, folder: Path) -> dict[str, int]:
    """One file of JSON lines for each public view and log, of one moment; how many lines each has. Never overwrites."""
    with _opened(url, seconds=_CHECK_SECONDS) as connection:
        made_folder(folder)
        counts = {}
        for name in (*VIEWS, *LOGS):
            [listed] = _asked(connection, _POSTGRES["exported"], view=name)
            rows = connection.cursor().stream(str(listed["question"]).encode())
            counts[name] = write_lines(folder / f"{name}.jsonl", rows)
    return counts


def query_database(url: str, sql: str, *, limit: int, seconds: int) -> tuple[Sequence[Row], bool]:
    """The first rows of a SELECT, and whether there are more, in a transaction that only reads.

    Raises Invalid for SQL that does not run, or takes longer than `seconds`.
    """
    with _opened(url, seconds=seconds) as connection:
        try:
            # One statement alone: another behind it could leave the transaction that only reads.
            found = connection.cursor().stream(sql.encode())
            rows = [_plain(row) for row, _ in zip(found, range(limit + 1), strict=False)]
            found.close()  # type: ignore[attr-defined]  # a generator, whose end cancels the rest
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise Invalid(f"{_why_not(error)}; the views are {', '.join(VIEWS)}") from None
    return rows[:limit], len(rows) > limit


def _why_not(error: Exception) -> str:
    if isinstance(error, errors.QueryCanceled):
        return TOO_LONG
    # What returns no rows is a write or nothing at all, and psycopg says so itself.
    if isinstance(error, errors.ReadOnlySqlTransaction) or (isinstance(error, psycopg.Error) and not error.sqlstate):
        return READ_ONLY
    diagnosis = getattr(error, "diag", None)
    return (diagnosis and diagnosis.message_primary) or str(error)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    return value if value is None or isinstance(value, bool | int | float | str | bytes | list | dict) else str(value)


def _asked(connection: _Rows, question: Statement, **params: str) -> list[dict[str, Any]]:
    text, names = positional(question.text)
    cursor = RawCursor(connection, row_factory=dict_row)
    return cursor.execute(text.encode(), [params[name] for name in names]).fetchall()


@contextmanager
def _opened(url: str, *, seconds: int) -> Iterator[_Rows]:
    address = database_address(url)
    with (
        explained_database(address.shown),
        psycopg.connect(**address.parameters, row_factory=dict_row, autocommit=True) as connection,
    ):
        connection.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            f"SET LOCAL search_path = {SCHEMA}; SET LOCAL statement_timeout = {seconds * 1000}".encode()
        )
        if not _asked(connection, _POSTGRES["exists"])[0]["found"]:
            raise Invalid(f"there is no store at {address.shown}; the first session makes it")
        yield connection
