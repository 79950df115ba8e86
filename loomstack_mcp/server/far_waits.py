"""Waits at an edge: the hub is asked once for all who wait here for a repo, and answers once that has moved.

A hub that leaves no question open, because it is older or has too many of them, or of all calls of this token, is
asked again, ever more seldom.
"""

import threading
import time
from collections.abc import Callable

from loomstack_mcp.core.errors import LimitExceeded, LoomError, NotFound, StoreUnavailable
from loomstack_mcp.core.limits import OPEN_QUESTION_MS_MAX
from loomstack_mcp.services.events import EventService

_POLL_FIRST_S, _POLL_LAST_S = 0.05, 2.0
_AT_ONCE_S = 1.0
"""Whoever answers sooner than this, though nothing happened, did not leave the question open."""
_LOOK_S = 0.05


class FarWaits:
    """Whoever waits sleeps on its own thread, and one more for each repo asks."""

    def __init__(self, events: Callable[[], EventService]) -> None:
        self._events = events
        self._changed = threading.Condition()
        self._asking: dict[str, _Asking] = {}

    def await_change(self, repo_id: str, seen: int, *, until_s: float, stopped: threading.Event) -> None:
        """As `ChangeWaits`."""
        one = _FarWait(seen)
        with self._changed:
            asking = self._asking.get(repo_id)
            if asking is None:
                asking = self._asking[repo_id] = _Asking(self._events())
                threading.Thread(target=self._ask, args=(repo_id, asking), daemon=True).start()
            asking.join(one)
            try:
                while not (one.is_over or stopped.is_set()) and (left_s := until_s - time.monotonic()) > 0:
                    self._changed.wait(min(_LOOK_S, left_s))
            finally:
                asking.waits.remove(one)
        if one.error:
            raise one.error

    def _ask(self, repo_id: str, asking: "_Asking") -> None:
        """For as long as anybody waits."""
        try:
            while (seen := self._unmoved(repo_id, asking)) is not None:
                began_s = time.monotonic()
                found = asking.answer(repo_id, seen)
                with self._changed:
                    asking.hear(found)
                    self._changed.notify_all()
                if found == seen and time.monotonic() - began_s < _AT_ONCE_S:
                    time.sleep(asking.pause_s())
        except BaseException:  # whoever waits next starts another
            with self._changed:
                del self._asking[repo_id]
            raise

    def _unmoved(self, repo_id: str, asking: "_Asking") -> int | None:
        """Where the repo was last; None where nobody waits for it to move any more."""
        with self._changed:
            if all(one.is_over for one in asking.waits):
                del self._asking[repo_id]
                return None
            return asking.seen


class _FarWait:
    def __init__(self, seen: int) -> None:
        self.seen = seen
        self.is_over = False
        self.error: LoomError | None = None


class _Asking:
    """All who wait for one repo."""

    def __init__(self, events: EventService) -> None:
        self.waits: list[_FarWait] = []
        self.seen = -1
        """Where the repo was last, as far as any of them knows."""
        self._events = events
        self._is_older = False
        self._pause_s = 0.0

    def join(self, one: _FarWait) -> None:
        """One more waits, which may know of a change that the others do not."""
        self.waits.append(one)
        self._pause_s = 0.0
        self.hear(max(one.seen, self.seen))

    def hear(self, found: int | LoomError) -> None:
        """What the hub says is told to all whom it concerns."""
        if not isinstance(found, LoomError):
            self.seen = found
        for one in self.waits:
            if not one.is_over and one.seen != found:
                one.is_over = True
                one.error = found if isinstance(found, LoomError) else None

    def answer(self, repo_id: str, seen: int) -> int | LoomError:
        """Where the repo is, once it has moved on, or the hub would wait no longer."""
        try:
            try:
                if not self._is_older:
                    return self._events.moved(repo_id, seen=seen, wait_ms=OPEN_QUESTION_MS_MAX)
            except NotFound:  # which this question is to a hub that does not know it
                self._is_older = True
            except StoreUnavailable:  # whoever stands between waited less long, or the replica ended: a word says more
                pass
            return self._events.cursor(repo_id)
        except LimitExceeded:  # of calls of this token, which others may have made: it is asked again, more seldom
            return seen
        except LoomError as error:
            return error

    def pause_s(self) -> float:
        """How long to ask nothing, after an answer that came at once."""
        self._pause_s = min(max(_POLL_FIRST_S, self._pause_s * 2), _POLL_LAST_S)
        return self._pause_s
