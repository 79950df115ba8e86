"""The database beside the store: private, the same on both, and opened by nobody who does not ask for it."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import psycopg

from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import open_loom
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.databases import PostgresServer, fresh_database
from tests.factories import SHOP

OF_A_FILE = {"boot", "repo"}
"""What a file's clock needs."""
KINDS = {"INTEGER": "bigint", "TEXT": "text"}


def test_both_keep_the_same(tmp_path: Path, postgres_server: PostgresServer) -> None:
    url = fresh_database(postgres_server)
    for store in (migrating_store(tmp_path / "loom.db").private(), postgres_store(url).private()):
        with store.read() as tx:
            assert tx.now_ms
        store.close()
    with closing(sqlite3.connect(tmp_path / "loom-private.db")) as ours, psycopg.connect(url) as theirs:
        columns = ours.execute(
            'SELECT s.name, c.name, c.type, c."notnull" OR c.pk '
            "FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
            "WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%'"
        ).fetchall()
        others = theirs.execute(
            "SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns "
            "WHERE table_schema = 'loom_private' AND table_name <> 'schema_version'"
        ).fetchall()

    kept = {(table, name, KINDS[kind], bool(must)) for table, name, kind, must in columns if table not in OF_A_FILE}
    assert kept == set(others)


def test_it_is_there_only_once_somebody_asks_for_a_token(tmp_path: Path) -> None:
    with open_loom(tmp_path / "loom.db") as loom:
        loom.repos.id_of(SHOP)
    before = {path.name for path in tmp_path.iterdir()}
    with open_loom(tmp_path / "loom.db") as loom:
        loom.tokens.create(Principal(name="dee", role="admin"), owner="ana", role="agent")

    assert [name for name in before if "private" in name] == []
    assert stat.S_IMODE((tmp_path / "loom-private.db").stat().st_mode) == 0o600
