"""Requests that take their time: each on a thread, answered once, or never where the client cancelled it."""

import queue
import threading
from collections.abc import Callable

from loomstack_mcp.server.errors import INTERNAL
from loomstack_mcp.server.front.failures import log_error, refused
from loomstack_mcp.server.front.messages import Json, RequestId, correlated
from loomstack_mcp.server.front.wire import Wire

_THREADS_MAX = 200
"""Of one session: a call that waits for others sleeps on its own."""
_IDLE_S = 20
"""A thread that had nothing to do for so long ends."""


class Running:
    """A request that is being worked on."""

    def __init__(self, id: RequestId) -> None:  # noqa: A002 the protocol's word
        self.id = id
        self.cancelled = False
        self.stop: Callable[[], None] | None = None
        """Tells the work that nobody waits for it."""


class Calls:
    """The requests in flight."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._running: dict[RequestId, Running] = {}
        self._owed = 0
        self._settled = threading.Condition()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        """Threads that wait for a job, less the jobs that wait for a thread."""

    def start(self, id: RequestId, work: Callable[[Running], Json]) -> None:  # noqa: A002 the protocol's word
        """Work on a request, and answer it with the message that `work` returns, or that it failed."""
        one = Running(id)
        self._find_thread()  # before anything is owed: a machine may have no room for one
        with self._settled:
            self._running[correlated(id)] = one
            self._owed += 1
        self._jobs.put(lambda: self._answer(one, work))

    def cancel(self, id: RequestId) -> bool:  # noqa: A002 the protocol's word
        """Nobody waits for this request any more; whether it was one that is worked on here."""
        with self._settled:
            one = self._running.pop(correlated(id), None)
            if one is None:
                return False
            one.cancelled = True
            self._settle()
        if one.stop:
            one.stop()
        return True

    def all_answered(self) -> None:
        """Returns once nothing is owed."""
        with self._settled:
            self._settled.wait_for(lambda: not self._owed)

    def _answer(self, one: Running, work: Callable[[Running], Json]) -> None:
        if one.cancelled:  # before its turn came: nothing of it is done
            return
        answer = _worked(one, work)
        with self._settled:
            if one.cancelled:
                return
            key = correlated(one.id)
            if self._running.get(key) is one:
                del self._running[key]
        try:
            self._wire.send(answer)
        finally:
            with self._settled:
                self._settle()

    def _settle(self) -> None:
        self._owed -= 1
        self._settled.notify_all()

    def _find_thread(self) -> None:
        with self._settled:
            if self._idle > 0 or self._threads >= _THREADS_MAX:
                self._idle -= 1
                return
            self._threads += 1
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:
            with self._settled:
                self._threads -= 1
            raise

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._settled:
                    if self._idle > 0:  # no job is meant for this one
                        self._idle -= 1
                        self._threads -= 1
                        return
                continue
            job()
            with self._settled:
                self._idle += 1


def _worked(one: Running, work: Callable[[Running], Json]) -> Json:
    try:
        return work(one)
    except Exception as error:  # noqa: BLE001 the request's last handler: its text stays on the server
        log_error(error)
        return refused(one.id, INTERNAL)
