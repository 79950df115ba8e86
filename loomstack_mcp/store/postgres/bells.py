"""What happened in which repo, told by the database to whoever waits in another process.

At most twenty words a second leave a process: in each commit, NOTIFY would halve what a server commits (it takes one
lock for all databases). One connection a process listens, once somebody waits. News may be lost, so that whoever waits
looks by itself, too, if seldom; behind a pooler nobody can listen, and that is all there is.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store.postgres.address import DatabaseAddress

CHANNEL = "loom_news"
_APART_S = 0.05
_BYTES_MAX = 7_900
"""PostgreSQL takes 8,000."""
_ALL: list[str] = []
"""Something happened to somebody."""
_AGAIN_S = 1.0
_CLOSE_S_MAX = 2.0


class DatabaseBells:
    """The bells of one process, rung and heard."""

    def __init__(self, address: DatabaseAddress, send: Callable[[str], None]) -> None:
        """`send` has the database tell a text to all who listen."""
        self._address = address
        self._send = send
        self._lock = threading.Lock()
        self._untold: set[str] = set()
        self._ended = threading.Event()
        self._teller: threading.Thread | None = None
        self._waiting: list[tuple[str, threading.Event]] = []
        self._listener: threading.Thread | None = None
        self.is_heard = False
        """Whether what the database tells is heard now."""

    def tell(self, names: Iterable[str]) -> None:
        """Something happened to these. It is told at once, unless this process told something just now."""
        with self._lock:
            self._untold.update(names)
            if self._untold and self._teller is None:
                self._teller = threading.Thread(target=self._keep_telling, daemon=True)
                self._teller.start()

    @contextmanager
    def listening(self, name: str, news: threading.Event | None = None) -> Iterator[threading.Event]:
        """An event, or `news`, that is set whenever something happened to `name`, or to anybody where that is ""."""
        waiting = (name, news or threading.Event())
        with self._lock:
            self._waiting.append(waiting)
            if self._listener is None and not self._address.is_pooled:
                self._listener = threading.Thread(target=self._listen, daemon=True)
                self._listener.start()
        try:
            yield waiting[1]
        finally:
            with self._lock:
                self._waiting.remove(waiting)

    def close(self) -> None:
        """What was not told yet is told before this ends."""
        self._ended.set()
        with self._lock:
            teller = self._teller
        if teller:
            teller.join(_CLOSE_S_MAX)
        self._tell()

    def _keep_telling(self) -> None:
        while self._tell():
            self._ended.wait(_APART_S)

    def _tell(self) -> bool:
        """Tell what is untold; returns whether there was anything."""
        with self._lock:
            names, self._untold = sorted(self._untold), set()
            if not names:
                self._teller = None
        text = json.dumps(names)
        if names:
            with suppress(StoreUnavailable):  # who waits looks by itself
                self._send(text if len(text) < _BYTES_MAX else json.dumps(_ALL))
        return bool(names)

    def _listen(self) -> None:
        while not self._ended.is_set():
            # Also what is no word of ours: anybody in the database may tell something there.
            with suppress(psycopg.Error, ValueError), psycopg.connect(**self._address.parameters) as connection:
                connection.autocommit = True
                connection.execute(f"LISTEN {CHANNEL}".encode())
                self.is_heard = True
                self._hear(_ALL)  # what happened while nobody listened
                while not self._ended.is_set():
                    for told in connection.notifies(timeout=_AGAIN_S):
                        self._hear(json.loads(told.payload))
            self.is_heard = False
            self._ended.wait(_AGAIN_S)

    def _hear(self, names: list[str]) -> None:
        with self._lock:
            for name, event in self._waiting:
                if not (names and name) or name in names:
                    event.set()
