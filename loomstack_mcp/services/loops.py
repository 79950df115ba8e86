"""Loops: how those of a repo fare, for people who look after them."""

from collections import defaultdict
from dataclasses import replace

from loomstack_mcp.core.limits import DAY_MS, EXPIRES_DAYS_MAX
from loomstack_mcp.core.loops import LOOP_DAYS, LoopHarm, LoopHealth, Loops, spark_of, with_harms
from loomstack_mcp.core.texts import within
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

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
            since_ms = tx.now_ms - days * DAY_MS
            found = tx.all(LOOPS["figures"], repo_id=repo_id, since_ms=since_ms, limit=limit)
            loops = _told_loops(tx, repo_id, found, since_ms=since_ms, days=days) if found else ()
            of_all = int(found[0]["loops"]) if found else 0
            return Loops(loops=loops, more=of_all - len(loops), days=days, now_ms=tx.now_ms)


def _told_loops(tx: Tx, repo_id: str, found: list[Row], *, since_ms: int, days: int) -> tuple[LoopHealth, ...]:
    """Each with its newest run, its days, and what it did to others."""
    asked = {"repo_id": repo_id, "since_ms": since_ms}
    seqs = rows.json_column([row["last_seq"] for row in found])
    ids = {row["seq"]: str(row["id"]) for row in tx.all(LOOPS["last_runs"], repo_id=repo_id, seqs=seqs)}
    sparks: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for row in tx.all(LOOPS["days"], day_ms=DAY_MS, **asked):
        sparks[row["loop"], row["who"]][row["day"]] = row["runs"]
    harms = {(row["loop"], row["who"], bool(row["is_cause"])): row for row in tx.all(LOOPS["harms"], **asked)}
    known = {key: rows.as_record(LoopHarm, row) for key, row in harms.items()}
    return tuple(
        replace(
            with_harms(one, known),
            last_run=ids.get(one.last_seq, ""),
            spark=spark_of(sparks[one.loop, one.who], days=days),
        )
        for one in rows.as_records(LoopHealth, found)
    )
