"""The write gate: who waits comes before who comes back."""

import fcntl
import os
import signal
import subprocess
import sys
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


def test_one_that_was_stopped_while_it_waited_keeps_nobody_from_the_gate(tmp_path: Path) -> None:
    path = tmp_path / "gate"
    holding = "from loomstack_mcp.store.sqlite import gate; import pathlib, sys, time\n"
    holding += "with gate.passed(pathlib.Path(sys.argv[1]), wait_ms=60_000): print('in', flush=True)"
    with gate.passed(path):
        waiter = subprocess.Popen([sys.executable, "-c", holding, str(path)], stdout=subprocess.PIPE)
        until = time.monotonic() + seconds(20)
        while not ((tmp_path / "gate-turn").exists() and is_taken(tmp_path / "gate-turn")) and time.monotonic() < until:
            time.sleep(0.01)
        waiter.send_signal(signal.SIGSTOP)
        os.waitpid(waiter.pid, os.WUNTRACED)
    refused = [_refused(path) for _ in range(20)]
    threads = own_threads()
    again = [_refused(path) for _ in range(20)]
    left_behind = own_threads() - threads
    waiter.send_signal(signal.SIGCONT)

    assert waiter.communicate(timeout=seconds(20))[0] == b"in\n"
    assert (refused, again, left_behind) == ([False] * 20, [False] * 20, 0)


def own_threads() -> int:
    """How many this process has, as far as its system tells."""
    return len(list(Path("/proc/self/task").glob("*")))


def _refused(path: Path) -> bool:
    try:
        with gate.passed(path, wait_ms=20):
            return False
    except StoreUnavailable:
        return True
