"""The write gate: one writer of a SQLite file at a time, each in its turn.

SQLite's own busy handler sleeps and polls, so that under many processes one that sleeps loses to
whoever is awake (measured: 1 transaction in 3 s, against thousands). So does flock(2): whoever is
awake takes the lock before the one that the kernel has woken for it. Hence the turn, a second lock,
which is held while one waits for the gate: who comes back queues behind all others. The kernel frees
both when their holder dies. The gate alone excludes: a turn that does not come, because whoever has it
was stopped, is done without.
"""

import _thread
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.limits import GATE_WAIT_MS


def gate_beside(store: Path) -> Path:
    """The gate file of a store's file."""
    return store.with_name(f"{store.name}-gate")


@contextmanager
def passed(path: Path, *, wait_ms: int = GATE_WAIT_MS) -> Iterator[None]:
    """Hold the gate file at `path`. Raises StoreUnavailable when its holder does not let go in time.

    Every entry has its own file descriptions, so that threads of one process exclude one another too.
    """
    now_s = time.monotonic()
    turns = path.with_name(f"{path.name}-turn")
    turn = _locked(turns, now_s + wait_ms / 2000) if turns not in _given_up else None
    try:
        descriptor = _locked(path, now_s + wait_ms / 1000)
    finally:
        if turn is not None:
            os.close(turn)
    if descriptor is None:
        raise StoreUnavailable(
            f"another process held {path} for {wait_ms / 1000:g} s; nothing was written. "
            "Try again; if it stays so, that process may be stopped: `fuser` names it"
        )
    try:
        yield
    finally:
        os.close(descriptor)


_given_up: set[Path] = set()
"""The locks for which a thread of ours waits that came too late: no more of them are left behind at a turn."""


def _locked(path: Path, until_s: float) -> int | None:
    """A descriptor that holds the file's lock, and gives it back when it is closed; None where the time is up."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not _queued(path, descriptor, until_s - time.monotonic()):
            return None
    return descriptor


def _queued(path: Path, descriptor: int, wait_s: float) -> bool:
    """Wait in the kernel's queue for a limited time. A thread that comes too late gives the lock back."""
    if wait_s <= 0:
        os.close(descriptor)
        return False
    state, waiting = threading.Lock(), threading.Lock()
    waiting.acquire()
    gave_up = False

    def wait() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with state:
            waiting.release()
            if gave_up:
                _given_up.discard(path)
                os.close(descriptor)

    # A thread of `threading` costs three times as much: its start waits until it runs.
    _thread.start_new_thread(wait, ())
    if waiting.acquire(timeout=wait_s):
        return True
    with state:
        gave_up = not waiting.acquire(blocking=False)
        if gave_up:
            _given_up.add(path)
    return not gave_up
