"""Threads of a session: as many as it needs at once, and none for long that it does not need."""

import threading
from typing import Any

import pytest

from loomstack_mcp.server.front import calls
from loomstack_mcp.server.front.calls import Calls, Running
from tests.deadlines import wait_until


class Heard:
    """The client's end: what it is answered."""

    def __init__(self) -> None:
        self.answers: list[Any] = []

    def send(self, message: Any) -> None:
        self.answers.append(message["id"])


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_IDLE_S", 0.02)


def workers() -> int:
    return sum("(_work)" in thread.name for thread in threading.enumerate())


@pytest.mark.usefixtures("_impatient")
def test_a_burst_leaves_no_threads_and_every_request_is_answered() -> None:
    before, heard, go = workers(), Heard(), threading.Event()
    running = Calls(heard)  # type: ignore[arg-type]

    def work(one: Running) -> dict[str, Any]:
        go.wait()
        return {"id": one.id}

    for number in range(300):
        running.start(number, work)
    assert workers() - before == calls._THREADS_MAX
    go.set()
    running.all_answered()
    wait_until(lambda: workers() == before)

    for number in range(300, 600):
        running.start(number, work)
    running.all_answered()
    assert sorted(heard.answers) == list(range(600))
