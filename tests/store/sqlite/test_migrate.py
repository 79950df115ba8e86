"""Schemas: twenty processes at once, two versions at once, a backup first, a newer file refused."""

import gzip
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.sqlite import migrate, schema
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.deadlines import seconds
from tests.factories import ANA, REPO
from tests.services.support import CHEN, claimed, started
from tests.store.sqlite.support import add_repo, seq_of

FIXTURES = Path(__file__).parent / "fixtures"
"""A store of each schema that others may have, written by the program of that time and compressed: two loops with
claims, a refused request, notes, an outcome with commits; from the second a landed change, in the third a decision."""
RELEASED = (1, 2, 3)
KEPT = (
    "SELECT id, repo_id, run_id, fence, mode, intent, patterns, ttl_ms, granted_at_ms, ended_how FROM claim ORDER BY 1",
    "SELECT * FROM note ORDER BY 1",
    "SELECT * FROM outcome ORDER BY 1",
    "SELECT * FROM repo_alias ORDER BY 1",
    "SELECT id, run_id, patterns FROM waiter ORDER BY 1",
)
DEE = Caller(principal="dee", session="s-dee")

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
    assert all(not text or "install that version" in text for text in complaints[::2])
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
    (newer / "9999_later.sql").write_text("CREATE TABLE fine (a); CREATE TABLE run (a);")

    with pytest.raises(sqlite3.Error), migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass
    assert seq_of(migrating_store(tmp_path / "loom.db")) == 0


@pytest.fixture(params=RELEASED)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store that the program wrote when this was its schema."""
    path = tmp_path / "loom.db"
    path.write_bytes(gzip.decompress((FIXTURES / f"schema-{request.param}.db.gz").read_bytes()))
    return path


def test_each_released_schema_has_its_store() -> None:
    assert sorted(FIXTURES.iterdir()) == [FIXTURES / f"schema-{number}.db.gz" for number in RELEASED]
    assert max(RELEASED) < schema.newest()


def test_what_a_released_store_holds_is_there_after_its_upgrade(released: Path, clocks: Clocks) -> None:
    with closing(sqlite3.connect(released)) as old:
        before = [old.execute(statement).fetchall() for statement in KEPT]
        [found] = old.execute("PRAGMA user_version").fetchone()
    with Loom(migrating_store(released, clock=clocks.clock()), rework_max=3) as loom:
        held = {claim.patterns: claim for claim in loom.claims.held(REPO, limit=9)[0]}
        again = claimed(loom, ANA, "src/", intent="prices become net").claim
        refused = claimed(loom, CHEN, "src/a.py").blockers
        notes = {note.text for note in loom.notes.latest(REPO, limit=9)[0]}
        matched = [note.text for note in loom.notes.latest(REPO, limit=9, query="rounding")[0]]
        with loom.store.read() as tx:
            statement = Statement("test.bound", "SELECT short, sha, run_id, bound_by FROM binding ORDER BY sha")
            bound = [tuple(row.values()) for row in tx.all(statement)]
            [maker] = tx.all(Statement("test.maker", "SELECT run_id FROM outcome"))
    with closing(sqlite3.connect(released)) as new:
        after = [new.execute(statement).fetchall() for statement in KEPT]

    assert after == before
    assert all(before)
    assert again
    assert again == replace(held["src/",], expires_at_ms=again.expires_at_ms)
    assert [blocker.claim for blocker in refused] == [again.id]
    assert notes == {"prices are net on purpose", "rounding happens in the parser"}
    assert matched == ["rounding happens in the parser"]
    assert bound == [(sha[:7], sha, maker["run_id"], "outcome") for sha in ("b" * 40, "c" * 7)]
    assert [file.name.split("-")[0] for file in released.parent.glob("*.backup")] == [f"loom.db.v{found}"]


def test_leases_of_a_released_store_hold_for_another_kernel_too(released: Path, clocks: Clocks) -> None:
    clocks.boot_id = "boot-2"
    with Loom(migrating_store(released, clock=clocks.clock()), rework_max=3) as loom:
        started(loom, DEE)

        assert [blocker.who for blocker in claimed(loom, DEE, "src/a.py").blockers] == ["ana", "chen"]
        clocks.pass_minutes(33)
        assert claimed(loom, DEE, "src/a.py").claim


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
def test_a_session_of_the_version_before_is_told_in_one_sentence(tmp_path: Path, newer: Path, begin: str) -> None:
    old = add_repo(tmp_path / "loom.db")
    with migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass
    door = old.read() if begin == "BEGIN" else old.write("r")

    with pytest.raises(StoreUnavailable, match=r"was upgraded by a newer loomstack-mcp .* restart the session"), door:
        pass


def test_writers_go_on_while_the_backup_before_an_upgrade_is_taken(
    tmp_path: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = add_repo(tmp_path / "loom.db")
    seen = []

    def watched(connection: sqlite3.Connection, path: Path, version: int) -> None:
        with old.write("r") as tx:
            tx.all(queries.statements("repos")["next_seq"], repo_id="r")
        seen.append(version)
        _back_up(connection, path, version)

    _back_up = migrate._back_up
    monkeypatch.setattr(migrate, "_back_up", watched)
    with migrating_store(tmp_path / "loom.db", migrations=newer).read():
        pass

    assert seen == [schema.newest()]
    assert len(list(tmp_path.glob("*.backup"))) == 1


def test_the_seam_of_each_migration_leaves_the_same_tables(tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    for file in sorted(schema.FOLDER.iterdir()):
        shutil.copy(file, steps)
        (tmp_path / "by-steps.db").touch()
        with closing(sqlite3.connect(tmp_path / "by-steps.db", isolation_level=None)) as connection:
            migrate.migrate(connection, tmp_path / "by-steps.db", steps)
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
