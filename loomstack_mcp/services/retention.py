"""What is older than somebody wants to keep goes out of a store, some rows at a time, and nothing that is needed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.core.retention import is_decision_kept, is_event_kept
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.expiry import swept
from loomstack_mcp.services.run_groups import RETENTION, RunGroup, groups_of, left_by, sorted_groups
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Row, Statement, Store, Tx

_ROWS_MAX = 80
"""Rows that go in one transaction: whoever waits at the gate waits no longer for it than for another writer."""
_EVENTS_MAX = 200
"""Events lie side by side, so that more of them go in the same time."""
_PAGE_ROWS = 1_000
_RUNS_AT_ONCE = 12
_OF_RUNS = {
    "waiter": RETENTION["delete_waiters"],
    "alert": RETENTION["delete_alerts"],
    "claim": RETENTION["delete_claims"],
    "outcome": RETENTION["delete_outcomes"],
    "decision": RETENTION["delete_decisions"],
    "conflict": RETENTION["delete_conflicts"],
}


@record
class Pruned:
    """What went, or would go, out of one repo, and why the rest of what is as old stays."""

    repo: str
    rows: Mapping[str, int]
    """How many rows of each table."""
    kept: Mapping[str, int]
    """How many runs stay, by why: see `core.retention.KeptReason`; `note` where only what they told still holds,
    `usage` where only what they cost does."""


def before_of(store: Store, keep_days: int, *, window_days: int) -> int:
    """Up to which instant is old. Raises Invalid for what is shorter than the window of what landed."""
    if keep_days < window_days:
        raise Invalid(
            f"what landed in the last {window_days} days is compared with who claimed and intended what; "
            f"keep {window_days} days at least"
        )
    with store.read() as tx:
        return tx.now_ms - keep_days * DAY_MS


def pruned_repo(
    store: Store,
    repo_id: str,
    *,
    before_ms: int,
    who: str,
    is_tried: bool = False,
    told: Callable[[int], None] = lambda _: None,
) -> Pruned:
    """What nobody needs of before that instant is gone, or with `is_tried` only counted.

    Each step is a transaction of its own, which looks again at what it removes: whoever is killed in between leaves
    nothing half done that would matter, and whoever does the same meanwhile does no harm. `told` hears now and then
    how many rows have gone.
    """
    pruning = _Pruning(store, repo_id, before_ms=before_ms, is_tried=is_tried, told=told)
    if not is_tried:
        with store.write(repo_id) as tx:
            swept(tx, repo_id)
    pruning.runs()
    pruning.decisions()
    pruning.log()
    if pruning.gone and not is_tried:
        with store.write(repo_id) as tx:
            payload = {"who": who, "before_ms": before_ms, "rows": dict(pruning.gone)}
            events.append(tx, repo_id, "events.pruned", about=repo_id, payload=payload)
    return Pruned(repo=repo_id, rows=dict(pruning.gone), kept=dict(pruning.kept))


class _Pruning:
    """One way through a repo."""

    def __init__(
        self, store: Store, repo_id: str, *, before_ms: int, is_tried: bool, told: Callable[[int], None]
    ) -> None:
        self._store, self._repo_id, self._before_ms = store, repo_id, before_ms
        self._is_tried, self._told = is_tried, told
        self.gone: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()

    def runs(self) -> None:
        """Runs and what they left, all that belongs together at once."""
        seen: set[str] = set()
        for page in self._pages(RETENTION["over_runs"], {"after": 0}):
            with self._store.read() as tx:
                groups = groups_of(tx, [str(row["id"]) for row in page], seen)
                found = sorted_groups(tx, groups, before_ms=self._before_ms)
                left = left_by(tx, found.doomed, before_ms=self._before_ms)
            seen.update(run for group in groups for run in group.runs)
            self.kept.update(found.kept)
            for one in left:
                if one.named_by:
                    self.kept[one.named_by] += len(one.group.runs)
            if self._is_tried:
                for one in left:
                    self._gone(one.rows)
                continue
            for some in _some(one.group for one in left if any(one.rows.values())):
                while self._runs_gone(some):
                    pass

    def decisions(self) -> None:
        """Decisions that no run asked for."""
        params: dict[str, Any] = {"after_ms": -1, "after_id": ""}
        for page in self._pages(RETENTION["decisions"], params):
            params["after_ms"], params["after_id"] = page[-1]["decided_at_ms"], page[-1]["id"]
            ids = [str(row["id"]) for row in page if not self._is_decision_kept(row)]
            self._each(ids, _ROWS_MAX, "decision", self._decisions_gone)

    def log(self) -> None:
        """Events."""
        first = None
        for page in self._pages(RETENTION["events"], {"after": 0}):
            first = page[0]["seq"] if first is None else first
            seqs = [int(row["seq"]) for row in page if not self._is_event_kept(row, is_first=row["seq"] == first)]
            self._each(seqs, _EVENTS_MAX, "event", self._events_gone)
            if min(row["at_ms"] for row in page) >= self._before_ms:
                return

    def _pages(self, statement: Statement, params: dict[str, Any]) -> Iterator[list[Row]]:
        """Rows of the repo, page after page, each in a transaction of its own that only reads."""
        while True:
            asked = {"repo_id": self._repo_id, "before_ms": self._before_ms, "limit": _PAGE_ROWS, **params}
            with self._store.read() as tx:
                page = tx.all(statement, **asked)
            if not page:
                return
            yield page
            if "after" in params:
                params["after"] = page[-1]["seq"]

    def _runs_gone(self, groups: Sequence[RunGroup]) -> bool:
        """One transaction; whether there may be more to do."""
        left = _ROWS_MAX
        counts: Counter[str] = Counter()
        with self._store.write(self._repo_id) as tx:
            # Looked at under the lock, each time: somebody may have gone on with one of them meanwhile.
            again = groups_of(tx, [run for group in groups for run in group.runs])
            # Whoever finds whose a commit is holds its runs without the repo's lock.
            tx.all(RETENTION["hold_runs"], ids=rows.json_column(sorted(run for one in again for run in one.runs)))
            doomed = sorted_groups(tx, again, before_ms=self._before_ms).doomed
            ids = rows.json_column(sorted(run for group in doomed for run in group.runs))
            for noun, statement in _OF_RUNS.items():
                counts[noun] = tx.run(statement, ids=ids, limit=left)
                left -= counts[noun]
            counts["note"] = _notes_gone(tx, self._repo_id, ids, before_ms=self._before_ms, limit=left)
            left -= counts["note"]
            if left:
                unnamed = (one for one in left_by(tx, doomed, before_ms=self._before_ms) if not one.named_by)
                ids = rows.json_column(sorted(run for one in unnamed for run in one.group.runs))
            while left and (taken := tx.run(RETENTION["delete_runs"], ids=ids, limit=left)):
                counts["run"] += taken
                left -= taken
        self._gone(counts)
        return not left

    def _is_decision_kept(self, row: Row) -> bool:
        return is_decision_kept(
            decided_at_ms=row["decided_at_ms"],
            before_ms=self._before_ms,
            was_asked=bool(row["was_asked"]),
            actions=rows.list_column(row["actions"]),
        )

    def _is_event_kept(self, row: Row, *, is_first: bool) -> bool:
        return is_event_kept(
            row["kind"],
            at_ms=row["at_ms"],
            before_ms=self._before_ms,
            is_of_live_run=row["state"] == "live",
            is_first=is_first,
        )

    def _each(self, items: Sequence[Any], most: int, noun: str, act: Callable[[Tx, Sequence[Any]], int]) -> None:
        """Some of these at a time, each time in a transaction; or only counted."""
        if self._is_tried:
            self._gone({noun: len(items)})
            return
        for start in range(0, len(items), most):
            with self._store.write(self._repo_id) as tx:
                taken = act(tx, items[start : start + most])
            self._gone({noun: taken})

    def _decisions_gone(self, tx: Tx, ids: Sequence[str]) -> int:
        return tx.run(RETENTION["delete_some_decisions"], ids=rows.json_column(ids))

    def _events_gone(self, tx: Tx, seqs: Sequence[int]) -> int:
        tx.later(RETENTION["pruned"], repo_id=self._repo_id, seq=seqs[-1])
        return tx.run(RETENTION["delete_events"], repo_id=self._repo_id, seqs=rows.json_column(seqs))

    def _gone(self, counts: Mapping[str, int]) -> None:
        self.gone.update({noun: count for noun, count in counts.items() if count})
        self._told(self.gone.total())


def _some(groups: Iterable[RunGroup]) -> Iterator[list[RunGroup]]:
    """Some groups at a time."""
    some: list[RunGroup] = []
    for group in groups:
        some.append(group)
        if sum(len(one.runs) for one in some) >= _RUNS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _notes_gone(tx: Tx, repo_id: str, ids: str, *, before_ms: int, limit: int) -> int:
    found = [str(row["id"]) for row in tx.all(RETENTION["ended_notes"], ids=ids, before_ms=before_ms, limit=limit)]
    if not found:
        return 0
    path_index.unindex_paths(tx, found)
    gone = rows.json_column(found)
    tx.later(RETENTION["delete_expiries"], repo_id=repo_id, ids=gone)
    return tx.run(RETENTION["delete_notes"], ids=gone)
