"""Waits at an edge: one question for all, asked of hubs that leave it open, and of others."""

import threading
import time
from typing import Any, cast

import pytest

from loomstack_mcp.core.errors import LimitExceeded, LoomError, NotFound, StoreUnavailable
from loomstack_mcp.server.far_waits import FarWaits
from tests.deadlines import seconds, wait_until


class Hub:
    """Where a repo is, for those who ask; a question is left open for as long as it stays there."""

    def __init__(self, *, fails: LoomError | None = None, is_away: bool = False) -> None:
        self.at, self.moved_asked, self.cursor_asked = 1, 0, 0
        self._fails, self._is_away = fails, is_away
        self._moved = threading.Condition()

    def moved(self, _: str, *, seen: int, wait_ms: int) -> int:
        self.moved_asked += 1
        if self._fails:
            raise self._fails
        with self._moved:
            self._moved.wait_for(lambda: self.at != seen, wait_ms / 1000)
        return self.at

    def cursor(self, _: str) -> int:
        self.cursor_asked += 1
        if self._is_away:
            raise StoreUnavailable("away")
        return self.at

    def move(self) -> None:
        with self._moved:
            self.at += 1
            self._moved.notify_all()


def far(hub: Hub) -> FarWaits:
    return FarWaits(lambda: cast("Any", hub))


def waiting(waits: FarWaits, seen: int = 1, stopped: threading.Event | None = None) -> threading.Thread:
    options = {"until_s": time.monotonic() + seconds(20), "stopped": stopped or threading.Event()}
    thread = threading.Thread(target=waits.await_change, args=("a", seen), kwargs=options)
    thread.start()
    return thread


def test_all_who_wait_are_one_question() -> None:
    hub, stopped = Hub(), threading.Event()
    waits = far(hub)
    threads = [waiting(waits) for _ in range(9)]
    cancelled = waiting(waits, stopped=stopped)
    wait_until(lambda: hub.moved_asked and len(waits._asking["a"].waits) == len([*threads, cancelled]))
    stopped.set()
    cancelled.join(seconds(2))
    gone, still = not cancelled.is_alive(), all(thread.is_alive() for thread in threads)
    hub.move()
    for thread in threads:
        thread.join(seconds(5))

    assert (gone, still) == (True, True)
    assert not any(thread.is_alive() for thread in threads)
    assert (hub.moved_asked, hub.cursor_asked) == (1, 0)


def test_who_comes_later_and_knows_more_waits_for_what_comes_then() -> None:
    hub = Hub()
    waits = far(hub)
    first = waiting(waits, seen=1)
    wait_until(lambda: hub.moved_asked)
    hub.at = 2  # of which its question does not hear yet
    second = waiting(waits, seen=2)
    first.join(seconds(5))
    second.join(0.2)
    still = second.is_alive()
    hub.move()
    second.join(seconds(5))

    assert (first.is_alive(), still, second.is_alive()) == (False, True, False)


@pytest.mark.parametrize("fails", [NotFound("no call of this hub"), StoreUnavailable("the replica ended")])
def test_a_hub_that_leaves_no_question_open_is_asked_again_and_again(fails: LoomError) -> None:
    hub = Hub(fails=fails)
    thread = waiting(far(hub))
    wait_until(lambda: hub.cursor_asked >= 3)
    hub.move()
    thread.join(seconds(5))

    assert not thread.is_alive()
    assert hub.cursor_asked < 20
    assert (hub.moved_asked == 1) is isinstance(fails, NotFound)


def test_a_token_with_too_many_calls_waits_on() -> None:
    hub = Hub(fails=LimitExceeded("too many calls under way"))
    thread = waiting(far(hub))
    wait_until(lambda: hub.moved_asked >= 3)
    still = thread.is_alive()
    hub.at, hub._fails = 2, None
    thread.join(seconds(5))

    assert (still, thread.is_alive()) == (True, False)


def test_a_hub_that_is_away_is_said_to_whoever_waits() -> None:
    hub = Hub(fails=StoreUnavailable("away"), is_away=True)
    waits = far(hub)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="away"):
            waits.await_change("a", 1, until_s=time.monotonic() + seconds(5), stopped=threading.Event())
