"""Both databases keep the same: tables, columns, keys, indexes, and the columns of the public views."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from loomstack_mcp.store.postgres import schema as postgres_schema
from loomstack_mcp.store.sqlite import schema as sqlite_schema
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.databases import PostgresServer, fresh_database

ONLY_POSTGRES = {
    ("schema_version", ""): "what `PRAGMA user_version` is to a file",
    ("repo", "now_ms"): "the floor of the database's clock; a file has one for each boot",
    ("note", "words"): "the full-text index, which is a table of its own in a file",
}
ONLY_POSTGRES_INDEXES = {
    "note_words": "full text",
    "waiter_same": "a key of a file, where its text may be of any length",
}
START = 15
"""PostgreSQL begins where SQLite was with this migration."""
TYPES = {
    "INTEGER": "int",
    "bigint": "int",
    "REAL": "real",
    "double precision": "real",
    "TEXT": "text",
    "text": "text",
    "BLOB": "bytes",
    "bytea": "bytes",
}
Columns = dict[str, dict[str, tuple[str, bool]]]
"""Of each table, or view: the class of a column's type, and whether it may be NULL."""


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    path = tmp_path_factory.mktemp("catalogue") / "loom.db"
    with migrating_store(path).read():
        return sqlite3.connect(path)


@pytest.fixture(scope="module")
def postgres(postgres_server: PostgresServer) -> "psycopg.Connection[Any]":
    connection = psycopg.connect(fresh_database(postgres_server), autocommit=True)
    connection.execute("SET search_path = loom")
    return connection


def sqlite_columns(connection: sqlite3.Connection, kind: str) -> Columns:
    found: Columns = {}
    for table, name, type_name, not_null, key in connection.execute(
        'SELECT s.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema AS s, pragma_table_info(s.name) AS c '
        "WHERE s.type = ? AND s.name NOT LIKE 'note_fts%' AND s.name NOT LIKE 'sqlite_%'",
        [kind],
    ):
        found.setdefault(table, {})[name] = (TYPES.get(type_name, ""), not (not_null or key))
    return found


def postgres_columns(connection: "psycopg.Connection[Any]", kind: str) -> Columns:
    found: Columns = {}
    rows = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' FROM information_schema.columns AS c "
        "JOIN information_schema.tables AS t USING (table_schema, table_name) "
        "WHERE c.table_schema = 'loom' AND t.table_type = %s ORDER BY c.ordinal_position",
        [{"table": "BASE TABLE", "view": "VIEW"}[kind]],
    )
    for table, name, type_name, may_be_null in rows:
        if not {(table, ""), (table, name)} & set(ONLY_POSTGRES):
            found.setdefault(table, {})[name] = (TYPES[type_name], may_be_null)
    return found


def test_tables_have_the_same_columns(sqlite: sqlite3.Connection, postgres: "psycopg.Connection[Any]") -> None:
    assert postgres_columns(postgres, "table") == sqlite_columns(sqlite, "table")


def test_views_have_the_same_columns_in_the_same_order(
    sqlite: sqlite3.Connection, postgres: "psycopg.Connection[Any]"
) -> None:
    ours, theirs = (
        {name: list(columns) for name, columns in found.items()}
        for found in (postgres_columns(postgres, "view"), sqlite_columns(sqlite, "view"))
    )

    assert len(ours) == 9
    assert ours == theirs


def test_text_is_compared_as_bytes(postgres: "psycopg.Connection[Any]") -> None:
    found = postgres.execute(
        "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables "
        "USING (table_schema, table_name) WHERE table_schema = 'loom' AND data_type = 'text' "
        "AND table_type = 'BASE TABLE' AND collation_name IS DISTINCT FROM 'C'"
    ).fetchall()

    assert found == []


def test_indexes_have_the_same_names_and_are_for_the_same_rows(
    sqlite: sqlite3.Connection, postgres: "psycopg.Connection[Any]"
) -> None:
    ours = dict(
        postgres.execute(
            "SELECT i.relname, x.indpred IS NOT NULL FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid "
            "LEFT JOIN pg_constraint AS c ON c.conindid = i.oid "
            "WHERE i.relnamespace = 'loom'::regnamespace AND c.oid IS NULL"
        ).fetchall()
    )
    theirs = dict(
        sqlite.execute(
            "SELECT name, sql LIKE '% WHERE %' FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
    )

    assert {name: part for name, part in ours.items() if name not in ONLY_POSTGRES_INDEXES} == theirs


def test_keys_are_of_the_same_columns(sqlite: sqlite3.Connection, postgres: "psycopg.Connection[Any]") -> None:
    ours = postgres.execute(
        "SELECT c.conrelid::regclass::text, string_agg(a.attname, ',' ORDER BY k.place) "
        "FROM pg_constraint AS c CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k(attnum, place) "
        "JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum "
        "WHERE c.connamespace = 'loom'::regnamespace AND c.contype IN ('p', 'u') GROUP BY c.oid, c.conrelid"
    ).fetchall()
    theirs = sqlite.execute(
        "SELECT s.name, group_concat(c.name) FROM sqlite_schema AS s, pragma_index_list(s.name) AS i, "
        "pragma_index_info(i.name) AS c WHERE s.type = 'table' AND i.origin IN ('pk', 'u') "
        "AND s.name NOT LIKE 'note_fts%' GROUP BY s.name, i.name"
    ).fetchall()
    # A number that SQLite gives is the row's own, and in no index.
    numbered = {(table, "number") for table in ("boot", "note", "landed", "imprint", "attribution")} | {
        ("line_key", "only")
    }
    of_any_length = {("waiter", "run_id,mode,patterns")}

    assert {(table.strip('"'), columns) for table, columns in ours} - {("schema_version", "only")} == (
        set(theirs) - of_any_length | numbered
    )


def test_references_are_the_same(sqlite: sqlite3.Connection, postgres: "psycopg.Connection[Any]") -> None:
    ours = postgres.execute(
        "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, c.confdeltype = 'c' "
        "FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
        "WHERE c.connamespace = 'loom'::regnamespace AND c.contype = 'f'"
    ).fetchall()
    theirs = sqlite.execute(
        'SELECT s.name, f."from", f."table", f.on_delete = \'CASCADE\' '
        "FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f WHERE s.type = 'table'"
    ).fetchall()

    assert sorted(ours) == sorted(theirs)


def test_each_later_migration_is_in_both_folders() -> None:
    ours, theirs = (
        sorted(number for number in found if number > START)
        for found in (
            postgres_schema.schema_files(postgres_schema.FOLDER),
            sqlite_schema.numbered(sqlite_schema.FOLDER),
        )
    )

    assert ours == theirs
    assert sorted(postgres_schema.schema_files(postgres_schema.FOLDER))[0] == START


def test_checks_name_the_same_words() -> None:
    """A closed set that grows in one folder alone would be refused by the other database."""
    ours, theirs = (
        {words for file in folder.glob("*.sql") for words in re.findall(r"CHECK \((\w+ IN \([^)]*\))\)", text(file))}
        for folder in (postgres_schema.FOLDER, sqlite_schema.FOLDER)
    )

    assert ours - theirs == set()
    assert {words for words in theirs - ours if "trailer" not in words and "'note')" not in words} == set()


def text(file: Path) -> str:
    return re.sub(r"\s+", " ", file.read_text("utf-8"))
