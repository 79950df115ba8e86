"""One transaction of PostgreSQL, as the seam wants it, in few round trips.

It begins with its first question. What is only written waits for the next question, or for the end, and goes with it.
What was asked and is asked again is not sent again while nothing was written since.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import pq

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.limits import OTHER_BOOT_MARGIN_MS
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Row, Statement, refuse_nul
from loomstack_mcp.store.postgres.line import DatabaseLine, Sent
from loomstack_mcp.store.postgres.spelling import positional, reads_alone

POSTGRES = queries.statements("postgres")
REPOS = queries.statements("repos")
_COMMIT: Sent = ("COMMIT", ())
_RENUMBERS = "UPDATE repo SET seq"
_NO_BOOTS = {"boot_id": "postgres", "wall_ahead_ms": 0, "lease_ahead_ms": OTHER_BOOT_MARGIN_MS}
"""The database's clock is everybody's: there are no boots to tell apart."""


class PostgresTx:
    """One open transaction on one line."""

    def __init__(
        self,
        line: DatabaseLine,
        begin: Sequence[str],
        *,
        now_ms: Callable[[Row], int],
        reconnected: Callable[[], DatabaseLine],
    ) -> None:
        """`now_ms` tells the instant from what the database says of it; `reconnected` gives another line."""
        self.line = line
        self.woken: dict[str, None] = {}
        """The sessions whose watchers look once this has committed."""
        self.numbered: set[str] = set()
        """The repos in which something happened."""
        self.has_written = self._is_over = False
        self._begin: list[Sent] = [(text, ()) for text in begin]
        self._now_ms_of = now_ms
        self._now_ms: int | None = None
        """None as long as nobody asked."""
        self._reconnected = reconnected
        self._known: dict[Sent, list[Row]] = {}
        """What was asked since something was last written."""
        self._ahead: list[Sent] = []
        self._waiting: list[Sent] = []
        self._refusals: dict[int, LoomError] = {}
        """By the place among those: what is raised where one of them changes nothing."""
        self._repo_id, self._seq, self._is_counted = "", 0, True

    @property
    def now_ms(self) -> int:
        """Milliseconds since the epoch, by the database's clock."""
        if self._now_ms is None:
            self._rows([])
        assert self._now_ms is not None
        return self._now_ms

    def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """Every row the statement returns, in its order."""
        question = self._question(statement, params)
        if question not in self._known:
            found = self._rows([question])[0]
            if not reads_alone(question[0]):
                self._known = {}
                return found
            self._known[question] = found
        return self._known[question]

    def ahead(self, statement: Statement, /, **params: Any) -> None:
        """It is asked with the lock."""
        self._ahead.append(self._question(statement, params))

    def last(self, statement: Statement, /, **params: Any) -> list[Row]:
        """As `all`, with the end of the transaction, which wrote nothing."""
        assert not self.has_written
        found, _ = self._rows([self._question(statement, params), _COMMIT])
        self._is_over = True
        return found

    def run(self, statement: Statement, /, **params: Any) -> int:
        """How many rows the statement changed."""
        [answer] = self._asked([self._change(statement, params)])
        self._known = {}
        return answer.command_tuples or 0

    def later(self, statement: Statement, refusal: LoomError | None = None, /, **params: Any) -> None:
        """A write whose count nobody needs."""
        self._waiting.append(self._change(statement, params))
        if refusal:
            self._refusals[len(self._waiting) - 1] = refusal
        self._known = {}

    def next_seq(self, repo_id: str, /) -> int:
        """Take the next sequence number of a repo; of the one whose lock is held, without asking."""
        self.numbered.add(repo_id)
        if repo_id != self._repo_id:
            [taken] = self.all(REPOS["next_seq"], repo_id=repo_id)
            return int(taken["seq"])
        self._seq, self._is_counted, self._known = self._seq + 1, False, {}
        return self._seq

    def wake(self, session: str, /) -> None:
        """Once this has committed, whoever watches for that session looks what it is."""
        self.woken[session] = None

    def locked(self, repo_id: str) -> bool:
        """Take the lock of a repo, and ask once more what was asked so far; False for a repo that is unknown."""
        known = list(dict.fromkeys([*self._known, *self._ahead]))
        [found, *others] = self._told([self._question(POSTGRES["lock"], {"repo_id": repo_id}), *known])
        self._known = dict(zip(known, others, strict=True))
        if found:
            self._now_ms = self._now_ms_of(found[0])
            self._repo_id, self._seq = repo_id, int(found[0]["seq"])
        return bool(found)

    def commit(self) -> bool:
        """Whether all of it is done now; nothing, where nothing was asked."""
        if self._is_over or (self._begin and not self._waiting):
            return True
        if self._refusals:  # nothing is done before it is known that nothing is refused
            self._asked([])
        return self._asked([_COMMIT])[-1].command_status == b"COMMIT"

    def _question(self, statement: Statement, params: Mapping[str, Any]) -> Sent:
        refuse_nul(params)
        text, names = positional(statement.postgres or statement.text)
        return text, tuple(params[name] if name in params else self._of_moment(name) for name in names)

    def _change(self, statement: Statement, params: Mapping[str, Any]) -> Sent:
        self.has_written = True
        change = self._question(statement, params)
        if _RENUMBERS in change[0]:  # from here on the database counts
            self._waiting, self._repo_id = self._written(), ""
        return change

    def _of_moment(self, name: str) -> Any:
        return self.now_ms if name == "now_ms" else _NO_BOOTS[name]

    def _rows(self, questions: Sequence[Sent]) -> list[list[Row]]:
        """With the clock, where nobody has read it: most who ask anything want it, and it costs no trip of its own."""
        if self._now_ms is not None:
            return self._told(questions)
        [[clock], *found] = self._told([self._question(POSTGRES["began"], {}), *questions])
        self._now_ms = self._now_ms_of(clock)
        return found

    def _told(self, questions: Sequence[Sent]) -> list[list[Row]]:
        answers = self._asked(questions)
        return [self.line.rows(text, answer) for (text, _), answer in zip(questions, answers, strict=True)]

    def _asked(self, questions: Sequence[Sent]) -> "list[pq.abc.PGresult]":
        refusals, self._refusals = self._refusals, {}
        statements = [*self._written(), *questions]
        answers = self._begun(statements) if self._begin else self.line.sent(statements)
        for at, refusal in refusals.items():
            if not answers[at].command_tuples:
                raise refusal
        return answers[len(statements) - len(questions) :]

    def _written(self) -> list[Sent]:
        waiting, self._waiting = self._waiting, []
        if not self._is_counted:
            self._is_counted = True
            waiting.append(self._question(POSTGRES["count"], {"repo_id": self._repo_id, "seq": self._seq}))
        return waiting

    def _begun(self, statements: Sequence[Sent]) -> "list[pq.abc.PGresult]":
        """The answers to the first statements. A line that was lost meanwhile is made anew: nothing was written yet."""
        whole, self._begin = [*self._begin, *statements], []
        try:
            return self.line.sent(whole)[-len(statements) :]
        except psycopg.OperationalError:
            if not self.line.is_lost or (self.has_written and _COMMIT in statements):
                raise
            self.line = self._reconnected()
            return self.line.sent(whole)[-len(statements) :]
