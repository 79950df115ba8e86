"""The write gate: one writer of a SQLite file at a time, in the order the kernel lets them in.

SQLite's own busy handler sleeps and polls, so that under many processes one that sleeps loses to
whoever is awake (measured: 1 transaction in 3 s, against thousands). The kernel frees the gate when
its holder dies.
"""

import fcntl
import os
import threading
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

    Every entry has its own file description, so that threads of one process exclude one another too.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait_ms:
            os.close(descriptor)
        if not wait_ms or not _queued(descriptor, wait_ms):
            raise StoreUnavailable(
                f"another process held {path} for {wait_ms // 1000} s; nothing was written. "
                "Try again; if it stays so, that process may be stopped: `fuser` names it"
            ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _queued(descriptor: int, wait_ms: int) -> bool:
    """Wait in the kernel's queue for a limited time. A thread that comes too late gives the lock back."""
    state = threading.Lock()
    done = threading.Event()
    gave_up = False

    def wait() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done.set()
        with state:
            if gave_up:
                os.close(descriptor)

    threading.Thread(target=wait, daemon=True, name="loom-gate").start()
    if done.wait(wait_ms / 1000):
        return True
    with state:
        gave_up = not done.is_set()
    return not gave_up
