"""A SQLite file, and its log, give back the space of what is gone, while others go on."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.records import record
from loomstack_mcp.store.sqlite import gate

_STEP_PAGES_MIN, _STEP_PAGES_MAX = 16, 512
_STEP_S = 0.005
"""So much work a step does at the gate, or somewhat more: it takes more or fewer pages the next time."""
_DRAIN_PAGES = 2_000
_DRAIN_EVERY = 5
"""Transactions of many rows, after which the log is brought into the file: else one of them would do it at the gate."""
_LOG_PAGES_MAX = 200
"""Of what stands in the log, so much may come into the file while others wait at the gate."""
_TRIES = 20
_BETWEEN_S = 0.1
_INCREMENTAL = 2


@record
class Space:
    """How large a store's file and its log are, and how much of the file nothing is in."""

    file_bytes: int
    log_bytes: int
    free_bytes: int
    why_left: str = ""
    """Why something was not given back; "" where all was."""


def space_of(path: Path) -> Space:
    """What a store takes on its disk."""
    with closing(_opened(path)) as connection:
        return _space(connection, path)


def given_back(path: Path, *, told: Callable[[int], None] = lambda _: None) -> Space:
    """The file is as small as what is in it, and its log is empty, as far as those allow who read it just now.

    Each step is one that a writer waits for no longer than for another; `told` hears how many bytes are still free.
    Raises StoreUnavailable where the gate does not open.
    """
    with closing(_opened(path)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # which a commit would do at the gate
        [kind] = connection.execute("PRAGMA auto_vacuum").fetchone()
        if kind == _INCREMENTAL:
            _shrink(connection, path, told)
        why = _log_given_back(connection, path)
        if not why and kind != _INCREMENTAL:
            why = "the file does not shrink by itself; `loomstack-mcp forget --free` writes it anew"
        return _space(connection, path, why_left=why)


@contextmanager
def drained(path: Path) -> Iterator[Callable[[], None]]:
    """To be called after each transaction of many: now and then the log comes into the file, beside others."""
    calls = 0
    with closing(_opened(path)) as connection:

        def drain() -> None:
            nonlocal calls
            calls += 1
            if calls % _DRAIN_EVERY == 0:
                _checkpoint(connection, "PASSIVE")

        yield drain


def log_given_back(path: Path) -> str:
    """The log is empty, and takes no space; returns why not: somebody reads, or writes all the time."""
    with closing(_opened(path)) as connection:
        return _log_given_back(connection, path)


def _shrink(connection: sqlite3.Connection, path: Path, told: Callable[[int], None]) -> None:
    pages, moved, [size] = _STEP_PAGES_MIN, 0, connection.execute("PRAGMA page_size").fetchone()
    while free := connection.execute("PRAGMA freelist_count").fetchone()[0]:
        told(free * size)
        with gate.passed(gate.gate_beside(path)):
            began_s = time.thread_time()
            connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
            took_s = time.thread_time() - began_s
        moved += pages
        if moved >= _DRAIN_PAGES:
            moved = 0
            _checkpoint(connection, "PASSIVE")
        pages = max(_STEP_PAGES_MIN, pages // 2) if took_s > _STEP_S else min(_STEP_PAGES_MAX, pages * 2)
        if connection.execute("PRAGMA freelist_count").fetchone()[0] >= free:
            return  # others need the pages just as fast
    told(0)


def _log_given_back(connection: sqlite3.Connection, path: Path) -> str:
    """What stands in the log comes into the file beside those who write, and only the rest of it at the gate."""
    for _ in range(_TRIES):
        is_busy, in_log, done = _checkpoint(connection, "PASSIVE")
        if not is_busy and in_log - done <= _LOG_PAGES_MAX:
            try:
                with gate.passed(gate.gate_beside(path)):
                    if not _checkpoint(connection, "TRUNCATE")[0]:
                        return ""
            except StoreUnavailable as error:
                return str(error)
        time.sleep(_BETWEEN_S)
    return "somebody reads the store for long just now; whoever writes after that gives it back"


def _checkpoint(connection: sqlite3.Connection, how: str) -> tuple[bool, int, int]:
    """Whether others were in the way, and how many pages stand in the log, and how many of them in the file."""
    is_busy, in_log, done = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    return bool(is_busy), in_log, done


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StoreUnavailable(f"there is no store at {path}; the first session makes it")
    return sqlite3.connect(path, isolation_level=None, timeout=0)


def _space(connection: sqlite3.Connection, path: Path, *, why_left: str = "") -> Space:
    [free] = connection.execute("PRAGMA freelist_count").fetchone()
    [size] = connection.execute("PRAGMA page_size").fetchone()
    log = path.with_name(f"{path.name}-wal")
    return Space(
        file_bytes=path.stat().st_size,
        log_bytes=log.stat().st_size if log.exists() else 0,
        free_bytes=free * size,
        why_left=why_left,
    )
