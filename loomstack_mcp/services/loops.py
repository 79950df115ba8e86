"""Loops: how those of a repo fare, for people who look after them."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from loomstack_mcp.core.limits import DAY_MS, EXPIRES_DAYS_MAX, LOST_AFTER_SILENT_MS
from loomstack_mcp.core.loops import LOOP_DAYS, LoopHealth, Loops, spark_of
from loomstack_mcp.core.texts import within
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

LOOPS = queries.statements("loops")
MICRO = 1_000_000

_Loop = tuple[str, str]
"""Its name, and whose it is."""


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
            silent_since_ms = tx.now_ms - LOST_AFTER_SILENT_MS
            asked = {"repo_id": repo_id, "since_ms": since_ms, "silent_since_ms": silent_since_ms}
            found = tx.all(LOOPS["figures"], limit=limit, **asked)
            loops = _told_loops(tx, repo_id, found, since_ms=since_ms, days=days) if found else ()
            of_all = int(found[0]["loops"]) if found else 0
            return Loops(loops=loops, more=of_all - len(loops), days=days, now_ms=tx.now_ms)


def _told_loops(tx: Tx, repo_id: str, found: list[Row], *, since_ms: int, days: int) -> tuple[LoopHealth, ...]:
    """Each with its newest run, its days, what it cost, and what it did to others."""
    asked = {"repo_id": repo_id, "since_ms": since_ms}
    seqs = rows.json_column([row["last_seq"] for row in found])
    ids = {row["seq"]: str(row["id"]) for row in tx.all(LOOPS["last_runs"], repo_id=repo_id, seqs=seqs)}
    sparks: dict[_Loop, dict[int, int]] = defaultdict(dict)
    for row in tx.all(LOOPS["days"], day_ms=DAY_MS, **asked):
        sparks[row["loop"], row["who"]][row["day"]] = row["runs"]
    costs = {(row["loop"], row["who"]): _cost(row) for row in tx.all(LOOPS["costs"], **asked)}
    conflicts: dict[tuple[_Loop, bool], int] = {
        ((row["loop"], row["who"]), bool(row["is_cause"])): row["times"] for row in tx.all(LOOPS["conflicts"], **asked)
    }
    reversals = _reversals(tx.all(LOOPS["reversals"], **asked))
    return tuple(
        replace(
            one,
            last_run=ids.get(one.last_seq, ""),
            spark=spark_of(sparks[key], days=days),
            conflicts_caused=conflicts.get((key, True), 0),
            conflicts_suffered=conflicts.get((key, False), 0),
            reversals_caused=reversals[key, True],
            reversals_suffered=reversals[key, False],
            **costs.get(key, {}),
        )
        for one in rows.as_records(LoopHealth, found)
        for key in [(one.loop, one.who)]
    )


def _cost(row: Row) -> dict[str, Any]:
    micro_usd = row["cost_micro_usd"]
    return {"tokens": row["tokens"], "cost_usd": None if micro_usd is None else micro_usd / MICRO}


def _reversals(found: list[Row]) -> Counter[tuple[_Loop, bool]]:
    """How often each loop took back what was not its own, and others what was its."""
    times: Counter[tuple[_Loop, bool]] = Counter()
    for row in found:
        by, of = (row["by_loop"], row["by_who"]), (row["of_loop"], row["of_who"])
        if by != of:
            times[by, True] += row["times"]
            times[of, False] += row["times"]
    return times
