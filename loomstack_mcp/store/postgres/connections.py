"""The connections of one process: opened when first needed, a bounded number, given back, never shared with a fork.

No pool with threads: it would tell of a wait that ran out instead of what the server said (psycopg_pool 3.3.3 after 4 s
where this takes 2 ms: 2026-11), and a hook ends soon.
"""

import os
import threading
from collections.abc import Callable, Mapping

import psycopg

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store.postgres.address import DatabaseAddress
from loomstack_mcp.store.postgres.line import DatabaseLine

_STATEMENT_MS = 20_000


def session_settings(schema: str, *, wait_ms: int, still_ms: int) -> dict[str, str | int]:
    """What the statements need of their session."""
    return {
        "search_path": schema,
        "lock_timeout": wait_ms,
        "statement_timeout": _STATEMENT_MS,
        "idle_in_transaction_session_timeout": still_ms,
        # Tables are joined as they are written, by indexes, as SQLite does it: a table that grew in a minute has no
        # statistics yet, and 700 of 2,800 notes near a path then took 2.4 s instead of 10 ms (PostgreSQL 18, 2026-11).
        "join_collapse_limit": 1,
        "from_collapse_limit": 1,
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_seqscan": "off",
        "max_parallel_workers_per_gather": 0,
        "jit": "off",
    }


class Connections:
    """Raises StoreUnavailable where none becomes free in time."""

    def __init__(
        self,
        address: DatabaseAddress,
        settings: Mapping[str, str | int],
        opened: Callable[[DatabaseLine], None],
        *,
        most: int,
        wait_ms: int,
        answer_ms: int,
    ) -> None:
        """`settings` are those of a session, where a session is ours alone; `opened` sees each line first."""
        self._address = address
        self._settings = settings
        self._opened = opened
        self._most = most
        self._wait_ms = wait_ms
        self._answer_ms = answer_ms
        self._idle: list[DatabaseLine] = []
        self._begin_anew()

    def borrowed(self, *, fresh: bool = False) -> DatabaseLine:
        """An idle connection, or a new one. With `fresh` the idle ones, which the server may have left, are dropped."""
        if os.getpid() != self._pid:  # what a fork inherits is still in use by its parent
            self._begin_anew()
        if not self._free.acquire(timeout=self._wait_ms / 1000):
            raise StoreUnavailable(f"store {self._address.shown}: all {self._most} connections are in use; try again")
        try:
            if fresh:
                self.close()
            with self._lock:
                idle = self._idle.pop() if self._idle else None
            return idle or self._new_line()
        except BaseException:
            self._free.release()
            raise

    def give_back(self, line: DatabaseLine) -> None:
        """What is not at rest is closed: a lost one, or one that a signal interrupted."""
        self._free.release()
        if not line.is_at_rest:
            line.connection.close()
            return
        with self._lock:
            self._idle.append(line)

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.connection.close()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._most)
        self._idle = []

    def _new_line(self) -> DatabaseLine:
        parameters = dict(self._address.parameters)
        if not self._address.is_pooled:
            settings = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
            parameters["options"] = f"{parameters.get('options', '')} {settings}".strip()
        connection = psycopg.connect(**parameters, autocommit=True)
        try:
            line = DatabaseLine(connection, keeps_plans=not self._address.is_pooled, answer_ms=self._answer_ms)
            self._opened(line)
        except BaseException:
            connection.close()
            raise
        return line
