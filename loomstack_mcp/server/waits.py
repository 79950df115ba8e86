"""Waits for a repo to change: the store is asked once for all who wait in this process, however many they are."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from loomstack_mcp.core.errors import LoomError

_POLL_FIRST_S = 0.05
_POLL_LAST_S, _TOLD_POLL_S = 0.2, 2.0
"""Other processes change a repo, so that the store must be asked: seldom where it tells of news by itself."""
_LOOK_S = 0.05


StoreNews = Callable[[str], AbstractContextManager[threading.Event]]


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
        listening: StoreNews = lambda _: nullcontext(threading.Event()),
        tells_news: Callable[[], bool] = lambda: False,
    ) -> None:
        """`cursor` tells where a repo is; it is asked as one of those who wait there. The rest is as the store's."""
        self._cursor = cursor
        self._listening = listening
        self._tells_news = tells_news
        self._lock = threading.Lock()
        self._waits: dict[_Wait, None] = {}
        self._is_asking = False

    def await_change(self, repo_id: str, seen: int, *, until_s: float, stopped: threading.Event) -> None:
        """As `ChangeWaits`."""
        woken = threading.Event()
        with self._entered(repo_id, seen, wake=woken.set, stopped=stopped) as one:
            woken.wait(max(0, until_s - time.monotonic()))
        if one.error:
            raise one.error

    @contextmanager
    def watched(self, repo_id: str, seen: int, *, wake: Callable[[], None]) -> Iterator[None]:
        """While within, `wake` is called, on a thread of ours, once the repo has moved on, or cannot be asked about."""
        with self._entered(repo_id, seen, wake=wake, stopped=threading.Event()):
            yield

    @contextmanager
    def _entered(
        self, repo_id: str, seen: int, *, wake: Callable[[], None], stopped: threading.Event
    ) -> "Iterator[_Wait]":
        with self._listening(repo_id) as news:
            one = _Wait(repo_id, seen, wake, stopped, news)
            with self._lock:
                self._waits[one] = None
                starts, self._is_asking = not self._is_asking, True
            if starts:
                threading.Thread(target=self._ask, daemon=True).start()
            try:
                yield one
            finally:
                with self._lock:
                    del self._waits[one]

    def _ask(self) -> None:
        """Wake whoever has waited long enough, for as long as anybody waits."""
        try:
            while self._round():
                time.sleep(_LOOK_S)
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
        asking = {one.repo_id: one for one in waits if one.repo_id in due}
        found = {repo_id: self._asked(one) for repo_id, one in asking.items()}
        for one in waits:
            if one.repo_id in found:
                one.hear(found[one.repo_id])
                one.put_off(now_s, first_s=first_s, last_s=last_s)
            elif one.is_stopped:
                one.wake()
        return bool(waits)

    def _asked(self, one: "_Wait") -> int | LoomError:
        try:
            return one.context.run(self._cursor, one.repo_id)
        except LoomError as error:
            return error


class _Wait:
    def __init__(
        self, repo_id: str, seen: int, wake: Callable[[], None], stopped: threading.Event, news: threading.Event
    ) -> None:
        self.repo_id, self.wake = repo_id, wake
        self.context = contextvars.copy_context()
        """In whose name the store is asked."""
        self.error: LoomError | None = None
        self._seen, self._stopped, self._news = seen, stopped, news
        self._due_s, self._pause_s = 0.0, 0.0

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def is_due(self, now_s: float) -> bool:
        """Whether its repo is to be asked about; its news are old then."""
        is_told = self._news.is_set()
        self._news.clear()
        return is_told or now_s >= self._due_s

    def put_off(self, now_s: float, *, first_s: float, last_s: float) -> None:
        """It was asked; each time it is put off for longer."""
        self._pause_s = min(max(first_s, self._pause_s * 2), last_s)
        self._due_s = now_s + self._pause_s

    def hear(self, found: int | LoomError) -> None:
        if isinstance(found, LoomError):
            self.error = found
        if self.is_stopped or found != self._seen:
            self.wake()
