"""Loops: how those of a repo fare, for people who look after them."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.limits import DAY_MS, EXPIRES_DAYS_MAX
from loomstack_mcp.core.loops import LOOP_DAYS, LoopDay, LoopHarm, LoopHealth, Loops, loop_healths
from loomstack_mcp.core.texts import within
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

LOOPS = queries.statements("loops")


class LoopService:
    """What came of the runs of each loop, and what loops did to one another."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def health(self, repo_id: str, *, days: int = LOOP_DAYS, limit: int) -> Loops:
        """Each loop of a repo in the last `days`; a loop is one of one person. Sessions are none.

        Raises Invalid, or LimitExceeded, for days that are none, or more than a year.
        """
        within("days", days, least=1, most=EXPIRES_DAYS_MAX)
        with self._store.read() as tx:
            asked = {"repo_id": repo_id, "since_ms": tx.now_ms - days * DAY_MS}
            each = rows.as_records(LoopDay, tx.all(LOOPS["days"], day_ms=DAY_MS, **asked))
            harms = rows.as_records(LoopHarm, tx.all(LOOPS["harms"], **asked))
            found = loop_healths(each, [replace(one, is_cause=bool(one.is_cause)) for one in harms], of_days=days)
            shown = _with_last_runs(tx, repo_id, found[:limit])
            return Loops(loops=shown, more=len(found) - len(shown), days=days, now_ms=tx.now_ms)


def _with_last_runs(tx: Tx, repo_id: str, shown: Sequence[LoopHealth]) -> tuple[LoopHealth, ...]:
    seqs = rows.json_column([one.last_seq for one in shown])
    ids = {row["seq"]: str(row["id"]) for row in tx.all(LOOPS["last_runs"], repo_id=repo_id, seqs=seqs)}
    return tuple(replace(one, last_run=ids[one.last_seq]) for one in shown)
