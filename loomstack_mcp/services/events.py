"""The log of a repo, the alerts that ride on answers, and the drawing of ids."""

import os
from collections.abc import Callable, Mapping

from loomstack_mcp.core.events import Alert, AlertKind, Event, EventKind
from loomstack_mcp.core.ids import BITS, Noun, spelled_id
from loomstack_mcp.core.limits import ALERTS_MAX
from loomstack_mcp.core.runs import PROCESS_SESSION
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

EVENTS = queries.statements("events")
ALERTS = queries.statements("alerts")
REPOS = queries.statements("repos")
RETENTION = queries.statements("retention")


class EventService:
    """What happened in a repo, for people and for those who wait."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def cursor(self, repo_id: str) -> int:
        """The sequence number of the last change of state."""
        with self._store.read() as tx:
            return sum(int(row["seq"]) for row in tx.all(REPOS["get"], repo_id=repo_id))

    def moved(self, repo_id: str, *, seen: int, wait_ms: int) -> int:  # noqa: ARG002 a hub's, which waits before
        """As `cursor`, and at once. A hub answers once that is another than `seen`, or `wait_ms` are over."""
        return self.cursor(repo_id)

    def cursors(self) -> Mapping[str, int]:
        """The same of every repo."""
        with self._store.read() as tx:
            return {row["id"]: int(row["seq"]) for row in tx.all(REPOS["cursors"])}

    def since(self, repo_id: str, *, since: int, limit: int) -> tuple[tuple[Event, ...], int]:
        """Up to `limit` events after `since`, oldest first; the next cursor is the last one's `seq`. And the time."""
        with self._store.read() as tx:
            found = tx.all(EVENTS["since"], repo_id=repo_id, since=since, limit=limit)
            return rows.as_records(Event, found), tx.now_ms

    def gap(self, repo_id: str) -> int:
        """Up to which sequence number events are missing, as they were too old; 0 where none is.

        Whoever read up to an earlier one did not see all that happened since, and looks at what is there.
        """
        with self._store.read() as tx:
            return sum(int(row["pruned_seq"]) for row in tx.all(RETENTION["gap"], repo_id=repo_id))

    def latest(self, repo_id: str, *, limit: int) -> tuple[tuple[Event, ...], int]:
        """The last `limit` events, oldest first. And the time, in milliseconds."""
        with self._store.read() as tx:
            found = tx.all(EVENTS["latest"], repo_id=repo_id, limit=limit)
            return rows.as_records(Event, reversed(found)), tx.now_ms


def append(
    tx: Tx,
    repo_id: str,
    kind: EventKind,
    *,
    about: str,
    run_id: str = "",
    payload: Mapping[str, object] | None = None,
    seq: int | None = None,
) -> int:
    """Record a change of state in the transaction that makes it; returns its sequence number."""
    seq = tx.next_seq(repo_id) if seq is None else seq
    event = Event(seq=seq, at_ms=tx.now_ms, kind=kind, run_id=run_id, about=about, payload=payload or {})
    tx.later(EVENTS["insert"], repo_id=repo_id, **rows.row(event))
    return seq


def alert(tx: Tx, run_id: str, kind: AlertKind, *, seq: int, about: str, text: str, who: str = "") -> None:
    """Let a run hear of something with its next answers, or before where its session is watched for."""
    tx.later(ALERTS["insert"], run_id=run_id, seq=seq, kind=kind, about=about, text=text, who=who)
    for row in tx.all(ALERTS["session"], run_id=run_id):
        wake(tx, row["session"])


def wake(tx: Tx, session: str) -> None:
    """Whoever watches for a session looks what there is to tell, or to wait for."""
    if session and not session.startswith(PROCESS_SESSION):
        tx.wake(session)


def delivered(tx: Tx, run_id: str) -> tuple[Alert, ...]:
    """The alerts that ride on the answer to this call; counts them as delivered once more."""
    due = tx.all(ALERTS["due"], run_id=run_id, limit=ALERTS_MAX)
    if due:
        heard = rows.json_column([(row["seq"], row["about"]) for row in due])
        tx.later(ALERTS["delivered"], run_id=run_id, heard=heard)
    return rows.as_records(Alert, due)


def drawn(noun: Noun, insert: Callable[[str], int]) -> str:
    """An id under which `insert` wrote its row; a taken id is drawn again."""
    while True:
        candidate = fresh_id(noun)
        if insert(candidate):
            return candidate


def fresh_id(noun: Noun) -> str:
    """An id that nothing has yet, but by a chance of one in a million millions."""
    return spelled_id(noun, int.from_bytes(os.urandom(BITS // 8), "big"))
