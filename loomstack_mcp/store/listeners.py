"""A store whose transactions are told: how long each took, what it read and wrote, and which events it appended.

Of what a row holds nothing is told but what an event is about.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Statement, Store, Tx

RUNS = queries.statements("runs")
_EVENT, _DECISION = "events.insert", "policy.insert"
_OVER = frozenset({"run.ended", "run.lost"})


@dataclass(kw_only=True)
class TransactionTold:
    """One transaction. What it appended counts only where it was committed."""

    door: str
    """`read`, `write` or `append`."""
    repo_id: str = ""
    began_ns: int
    ended_ns: int = 0
    statements: int = 0
    rows: int = 0
    error: str = ""
    """The code of what it raised; "" for nothing."""
    events: list[tuple[str, str, str, Mapping[str, Any]]] = field(default_factory=list)
    """Kind, run, what it is about, and payload of each."""
    decisions: list[tuple[str, str]] = field(default_factory=list)
    """Answer and point of each."""
    over: list[Row] = field(default_factory=list)
    """The rows of runs that are over by it."""


class StoreListener(Protocol):
    """Who is told. It raises nothing, and takes no time."""

    def transaction(self, told: TransactionTold, /) -> None:
        """A transaction is over."""


class ToldStore:
    """A store, as another is, that tells a listener. What a hub keeps to itself is told to nobody."""

    def __init__(self, store: Store, listener: StoreListener) -> None:
        self._store, self._listener = store, listener

    def read(self) -> AbstractContextManager[Tx]:
        """As the store's."""
        return self._entered("read", "", self._store.read())

    def write(self, repo_id: str | Callable[[Tx], str]) -> AbstractContextManager[Tx]:
        """As the store's."""
        return self._entered("write", repo_id if isinstance(repo_id, str) else "", self._store.write(repo_id))

    def append(self) -> AbstractContextManager[Tx]:
        """As the store's."""
        return self._entered("append", "", self._store.append())

    def private(self) -> Store:
        """As the store's."""
        return self._store.private()

    def listening(self, name: str, news: Event | None = None, /) -> AbstractContextManager[Event]:
        """As the store's."""
        return self._store.listening(name, news)

    @property
    def tells_news(self) -> bool:
        """As the store's."""
        return self._store.tells_news

    def close(self) -> None:
        """As the store's."""
        self._store.close()

    @contextmanager
    def _entered(self, door: str, repo_id: str, entered: AbstractContextManager[Tx]) -> Iterator[Tx]:
        told = TransactionTold(door=door, repo_id=repo_id, began_ns=time.time_ns())
        try:
            with entered as tx:
                traced = _ToldTx(tx, told)
                yield traced
                told.over = traced.runs_over()
        except LoomError as error:
            told.error = error.code
            raise
        except BaseException as error:
            told.error = type(error).__name__
            raise
        finally:
            told.ended_ns = time.time_ns()
            self._listener.transaction(told)


class _ToldTx:
    """A transaction that is counted."""

    def __init__(self, tx: Tx, told: TransactionTold) -> None:
        self._tx, self._told = tx, told
        self.ahead, self.next_seq, self.wake = tx.ahead, tx.next_seq, tx.wake

    @property
    def now_ms(self) -> int:
        return self._tx.now_ms

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        return self._read(self._tx.all(statement, **params))

    def last(self, statement: Statement, /, **params: Any) -> list[Row]:
        return self._read(self._tx.last(statement, **params))

    def run(self, statement: Statement, /, **params: Any) -> int:
        self._note(statement, params)
        count = self._tx.run(statement, **params)
        self._told.rows += max(0, count)
        return count

    def later(self, statement: Statement, refusal: LoomError | None = None, /, **params: Any) -> None:
        self._note(statement, params)
        self._tx.later(statement, refusal, **params)

    def runs_over(self) -> list[Row]:
        """The rows of the runs that are over by this transaction."""
        ended = [run_id for kind, run_id, _, _ in self._told.events if kind in _OVER]
        return [row for run_id in ended for row in self._tx.all(RUNS["get"], id=run_id)]

    def _read(self, found: list[Row]) -> list[Row]:
        self._told.statements += 1
        self._told.rows += len(found)
        return found

    def _note(self, statement: Statement, params: Mapping[str, Any]) -> None:
        self._told.statements += 1
        if statement.name == _EVENT:
            self._told.repo_id = params["repo_id"]
            event = (params["kind"], params["run_id"], params["about"], json.loads(params["payload"]))
            self._told.events.append(event)
        elif statement.name == _DECISION:
            self._told.decisions.append((params["answer"], params["point"]))
