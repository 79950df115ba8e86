"""The write gate: who waits comes before who comes back."""

import fcntl
import os
import threading
import time
from pathlib import Path

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store.sqlite import gate
from tests.deadlines import seconds


def is_taken(path: Path) -> bool:
    """Whether somebody holds the lock of a file."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_who_waits_for_the_gate_comes_before_who_had_it_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "gate"
    order: list[str] = []

    def wait() -> None:
        with gate.passed(path):
            order.append("who waited")

    for _ in range(50):
        with gate.passed(path):
            waiter = threading.Thread(target=wait)
            waiter.start()
            until = time.monotonic() + seconds(5)
            while not is_taken(tmp_path / "gate-turn") and time.monotonic() < until:
                pass
        with gate.passed(path):
            order.append("who came back")
        waiter.join()

    assert order == ["who waited", "who came back"] * 50


def test_nobody_is_left_at_the_gate_by_one_that_gave_up(tmp_path: Path) -> None:
    path = tmp_path / "gate"
    with gate.passed(path):
        refused = [_refused(path) for _ in range(3)]
    with gate.passed(path, wait_ms=1000):
        pass

    assert refused == [True, True, True]


def _refused(path: Path) -> bool:
    try:
        with gate.passed(path, wait_ms=20):
            return False
    except StoreUnavailable:
        return True
