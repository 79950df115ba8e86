"""A line to the server: statements that are sent together, in one round trip whatever their number.

psycopg opens it and says what went wrong; statements go by its libpq alone. Its cursors cost 70 µs a statement, and a
claim is a dozen of them under a lock; this costs 10 (2026-11, two cores, Python 3.11).
"""

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import psycopg
from psycopg import Connection, errors, pq
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.store.base import Row

TupleRow = tuple[Any, ...]
Sent = tuple[str, tuple[Any, ...]]
"""A statement with `$1`, `$2` … and their values."""
_BYTEA = 17
_OIDS: Mapping[type, int] = {bool: 20, int: 20, str: 25, bytes: _BYTEA, float: 701, type(None): 0}
_Kinds = tuple[int, ...]
"""The types of the values, as the server numbers them."""
_TEXT, _BINARY = 0, 1
_READ, _WRITE = select.POLLIN, select.POLLIN | select.POLLOUT
_UNPLANNED = frozenset({"COMMIT"})
"""So short that no plan is shorter."""
_FAILED = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE})


class DatabaseLine:
    """One connection. Errors leave as psycopg's."""

    def __init__(self, connection: "Connection[TupleRow]", *, keeps_plans: bool, answer_ms: int) -> None:
        """`keeps_plans` says that the next transaction has the same session, and what was prepared in it.

        A server that says nothing for `answer_ms` is lost.
        """
        self.connection = connection
        self._wire = connection.pgconn
        self._keeps_plans = keeps_plans
        self._answer_ms = answer_ms
        self._plans: dict[tuple[str, _Kinds], bytes] = {}
        """The name under which the server knows a statement with values of some types."""
        self._planned = 0
        self._columns: dict[str, tuple[list[str], list[Callable[[bytes], Any]]]] = {}

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._wire.status == ConnStatus.BAD

    @property
    def is_at_rest(self) -> bool:
        """Whether whoever has it next begins anew."""
        return not self.is_lost and self._wire.transaction_status == TransactionStatus.IDLE

    def sent(self, statements: Sequence[Sent]) -> "list[pq.abc.PGresult]":
        """What each is answered. The first that fails is raised, and none after it was done."""
        told = [(text, tuple(_OIDS[type(value)] for value in values), _told(values)) for text, values in statements]
        made: dict[tuple[str, _Kinds], bytes] = {}
        self._wire.enter_pipeline_mode()
        are_answers = [is_answer for one in told for is_answer in self._send(*one, made)]
        self._wire.pipeline_sync()
        answers: list[pq.abc.PGresult] = []
        try:
            self._flush()
            answers.extend(self._answers())
            self._wire.exit_pipeline_mode()
        finally:
            for answer in answers:
                if answer.status in _FAILED:  # what the server said before it left says more than that it did
                    raise errors.error_from_result(answer)
        self._plans |= made
        return list(compress(answers, are_answers))

    def rows(self, text: str, answer: "pq.abc.PGresult") -> list[Row]:
        """The rows of an answer; of one statement the columns are always the same."""
        if text not in self._columns:
            places = range(answer.nfields)
            names = [(answer.fname(at) or b"").decode() for at in places]
            self._columns[text] = (names, [_LOADERS.get(answer.ftype(at), _text) for at in places])
        names, loaders = self._columns[text]
        get = answer.get_value
        return [
            {
                name: None if (value := get(row, at)) is None else load(value)
                for at, (name, load) in enumerate(zip(names, loaders, strict=True))
            }
            for row in range(answer.ntuples)
        ]

    def give_up(self) -> None:
        """Whatever transaction is open is not done."""
        try:
            if self._wire.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                self.connection.execute("ROLLBACK")
        except psycopg.OperationalError:
            pass  # a transaction whose connection is lost was rolled back by that

    def _send(
        self, text: str, kinds: _Kinds, told: list[bytes | None], made: dict[tuple[str, _Kinds], bytes]
    ) -> tuple[bool, ...]:
        """Of what is sent, whether it is the statement itself, and not what prepares it."""
        formats = [_BINARY if kind == _BYTEA else _TEXT for kind in kinds]
        if not self._keeps_plans or text in _UNPLANNED:
            self._wire.send_query_params(text.encode(), told, kinds, formats)
            return (True,)
        plan = self._plans.get((text, kinds)) or made.get((text, kinds))
        if plan is not None:
            self._wire.send_query_prepared(plan, told, formats)
            return (True,)
        self._planned += 1  # a name is never used twice, though what it stood for failed
        plan = made[text, kinds] = b"s%d" % self._planned
        self._wire.send_prepare(plan, text.encode(), kinds)
        self._wire.send_query_prepared(plan, told, formats)
        return (False, True)

    def _flush(self) -> None:
        while self._wire.flush():
            self._wait(_WRITE)

    def _answers(self) -> "Iterator[pq.abc.PGresult]":
        while True:
            while self._wire.is_busy():
                self._wait(_READ)
            answer = self._wire.get_result()
            if answer is None:
                if self.is_lost:
                    raise psycopg.OperationalError(self._wire.get_error_message())
            elif answer.status == ExecStatus.PIPELINE_SYNC:
                return
            else:
                yield answer

    def _wait(self, what: int) -> None:
        ready = select.poll()  # which lets other threads run
        ready.register(self._wire.socket, what)
        found = ready.poll(self._answer_ms)
        if not found:
            self._wire.finish()
            raise psycopg.OperationalError(f"no answer within {self._answer_ms // SECOND_MS} s")
        if found[0][1] & ~select.POLLOUT:
            self._wire.consume_input()


def _told(values: Sequence[Any]) -> list[bytes | None]:
    """The values as they are sent: all of them before anything is, for one may be such that none can be."""
    return [
        value if value is None or isinstance(value, bytes)
        else value.encode() if isinstance(value, str)
        else b"%d" % value if isinstance(value, int)
        else repr(value).encode()
        for value in values
    ]  # fmt: skip


def _text(value: bytes) -> str:
    return value.decode()


def _truth(value: bytes) -> int:
    return int(value == b"t")


_LOADERS: Mapping[int, Callable[[bytes], Any]] = {
    **dict.fromkeys((20, 21, 23), int),
    **dict.fromkeys((700, 701, 1700), float),
    16: _truth,  # of a comparison, as SQLite answers it: 0 or 1
    _BYTEA: pq.Escaping().unescape_bytea,
}
