"""Waits for a repo to change: the store is asked once for all who wait in this process, however many they are."""

import contextvars
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from loomstack_mcp.core.errors import LoomError

_POLL_FIRST_S = 0.05
_POLL_LAST_S, _FAR_POLL_LAST_S = 0.2, 2.0
"""Other processes change a repo, so that the store must be asked, and a hub more seldom, which many ask at once:
whoever waits hears of it within that, and sooner where the store tells of news by itself."""
_LOOK_S = 0.05


StoreNews = Callable[[str], AbstractContextManager[threading.Event]]


class Waits:
    """Whoever waits sleeps on its own thread, and one more asks on behalf of all."""

    def __init__(
        self,
        cursor: Callable[[str], int],
        *,
        listening: StoreNews = lambda _: nullcontext(threading.Event()),
        is_far: Callable[[], bool] = lambda: False,
    ) -> None:
        """`cursor` tells where a repo is; it is asked as one of those who wait there. `listening` is as the store's."""
        self._cursor = cursor
        self._listening = listening
        self._is_far = is_far
        self._lock = threading.Lock()
        self._waits: dict[_Wait, None] = {}
        self._is_asking = False
        self._pause_s = _POLL_FIRST_S

    def await_change(self, repo_id: str, seen: int, *, until_s: float, stopped: threading.Event) -> None:
        """Sleep until the repo has moved on, the call is stopped, or that time of the monotonic clock has come.

        Raises LoomError where the store cannot be asked.
        """
        with self._listening(repo_id) as news:
            self._await(_Wait(repo_id, seen, stopped, news), until_s=until_s)

    def _await(self, one: "_Wait", *, until_s: float) -> None:
        with self._lock:
            self._waits[one] = None
            self._pause_s = _POLL_FIRST_S
            if not self._is_asking:
                self._is_asking = True
                threading.Thread(target=self._ask, daemon=True).start()
        try:
            one.woken.wait(max(0, until_s - time.monotonic()))
        finally:
            with self._lock:
                del self._waits[one]
        if one.error:
            raise one.error

    def _ask(self) -> None:
        """Wake whoever has waited long enough, for as long as anybody waits."""
        try:
            while (pause_s := self._round()) is not None:
                self._sleep(pause_s)
        except BaseException:  # whoever waits next starts another
            with self._lock:
                self._is_asking = False
            raise

    def _sleep(self, pause_s: float) -> None:
        """Until there are news for anybody who waits, or for so long."""
        with self._lock:
            news = [one.news for one in self._waits]
        until_s = time.monotonic() + pause_s
        while (left_s := until_s - time.monotonic()) > 0 and not any(one.is_set() for one in news):
            time.sleep(min(_LOOK_S, left_s))
        for one in news:
            one.clear()

    def _round(self) -> float | None:
        """Ask once for each repo, and return how long to pause; None where nobody waits any more."""
        last_s = _FAR_POLL_LAST_S if self._is_far() else _POLL_LAST_S
        with self._lock:
            waits, pause_s = tuple(self._waits), self._pause_s
            self._pause_s = min(pause_s * 2, last_s)
            self._is_asking = bool(waits)
        found: dict[str, int | LoomError] = {}
        for one in waits:
            if one.repo_id not in found:
                found[one.repo_id] = self._asked(one)
            one.hear(found[one.repo_id])
        return pause_s if waits else None

    def _asked(self, one: "_Wait") -> int | LoomError:
        try:
            return one.context.run(self._cursor, one.repo_id)
        except LoomError as error:
            return error


class _Wait:
    def __init__(self, repo_id: str, seen: int, stopped: threading.Event, news: threading.Event) -> None:
        self.repo_id, self.news = repo_id, news
        self.woken = threading.Event()
        self.context = contextvars.copy_context()
        """In whose name the store is asked."""
        self.error: LoomError | None = None
        self._seen, self._stopped = seen, stopped

    def hear(self, found: int | LoomError) -> None:
        if isinstance(found, LoomError):
            self.error = found
        if self._stopped.is_set() or found != self._seen:
            self.woken.set()
