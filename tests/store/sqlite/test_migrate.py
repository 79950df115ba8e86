"""Schemas: twenty processes at once, two versions at once, a backup first, a newer file refused."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store.sqlite import schema
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.deadlines import seconds
from tests.store.sqlite.support import add_repo, seq_of

_OPEN = """
import sys
from pathlib import Path
from tests.store.sqlite.support import add_repo
sys.stdin.readline()
from loomstack_mcp.store.sqlite.migrate import migrating_store
with migrating_store(Path(sys.argv[1]), migrations=Path(sys.argv[2])).append() as tx: pass
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a version to come."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.FOLDER, folder)
    source = (
        "CREATE TABLE later (a TEXT) STRICT;\nCREATE TRIGGER t AFTER INSERT ON later BEGIN DELETE FROM later; END;\n"
    )
    (folder / "9999_later.sql").write_text(source)
    return folder


def open_at_once(path: Path, folders: list[Path]) -> list[str]:
    """One process for each folder of migrations, let loose together; returns what each complained of."""
    processes = [
        subprocess.Popen([sys.executable, "-c", _OPEN, str(path), str(folder)], stdin=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for folder in folders
    ]  # fmt: skip
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=seconds(60))[1] for process in processes]


def test_twenty_processes_start_at_once_on_an_empty_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "loom.db"

    assert open_at_once(path, [schema.FOLDER] * 20) == [""] * 20
    assert not list(path.parent.glob("*.backup"))


def test_two_versions_upgrade_at_once_and_the_old_one_is_told(tmp_path: Path, newer: Path) -> None:
    path = tmp_path / "loom.db"
    add_repo(path).close()
    complaints = open_at_once(path, [schema.FOLDER, newer] * 5)

    assert complaints[1::2] == [""] * 5
    assert all(not text or "pip install --upgrade loomstack-mcp" in text for text in complaints[::2])
    assert len(list(tmp_path.glob("*.backup"))) == 1
    assert seq_of(migrating_store(path, migrations=newer)) == 0


def test_a_backup_is_taken_before_an_upgrade_and_opens_with_the_old_version(tmp_path: Path, newer: Path) -> None:
    add_repo(tmp_path / "loom.db").close()
    with migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass
    [backup] = tmp_path.glob(f"loom.db.v{schema.newest()}-*.backup")

    assert backup.stat().st_mode & 0o777 == 0o600
    assert seq_of(migrating_store(backup)) == 0


def test_a_session_that_outlives_an_upgrade_stops_writing(tmp_path: Path, newer: Path) -> None:
    old = add_repo(tmp_path / "loom.db")
    with migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass

    with pytest.raises(StoreUnavailable, match="pip install --upgrade"), old.write("r"):
        pass


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, newer: Path) -> None:
    add_repo(tmp_path / "loom.db").close()
    (newer / "9999_broken.sql").write_text("CREATE TABLE fine (a); CREATE TABLE run (a);")

    with pytest.raises(sqlite3.Error), migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass
    assert seq_of(migrating_store(tmp_path / "loom.db")) == 0


def test_a_file_that_another_process_is_making_is_no_stranger_s(tmp_path: Path) -> None:
    """The tables appear just before they are counted."""
    path = tmp_path / "loom.db"
    connection = sqlite3.connect(path, isolation_level=None)

    def made(statement: str) -> None:
        if "COUNT(*) FROM sqlite_schema" in statement:
            connection.set_trace_callback(None)
            with migrating_store(path).append():
                pass

    connection.set_trace_callback(made)

    assert schema.is_current(connection, schema.newest())
    connection.close()
