"""Notices: kept with what they tell of, and taken one by one by whoever sends them."""

from loomstack_mcp.core.limits import DAY_MS, HOUR_MS, SECOND_MS
from loomstack_mcp.core.notices import Notice, NoticeKind, notice_text
from loomstack_mcp.services import events
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

NOTICES = queries.statements("notices")

_TAKEN_MS = 30 * SECOND_MS
"""Who took a notice has this long; then it is gone itself, and somebody else tries."""
_AGAIN_MS = SECOND_MS
"""After the first try that failed; four times as long after each that follows."""


class NoticeService:
    """The outbox of this store: each notice is sent by one process at a time, and leaves once it arrived."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_due(self) -> bool:
        """Whether somebody should try to send something now."""
        with self._store.read() as tx:
            return bool(tx.all(NOTICES["due"], now_ms=tx.now_ms))

    def due_in_ms(self) -> int | None:
        """How long until something is due; None where nothing waits."""
        with self._store.read() as tx:
            [found] = tx.all(NOTICES["next"])
            return None if found["due_at_ms"] is None else max(0, found["due_at_ms"] - tx.now_ms)

    def take(self) -> Notice | None:
        """The next notice that is due, for the caller alone to send; None where there is none."""
        with self._store.append() as tx:
            tx.later(NOTICES["drop_old"], since_ms=tx.now_ms - DAY_MS)
            taken = tx.all(NOTICES["take"], now_ms=tx.now_ms, until_ms=tx.now_ms + _TAKEN_MS)
            return rows.as_record(Notice, taken[0]) if taken else None

    def arrived(self, notice: Notice) -> None:
        """It was sent."""
        with self._store.append() as tx:
            tx.later(NOTICES["sent"], id=notice.id)

    def failed(self, notice: Notice, *, answered: str) -> None:
        """It could not be sent: it is tried again after a while, ever longer."""
        with self._store.append() as tx:
            again_ms = min(HOUR_MS, _AGAIN_MS * 4 ** min(notice.tries, 10))
            tx.later(NOTICES["failed"], id=notice.id, due_at_ms=tx.now_ms + again_ms, answered=answered)

    def unsent(self) -> tuple[int, str]:
        """How many notices failed and still wait, and what was wrong with one."""
        with self._store.read() as tx:
            [found] = tx.all(NOTICES["unsent"])
            return found["count"], found["answered"] or ""


def give_notice(tx: Tx, repo_id: str, kind: NoticeKind, *, about: str, run_id: str, text: str, then: str = "") -> None:
    """People should hear of this, where they have a webhook; a day later nobody needs to. `then` is never cut."""
    tx.later(NOTICES["drop_old"], since_ms=tx.now_ms - DAY_MS)
    said = {"repo_id": repo_id, "kind": kind, "about": about, "run_id": run_id, "text": notice_text(text, then=then)}
    events.drawn("notice", lambda id: tx.run(NOTICES["insert"], id=id, now_ms=tx.now_ms, **said))  # noqa: A006


def settle_notices(tx: Tx, about: str) -> None:
    """What they tell of waits for nobody any more: those that nobody sent yet are not sent."""
    tx.later(NOTICES["settle"], about=about)
