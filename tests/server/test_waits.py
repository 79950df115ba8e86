"""Waits: one asks for all, whatever ends them."""

import threading
import time

import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.server.waits import Waits, _Wait
from tests.deadlines import seconds, wait_until


class Repos:
    """Where repos are, and how often they were asked for."""

    def __init__(self) -> None:
        self.at = {"a": 1, "b": 1}
        self.asked: list[str] = []

    def cursor(self, repo_id: str) -> int:
        self.asked.append(repo_id)
        if not self.at:
            raise StoreUnavailable("away")
        return self.at[repo_id]


def waiting(
    waits: Waits, repo_id: str, stopped: threading.Event | None = None, quiet_s: float = 20
) -> threading.Thread:
    until_s = time.monotonic() + seconds(quiet_s)
    options = {"until_s": until_s, "stopped": stopped or threading.Event()}
    thread = threading.Thread(target=waits.await_change, args=(repo_id, 1), kwargs=options)
    thread.start()
    return thread


def test_many_waits_ask_as_often_as_one() -> None:
    repos = Repos()
    waits = Waits(repos.cursor)
    threads = [waiting(waits, "a") for _ in range(50)]
    wait_until(lambda: len(repos.asked) >= 5)
    rounds = len(repos.asked)
    repos.at["a"] = 2
    for thread in threads:
        thread.join(seconds(5))

    assert not any(thread.is_alive() for thread in threads)
    assert len(repos.asked) < rounds + 50


def test_only_whose_repo_moved_is_woken() -> None:
    repos = Repos()
    waits = Waits(repos.cursor)
    one, other, stopped = waiting(waits, "a"), waiting(waits, "b"), threading.Event()
    third = waiting(waits, "b", stopped)
    repos.at["a"] = 2
    one.join(seconds(5))
    still = [other.is_alive(), third.is_alive()]
    stopped.set()
    third.join(seconds(5))
    repos.at["b"] = 2
    other.join(seconds(5))

    assert (still, [one.is_alive(), third.is_alive(), other.is_alive()]) == ([True, True], [False, False, False])


def test_the_wait_ends_by_time_and_nobody_asks_any_more() -> None:
    repos = Repos()
    waits = Waits(repos.cursor)
    waits.await_change("a", 1, until_s=time.monotonic() + 0.1, stopped=threading.Event())
    wait_until(lambda: not waits._is_asking)
    asked = len(repos.asked)
    again = waiting(waits, "a")
    wait_until(lambda: len(repos.asked) > asked)
    repos.at["a"] = 2
    again.join(seconds(5))

    assert not again.is_alive()


def test_news_that_come_as_it_is_looked_for_them_are_for_the_next_look() -> None:
    class ComesLate(threading.Event):
        def is_set(self) -> bool:
            is_set = super().is_set()
            self.set()
            return is_set

    one = _Wait("a", 1, lambda _: None, threading.Event(), ComesLate())
    one.put_off(0, first_s=9, last_s=9)

    assert [one.is_due(1) for _ in range(2)] == [False, True]


def test_a_store_that_is_away_is_said_to_all_who_wait() -> None:
    repos = Repos()
    repos.at.clear()

    with pytest.raises(StoreUnavailable, match="away"):
        Waits(repos.cursor).await_change("a", 1, until_s=time.monotonic() + seconds(5), stopped=threading.Event())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_after_what_nobody_foresaw_the_next_is_woken_all_the_same() -> None:
    repos = Repos()
    waits = Waits(repos.cursor)
    lost = waiting(waits, "unknown", quiet_s=0.1)
    wait_until(lambda: not waits._is_asking)
    lost.join(seconds(5))
    found = waiting(waits, "a")
    repos.at["a"] = 2
    found.join(seconds(5))

    assert not found.is_alive()
