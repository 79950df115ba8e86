"""A file and its log give back their space, beside those who read and write."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from loomstack_mcp.loom import open_loom
from loomstack_mcp.store.sqlite.admin import back_up
from loomstack_mcp.store.sqlite.backend import LOG_BYTES_MAX
from loomstack_mcp.store.sqlite.space import given_back, space_of
from tests.bench.year import Year, filled

MEGABYTE = 1_000_000


def store_at(path: Path, *, runs: int = 1_000) -> Path:
    with open_loom(path) as loom:
        filled(loom.store, Year(runs=runs, repos=1, days=300))
    return path


def written(path: Path, number: int) -> None:
    """An event of 400 kB."""
    with closing(sqlite3.connect(path)) as connection:
        put = "INSERT INTO event SELECT id, ?, 1, 'run.ended', '', '', hex(randomblob(200000)) FROM repo"
        connection.execute(put, [10**6 + number])
        connection.commit()


def emptied(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM landed_file")
        connection.execute("DELETE FROM event")
        connection.commit()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM run").fetchone()
        yield


def test_the_file_shrinks_while_others_write_and_its_log_is_empty(tmp_path: Path) -> None:
    path = store_at(tmp_path / "loom.db")
    with open_loom(path) as loom:
        emptied(path)
        before, stopped, seqs = space_of(path), threading.Event(), []

        def write() -> None:
            while not stopped.is_set():
                with loom.store.write("example.com/team/repo-0") as tx:
                    seqs.append(tx.next_seq("example.com/team/repo-0"))

        writer = threading.Thread(target=write)
        writer.start()
        after = given_back(path)
        stopped.set()
        writer.join()

    assert after.file_bytes < before.file_bytes - before.free_bytes * 0.9
    assert (after.free_bytes, after.why_left) == (0, "")
    assert len(seqs) > 3
    assert sorted(set(seqs)) == seqs
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_beside_a_long_reader_it_says_what_is_left_and_the_next_writer_gives_it_back(tmp_path: Path) -> None:
    path = store_at(tmp_path / "loom.db", runs=10)
    with open_loom(path) as loom:
        with reading(path):
            for number in range(50):
                written(path, number)
            left = given_back(path)
        for _ in range(3):
            with loom.store.append() as tx:
                tx.next_seq("example.com/team/repo-0")
        after = space_of(path)

    assert left.log_bytes > LOG_BYTES_MAX
    assert "somebody reads" in left.why_left
    assert after.log_bytes <= LOG_BYTES_MAX


def test_a_backup_leaves_no_long_log_behind(tmp_path: Path) -> None:
    path = store_at(tmp_path / "loom.db", runs=300)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE run SET goal = goal || '.'")
        other.commit()
        before = space_of(path).log_bytes
        back_up(path, tmp_path / "copy.db")

        assert (before > 0, space_of(path).log_bytes) == (True, 0)
