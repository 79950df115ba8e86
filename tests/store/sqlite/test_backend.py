"""The SQLite backend on real files: locks, clocks, damage, and processes that die."""

import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import NotFound, StoreUnavailable
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.deadlines import seconds
from tests.processes import run
from tests.store.sqlite.support import add_repo, holding, seq_of

REPOS = queries.statements("repos")
PRAGMA = Statement("test.pragma", "PRAGMA synchronous")


def test_nothing_is_written_before_the_first_transaction(tmp_path: Path) -> None:
    migrating_store(tmp_path / "new" / "loom.db").close()

    assert list(tmp_path.iterdir()) == []


def test_the_store_is_private(tmp_path: Path) -> None:
    store = migrating_store(tmp_path / "new" / "loom.db")
    with store.read():
        pass

    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_write_in_an_unknown_repo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound), migrating_store(tmp_path / "loom.db").write("nowhere"):
        pass


def test_an_exception_rolls_back(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")
    with pytest.raises(KeyboardInterrupt), store.write("r") as tx:
        tx.all(REPOS["next_seq"], repo_id="r")
        raise KeyboardInterrupt

    assert seq_of(store) == 0


def test_threads_share_a_store_and_lose_no_update(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")

    def work() -> None:
        for _ in range(25):
            with store.write("r") as tx:
                tx.all(REPOS["next_seq"], repo_id="r")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seq_of(store) == 200


def test_steps_of_the_wall_clock_move_nothing(tmp_path: Path, clocks: Clocks) -> None:
    store = add_repo(tmp_path / "loom.db", clock=clocks.clock())
    with store.read() as tx:
        before = tx.now_ms
    clocks.wall_ms += 3_600_000
    with store.read() as tx:
        forward = tx.now_ms
    clocks.wall_ms -= 7_200_000
    late = migrating_store(tmp_path / "loom.db", clock=clocks.clock())
    with late.read() as tx:
        backward = tx.now_ms

    assert (forward, backward) == (before, before)


def test_the_first_writer_of_a_new_boot_jumps_the_fencing_tokens_once(tmp_path: Path, clocks: Clocks) -> None:
    store = add_repo(tmp_path / "loom.db", clock=clocks.clock())
    with store.write("r") as tx:
        tx.all(REPOS["next_seq"], repo_id="r")
    store.close()
    clocks.boot_id, clocks.boot_ms = "boot-2", 5

    again = migrating_store(tmp_path / "loom.db", clock=clocks.clock())
    before = seq_of(again)
    for _ in range(2):
        with again.write("r") as tx:
            tx.all(REPOS["next_seq"], repo_id="r")

    assert (before, seq_of(again)) == (1, 1_000_003)


def test_a_killed_writer_leaves_nothing_half_written_and_frees_the_gate(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")
    with holding(store.path) as writer:
        writer.kill()
        writer.wait()
        with store.write("r") as tx:
            tx.all(REPOS["next_seq"], repo_id="r")

    assert seq_of(store) == 1


def test_a_stopped_writer_holds_writers_up_for_seconds_and_readers_not_at_all(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")
    with holding(store.path) as writer:
        writer.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable, match="nothing was written"), store.write("r"):
            pass
        assert seq_of(store) == 0
        writer.send_signal(signal.SIGCONT)


def test_who_holds_the_gate_keeps_no_reader_from_opening_reading_and_closing(tmp_path: Path) -> None:
    add_repo(tmp_path / "loom.db").close()
    with holding(tmp_path / "loom.db"):
        started = time.monotonic()
        for _ in range(3):
            reader = migrating_store(tmp_path / "loom.db")
            assert seq_of(reader) == 0
            reader.close()
        assert time.monotonic() - started < seconds(1)

    assert seq_of(migrating_store(tmp_path / "loom.db")) == 0


def test_another_programs_lock_is_named_within_seconds(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="another program holds a lock"), store.write("r"):
        pass
    other.execute("ROLLBACK")
    with store.write("r"):
        pass


def test_a_full_disk_loses_nothing_acknowledged(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")
    with pytest.raises(StoreUnavailable, match="disk is full"), store.write("r") as tx:
        tx.all(Statement("test.full", "PRAGMA max_page_count = 1"))
        for at in range(10_000):
            tx.run(REPOS["name"], identity=f"{at}-{'x' * 500}", repo_id="r")

    assert seq_of(add_repo(tmp_path / "loom.db")) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"garbage " * 2000, "no SQLite database"),
        (b"SQLite format 3\x00" + b"\xff" * 4096, "no SQLite database|damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "loom.db"
    path.write_bytes(content)

    with pytest.raises(StoreUnavailable, match=words), migrating_store(path).read():
        pass
    assert path.read_bytes() == content


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "loom.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (a)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreUnavailable, match="another program's database"), migrating_store(path).append():
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["folder", "fifo", "file/loom.db"])
def test_a_path_that_can_be_no_store_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(StoreUnavailable), migrating_store(tmp_path / name).read():
        pass


def test_a_file_that_is_moved_away_is_not_written_to_any_more(tmp_path: Path) -> None:
    store = add_repo(tmp_path / "loom.db")
    (tmp_path / "loom.db").rename(tmp_path / "moved.db")

    with pytest.raises(StoreUnavailable, match="moved, removed or replaced"), store.write("r"):
        pass
    (tmp_path / "moved.db").rename(tmp_path / "loom.db")
    assert seq_of(store) == 0


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter, as those above `tmp_path` may not be."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_who_may_only_read_reads_while_others_have_the_store_open(public: Path) -> None:
    store = add_repo(public / "loom.db")
    with store.append():
        pass
    code = (
        "import os, sys; from pathlib import Path\n"
        "from loomstack_mcp.store.sqlite.backend import SqliteStore\n"
        "from tests.store.sqlite.support import seq_of\n"
        "store = SqliteStore(Path(sys.argv[1]))\n"
        "os.getuid() or os.setuid(65534)\n"  # root may write anywhere
        "print(seq_of(store))\n"
        "store.close()\n"
    )
    public.chmod(0o555)
    for file in public.iterdir():
        file.chmod(0o444)
    done = run([sys.executable, "-c", code, str(store.path)])

    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_read_only_folder_is_named(public: Path) -> None:
    add_repo(public / "loom.db").close()
    code = (
        "import os, sys; from pathlib import Path\n"
        "from loomstack_mcp.store.sqlite.migrate import migrating_store\n"
        "from loomstack_mcp.core.errors import StoreUnavailable\n"
        "store = migrating_store(Path(sys.argv[1]))\n"
        "os.getuid() or os.setuid(65534)\n"  # root may write anywhere
        "try:\n"
        "    with store.append(): pass\n"
        "except StoreUnavailable as error: print(error)\n"
    )
    public.chmod(0o555)
    (public / "loom.db").chmod(0o444)
    done = run([sys.executable, "-c", code, str(public / "loom.db")])

    assert "read-only" in done.stdout or "writable" in done.stdout or "may write" in done.stdout, done
