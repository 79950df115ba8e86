"""Bring a PostgreSQL schema to this version: numbered files, each applied once."""

from pathlib import Path
from typing import Any

from psycopg import Connection, errors

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store.postgres.backend import PostgresStore
from loomstack_mcp.store.postgres.line import TupleRow
from loomstack_mcp.store.postgres.schema import is_current_schema, newest_schema, schema_files

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('loomstack-mcp schema ' || '{schema}', 0))"
_PREPARE = """
DO $$ BEGIN
  IF to_regnamespace('{schema}') IS NULL THEN CREATE SCHEMA {schema}; END IF;
END $$;
SET LOCAL search_path = {schema}; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
CREATE TABLE IF NOT EXISTS schema_version ("only" BIGINT PRIMARY KEY CHECK ("only" = 1), version BIGINT NOT NULL);
INSERT INTO schema_version ("only", version) VALUES (1, 0) ON CONFLICT ("only") DO NOTHING;
"""


def postgres_store(url: str, **options: Any) -> PostgresStore:
    """The store at `url`, made or brought to this version's schema when it is first used."""
    return PostgresStore(url, upgrade=upgrade_schema, **options)


def upgrade_schema(connection: "Connection[TupleRow]", schema: str, folder: Path) -> None:
    """Apply what is missing, all of it or nothing, one process at a time.

    Raises StoreUnavailable for a schema that another program made.
    """
    with connection.transaction():
        _run(connection, _LOCK.format(schema=schema))
        _run(connection, _PREPARE.format(schema=schema))
        [(found,)] = connection.execute("SELECT version FROM schema_version").fetchall()
        version = newest_schema(folder)
        if is_current_schema(found, version):
            return
        try:
            for number, source in sorted(schema_files(folder).items()):
                if number > found:
                    _run(connection, source.read_text(encoding="utf-8"))
        except (errors.DuplicateTable, errors.DuplicateFunction) as error:
            raise StoreUnavailable(
                f"the schema {schema} of that database holds another program's tables ({error.diag.message_primary}); "
                "give LoomStack a database of its own"
            ) from None
        connection.execute("UPDATE schema_version SET version = %s", (version,))


def _run(connection: "Connection[TupleRow]", script: str) -> None:
    # Our own files, and the name of a schema that is a constant; several statements in one go.
    connection.execute(script.encode(), prepare=False)
