"""The named statements on PostgreSQL: each prepares, answers plain values, and finds its rows by an index."""

import re

import psycopg
import pytest

from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.postgres.connections import session_settings
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.postgres.spelling import positional
from tests.databases import PostgresServer, fresh_database
from tests.store.test_queries import EVERY_ROW, STATEMENTS

OF_FILES = ("boot.", "glance.", "hasty_runs.")
"""What only a hook in a hurry, and the clock of a boot, ask of a file. One is asked of both: it says `no`."""
OURS = [one for one in STATEMENTS if not one.name.startswith(OF_FILES) or one.name == "boot.alternating"]
FORGOTTEN = {
    "sightings": "sighting", "bearings": "bearing", "judgings": "judging", "judged": "judged", "lines": "line",
    "answers": "once", "usage_entries": "usage_entry",
}  # fmt: skip
EVERY_ROW_HERE = {
    "boot.alternating": {"boot"},  # which is empty
    "notes.search": set[str](),
    "changes.drop_key": {"line_key"},  # which has one row
    **{f"erasing.forget_{noun}": {table} for noun, table in FORGOTTEN.items()},  # all of it
    "postgres.began": {"schema_version"},  # which has one row
    "postgres.size": {"schema_version"},
}
PLAIN_TYPES = {16, 17, 20, 23, 25, 701}
"""bool, which comes as 0 or 1, bytea, bigint, integer and text: what SQLite's values are."""


@pytest.fixture(scope="module")
def connection(postgres_server: PostgresServer) -> "psycopg.Connection[tuple[object, ...]]":
    url = fresh_database(postgres_server)
    with postgres_store(url).private().read():
        pass
    settings = session_settings("loom,loom_private", wait_ms=1000, still_ms=1000)
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return psycopg.connect(url, autocommit=True, options=options)


@pytest.mark.parametrize("statement", OURS, ids=lambda statement: statement.name)
def test_a_statement_prepares_and_looks_at_no_more_than_it_needs(
    connection: "psycopg.Connection[tuple[object, ...]]", statement: Statement
) -> None:
    text, _ = positional(statement.postgres or statement.text)
    prepared = connection.pgconn.prepare(b"", text.encode())
    described = connection.pgconn.describe_prepared(b"")
    cursor = psycopg.RawCursor(connection)
    plan = [str(row[0]) for row in cursor.execute(f"EXPLAIN (GENERIC_PLAN) {text}".encode())]
    scanned = {found[1] for line in plan if (found := re.search(r"Seq Scan on (\w+)", line))}
    ours = "SELECT tablename FROM pg_tables WHERE schemaname LIKE 'loom%'"
    tables = {str(row[0]) for row in connection.execute(ours)}

    assert prepared.error_message == b""
    assert {described.ftype(at) for at in range(described.nfields)} <= PLAIN_TYPES
    assert scanned & tables <= EVERY_ROW_HERE.get(statement.name, EVERY_ROW.get(statement.name, set()))


def test_a_text_is_respelled_without_touching_what_only_looks_like_a_parameter() -> None:
    text = """SELECT ':no', "a:b", x::text, '%s', 'it''s :no' -- :no
    FROM t WHERE a = :a AND b = :b AND c = :a AND d % 2 = :b"""

    assert positional(text) == (
        text.replace("= :a", "= $1").replace("= :b", "= $2"),
        ("a", "b"),
    )


def test_a_hostile_value_stays_a_value(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    text, names = positional("SELECT CAST(:a AS TEXT), CAST(:b AS TEXT)")
    values = {"a": "'; DROP TABLE loom.run; -- :b $2 %s", "b": '$1 \\ " %(a)s'}
    found = psycopg.RawCursor(connection).execute(text.encode(), [values[name] for name in names]).fetchall()

    assert found == [(values["a"], values["b"])]
