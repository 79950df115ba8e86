"""Schemas: twenty processes at once, two versions at once, a backup first, a newer file refused."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.core.claims import Waiter
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.services import repos, starts
from loomstack_mcp.services.grants import grant_claim
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.sqlite import schema
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.deadlines import seconds
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, started
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
    assert all(not text or "install that version of loomstack-mcp" in text for text in complaints[::2])
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

    with pytest.raises(StoreUnavailable, match="install that version"), old.write("r"):
        pass


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, newer: Path) -> None:
    add_repo(tmp_path / "loom.db").close()
    (newer / "9999_broken.sql").write_text("CREATE TABLE fine (a); CREATE TABLE run (a);")

    with pytest.raises(sqlite3.Error), migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass
    assert seq_of(migrating_store(tmp_path / "loom.db")) == 0


def test_what_an_older_store_holds_is_there_after_its_upgrade(tmp_path: Path) -> None:
    oldest = tmp_path / "oldest"
    oldest.mkdir()
    shutil.copy(next(schema.FOLDER.glob("0001_*")), oldest)
    store = migrating_store(tmp_path / "loom.db", migrations=oldest)
    repos.recorded_repo_id(store, SHOP)
    with store.write(REPO) as tx:
        draft = starts.drafted_run(tx, ANA, REPO, SHOP, "")
        run = starts.recorded_run(tx, replace(draft, loop="loop", goal="goal"))
        wanted = Waiter(id="", repo_id=REPO, run_id=run.id, seq=0, mode="exclusive", intent="why", patterns=("src/",),
                        place_until_ms=0)  # fmt: skip
        held = grant_claim(tx, run, wanted, ttl_ms=run.ttl_ms)
    with Loom(store, rework_max=3) as loom:
        note = loom.notes.share(ANA, "", kind="fact", text="rounds prices", patterns=["src/"]).note
    with closing(sqlite3.connect(tmp_path / "loom.db", isolation_level=None)) as other:
        other.execute(
            "INSERT INTO outcome SELECT 'out_' || c.value, r.repo_id, r.id, r.id, 90 + c.key, 'maker', 'passed', 's', "
            "0, 0, '[]', '', '', json_array(c.value, ?), '{}', 1, 0, 'check', 1 FROM run AS r, json_each(?) AS c",
            ("f" * 40, json.dumps(["a" * 40, "b" * 7])),
        )
    with open_loom(tmp_path / "loom.db") as loom:
        again = claimed(loom, ANA, "src/").claim
        found = loom.notes.latest(REPO, limit=9, query="rounding")[0]
        started(loom, BEA)
        refused = claimed(loom, BEA, "src/a.py").blockers
        with loom.store.read() as tx:
            bound = tx.all(Statement("test.bound", "SELECT short, sha, run_id, bound_by FROM binding ORDER BY sha"))

    assert again
    assert (again.id, again.fence) == (held.id, held.fence)
    assert [one.id for one in found] == [note.id]
    assert [blocker.claim for blocker in refused] == [held.id]
    assert [tuple(row.values()) for row in bound] == [
        (sha[:7], sha, run.id, "outcome") for sha in ("a" * 40, "b" * 7, "f" * 40)
    ]


def test_the_seam_of_each_migration_leaves_the_same_tables(tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    for file in sorted(schema.FOLDER.iterdir()):
        shutil.copy(file, steps)
        with migrating_store(tmp_path / "by-steps.db", migrations=steps).read():
            pass
    with migrating_store(tmp_path / "at-once.db").read():
        pass

    tables = [
        sqlite3.connect(tmp_path / name).execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()
        for name in ("by-steps.db", "at-once.db")
    ]
    assert tables[0] == tables[1]
    assert len(list(tmp_path.glob("by-steps.db.v*.backup"))) == len(list(steps.iterdir())) - 1


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
