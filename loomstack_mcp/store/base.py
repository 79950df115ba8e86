"""The whole seam between the services and a database: two protocols and a statement."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

from loomstack_mcp.core.errors import Invalid, LoomError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Statement:
    """One named query of `sql/queries/*.sql`, with `:named` parameters."""

    name: str
    text: str
    postgres: str = ""
    """Its text for PostgreSQL, where one text for both would not do."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The instant of a transaction, whose parts every statement may name as parameters.

    A lease that another boot wrote ends, by the clock of this one, at
    `expires_at_ms + wall_ahead_ms + :lease_ahead_ms`: at its end by the wall clock, and a margin.
    """

    now_ms: int
    """By the lease clock of this boot."""
    boot_id: str
    wall_ahead_ms: int
    """How far the wall clock is ahead of the lease clock."""
    lease_ahead_ms: int
    """How far the lease clock is ahead of the wall clock, and the margin for clocks that differ."""


def known_parameters(moment: Moment, params: Mapping[str, Any], /) -> dict[str, Any]:
    """What a statement may name. Raises as `refuse_nul`."""
    refuse_nul(params)
    return {**vars(moment), **params}


def refuse_nul(params: Mapping[str, Any], /) -> None:
    """Raises Invalid for a text with the character NUL, which PostgreSQL cannot keep."""
    for name, value in params.items():
        if isinstance(value, str) and "\0" in value:
            raise Invalid(f"{name} holds the character NUL; leave it out")


class Tx(Protocol):
    """One open transaction. It commits when its block ends, and rolls back when the block raises."""

    @property
    def now_ms(self) -> int:
        """Milliseconds since the epoch, read once, after the lock. It never steps while the machine is up."""

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """Every row the statement returns, in its order. It may name the clock of this transaction: `:boot_id` and

        `:wall_ahead_ms`, whose and how the times are that it writes, and `:lease_ahead_ms`, to read those of others.
        """

    def ahead(self, statement: Statement, /, **params: Any) -> None:
        """What will be asked under the lock, told by whoever names its repo: over a network it is asked with that."""

    def last(self, statement: Statement, /, **params: Any) -> list[Row]:
        """As `all`, where nothing was written and nothing else is asked: over a network the end goes with it."""

    def run(self, statement: Statement, /, **params: Any) -> int:
        """How many rows the statement changed."""

    def later(self, statement: Statement, refusal: LoomError | None = None, /, **params: Any) -> None:
        """A write whose count nobody needs: done before whatever this transaction asks next, and before it commits.

        With a `refusal`, that is raised by then where it changes nothing. Over a network it costs no trip of its own.
        """

    def next_seq(self, repo_id: str, /) -> int:
        """Take the next sequence number of a repo, for an event of this transaction."""

    def wake(self, session: str, /) -> None:
        """Once this has committed, whoever watches for that session looks what it is."""


class Store(Protocol):
    """A database, opened. Every door is one transaction, and there is no other way in."""

    def read(self) -> AbstractContextManager[Tx]:
        """One consistent snapshot; takes no lock and never waits for a writer."""

    def write(self, repo_id: str | Callable[[Tx], str]) -> AbstractContextManager[Tx]:
        """Takes the lock of the repo, then reads the clock. Raises NotFound for a repo the store does not know.

        Where only the store can name the repo, it is asked in the same transaction: what the last of those questions
        read holds under the lock.
        """

    def append(self) -> AbstractContextManager[Tx]:
        """A write that belongs to no repo yet, or needs no order within one."""

    def private(self) -> "Store":
        """The database beside this one for what no view and no export shows; another place, and tables of its own."""

    def listening(self, name: str, news: "Event | None" = None, /) -> "AbstractContextManager[Event]":
        """An event that is set when something happened in a repo, or for a session, by its name; "" hears of all.

        It is `news`, where that is given.
        Soon, seldom or never: whoever waits looks by itself, too.
        """

    @property
    def tells_news(self) -> bool:
        """Whether those events are set by what other processes do, as things are now."""

    def close(self) -> None:
        """Give back every connection. The store may not be used afterwards."""
