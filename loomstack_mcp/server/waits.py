"""Waits for a repo to change: the store is asked once for all who wait in this process, however many they are."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from loomstack_mcp.core.errors import LoomError

_POLL_FIRST_S = 0.05
_POLL_LAST_S, _TOLD_POLL_S = 0.1, 2.0
"""Other processes change a repo, so that the store must be asked: seldom where it tells of news by itself."""
_LOOK_S = 0.05


StoreNews = Callable[[str, threading.Event], AbstractContextManager[threading.Event]]
Wake = Callable[[int | LoomError | None], None]
"""Told where the repo is now, or why that cannot be asked; None where the call was stopped."""


class ChangeWaits(Protocol):
    """Where whoever waits for a repo to change sleeps."""

    def await_change(self, repo_id: str, seen: int, *, until_s: float, stopped: threading.Event) -> None:
        """Sleep until the repo has moved on, the call is stopped, or that time of the monotonic clock has come.

        Raises LoomError where the store cannot be asked.
        """


class Waits:
    """Whoever waits sleeps on a thread of its own, or on none, and one more asks on behalf of all."""

    def __init__(
        self,
        cursor: Callable[[str], int],
        *,
        listening: StoreNews = lambda _, news: nullcontext(news),
        tells_news: Callable[[], bool] = lambda: False,
    ) -> None:
        """`cursor` tells where a repo is. The rest is as the store's."""
        self._cursor = cursor
        self._listening = listening
        self._tells_news = tells_news
        self._rung = threading.Event()
        """There are news for somebody."""
        self._lock = threading.Lock()
        self._waits: dict[_Wait, None] = {}
        self._is_asking = False

    def await_change(self, repo_id: str, seen: int, *, until_s: float, stopped: threading.Event) -> None:
        """As `ChangeWaits`."""
        woken = threading.Event()
        heard: list[int | LoomError | None] = []

        def wake(found: int | LoomError | None) -> None:
            heard.append(found)
            woken.set()

        with self.watched(repo_id, seen, wake=wake, stopped=stopped):
            woken.wait(max(0, until_s - time.monotonic()))
        if heard and isinstance(heard[0], LoomError):
            raise heard[0]

    @contextmanager
    def watched(self, repo_id: str, seen: int, *, wake: Wake, stopped: threading.Event | None = None) -> Iterator[None]:
        """While within, `wake` is called, on a thread of ours and more than once, when the wait is over."""
        with self._listening(repo_id, _News(self._rung)) as news:
            one = _Wait(repo_id, seen, wake, stopped or threading.Event(), news)
            with self._lock:
                self._waits[one] = None
                starts, self._is_asking = not self._is_asking, True
            if starts:
                threading.Thread(target=self._ask, daemon=True).start()
            try:
                yield
            finally:
                with self._lock:
                    del self._waits[one]

    def _ask(self) -> None:
        """Wake whoever has waited long enough, for as long as anybody waits."""
        try:
            while self._round():
                self._rung.wait(_LOOK_S)
                self._rung.clear()
        except BaseException:  # whoever waits next starts another
            with self._lock:
                self._is_asking = False
            raise

    def _round(self) -> bool:
        """Ask once for each repo that is due, by time or by news; returns whether anybody waits."""
        with self._lock:
            waits = tuple(self._waits)
            self._is_asking = bool(waits)
        first_s, last_s = (_TOLD_POLL_S, _TOLD_POLL_S) if self._tells_news() else (_POLL_FIRST_S, _POLL_LAST_S)
        now_s = time.monotonic()
        due = {one.repo_id for one in waits if one.is_due(now_s)}  # each is asked, for news are told to each
        found = {repo_id: self._asked(repo_id) for repo_id in due}
        for one in waits:
            if one.repo_id in found:
                one.hear(found[one.repo_id])
                one.put_off(now_s, first_s=first_s, last_s=last_s)
            elif one.is_stopped:
                one.wake(None)
        return bool(waits)

    def _asked(self, repo_id: str) -> int | LoomError:
        try:
            return self._cursor(repo_id)
        except LoomError as error:
            return error


class _News(threading.Event):
    """For one who waits; whoever asks for all hears of it, too."""

    def __init__(self, rung: threading.Event) -> None:
        super().__init__()
        self._rung = rung

    def set(self) -> None:
        super().set()
        self._rung.set()


class _Wait:
    def __init__(self, repo_id: str, seen: int, wake: Wake, stopped: threading.Event, news: threading.Event) -> None:
        self.repo_id, self.wake = repo_id, wake
        self._seen, self._stopped, self._news = seen, stopped, news
        self._due_s, self._pause_s = 0.0, 0.0

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def is_due(self, now_s: float) -> bool:
        """Whether its repo is to be asked about; its news are old then."""
        if self._news.is_set():  # else they may come just now, and are for the next look
            self._news.clear()
            return True
        return now_s >= self._due_s

    def put_off(self, now_s: float, *, first_s: float, last_s: float) -> None:
        """It was asked; each time it is put off for longer."""
        self._pause_s = min(max(first_s, self._pause_s * 2), last_s)
        self._due_s = now_s + self._pause_s

    def hear(self, found: int | LoomError) -> None:
        if self.is_stopped or found != self._seen:
            self.wake(found)
