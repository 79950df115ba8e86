"""`db backup` and `db restore`: of a file, of a hub, and of PostgreSQL; nothing is overwritten, nor half there."""

import json
import os
import shutil
from pathlib import Path

import pytest

from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import open_loom
from tests.conftest import Run
from tests.databases import PostgresServer, fresh_database, wheel_programs
from tests.factories import ANA
from tests.services.support import started

ADMIN = Principal(name="root", role="admin")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "loomstack" / "loom.db"
    path.parent.mkdir(mode=0o700)
    with open_loom(path) as loom:
        started(loom, ANA)
    return path


def test_a_hubs_tokens_come_along_and_back(store: Path, tmp_path: Path, loomstack: Run) -> None:
    with open_loom(store) as loom:
        made = loom.tokens.create(ADMIN, owner="ana", role="developer", repos=())
    done = loomstack("db", "backup", "copy.db")
    files = sorted(path.name for path in (tmp_path / "shop").glob("copy*.db"))
    restored = loomstack("--store", f"sqlite:///{tmp_path}/new/loom.db", "db", "restore", "copy.db")
    listed = loomstack("--store", f"sqlite:///{tmp_path}/new/loom.db", "token", "list", "--json")

    assert (done.returncode, files) == (0, ["copy-private.db", "copy.db"]), done.stderr
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "shop").glob("copy*.db")} == {0o600}
    assert restored.returncode == 0, restored.stderr
    assert [one["id"] for one in json.loads(listed.stdout)] == [made.token.id]
    assert made.text.rpartition("_")[2] not in "".join(map(repr, (tmp_path / "new").glob("*")))


def test_a_store_that_is_no_hubs_has_one_file(store: Path, tmp_path: Path, loomstack: Run) -> None:
    loomstack("db", "backup", "copy.db")

    assert [path.name for path in (tmp_path / "shop").glob("copy*")] == ["copy.db"]


def test_nothing_is_overwritten(store: Path, tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "shop/copy.db").write_text("mine")
    backup, restore = loomstack("db", "backup", "copy.db"), loomstack("db", "restore", "copy.db")

    assert (backup.returncode, restore.returncode) == (1, 1)
    assert "is there already" in backup.stderr
    assert "is there already" in restore.stderr
    assert (tmp_path / "shop/copy.db").read_text() == "mine"


def test_what_is_no_backup_makes_no_store(tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "shop/copy.db").write_text("mine")
    done = loomstack("--store", f"sqlite:///{tmp_path}/new/loom.db", "db", "restore", "copy.db")

    assert (done.returncode, list((tmp_path / "new").glob("*"))) == (1, []), done.stderr


def test_postgresql_is_kept_by_its_own_programs(
    tmp_path: Path, loomstack: Run, postgres_server: PostgresServer
) -> None:
    url, target = fresh_database(postgres_server), fresh_database(postgres_server)
    programs = {"PATH": f"{wheel_programs()}:{os.environ['PATH']}"}
    copied = loomstack("db", "copy", f"sqlite:///{_source(tmp_path)}", url)
    backup = loomstack("--store", url, "db", "backup", "copy.dump", **programs)
    wrong = loomstack("--store", target, "db", "restore", "copy.dump", **programs)
    empty = target.rpartition("/")[0] + "/" + _new_database(postgres_server)
    restored = loomstack("--store", empty, "db", "restore", "copy.dump", **programs)
    runs = loomstack("--store", empty, "runs", "--json")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(str(shutil.which("git")))
    missing = loomstack("--store", url, "db", "backup", "other.dump", PATH=str(tmp_path / "bin"))
    (tmp_path / "bin/pg_dump").write_text(
        "#!/bin/sh\necho 'pg_dump: error: server version mismatch\npg_dump: detail: server version: 99' >&2; exit 1\n"
    )
    (tmp_path / "bin/pg_dump").chmod(0o755)
    other = loomstack("--store", url, "db", "backup", "other.dump", PATH=str(tmp_path / "bin"))

    assert copied.returncode == 0, copied.stderr
    assert (backup.returncode, (tmp_path / "shop/copy.dump").stat().st_mode & 0o777) == (0, 0o600), backup.stderr
    assert (wrong.returncode, "pg_restore failed" in wrong.stderr) == (1, True), wrong.stderr
    assert restored.returncode == 0, restored.stderr
    assert runs.returncode == 0, runs.stderr
    assert "mismatch; pg_dump: detail: server version: 99" in other.stderr
    assert (missing.returncode, "no pg_dump here" in missing.stderr) == (1, True), missing.stderr


def _source(tmp_path: Path) -> Path:
    path = tmp_path / "source.db"
    with open_loom(path) as loom:
        started(loom, ANA)
    return path


def _new_database(server: PostgresServer) -> str:
    import psycopg

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE restored_{os.getpid()}".encode())
    return f"restored_{os.getpid()}"
