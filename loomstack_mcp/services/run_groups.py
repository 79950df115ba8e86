"""Runs that belong together, and whether what they left is still needed."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from loomstack_mcp.core.records import record
from loomstack_mcp.core.retention import TOGETHER_MAX, KeptReason, RunTies, why_kept
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Tx

RETENTION = queries.statements("retention")

_LOOKED_AT_MAX = 10_000
_NOTES_MAX = 1_000_000


@record
class RunGroup:
    """Runs that belong together."""

    runs: tuple[str, ...]
    is_whole: bool
    """Whether all of them were found."""


@record
class Sorted:
    """Groups by what becomes of them."""

    doomed: tuple[RunGroup, ...]
    """What these left nobody needs."""
    kept: Mapping[str, int]
    """How many runs of the others stay, by why."""


@record
class RunsLeft:
    """What runs that belong together left that would go."""

    group: RunGroup
    rows: Mapping[str, int]
    """How many rows of each table."""
    named_by: str
    """`note` where something that one of them told still holds, and says whose it is; `usage` where only what they cost
    does; "" where nothing does, so that they go themselves."""


def groups_of(tx: Tx, ids: Sequence[str], seen: Collection[str] = frozenset()) -> tuple[RunGroup, ...]:
    """These runs, each with all that belong to it; those of them that were seen before are left out."""
    others: dict[str, set[str]] = {}
    wanted = [one for one in ids if one not in seen]
    while wanted and len(others) < len(ids) + _LOOKED_AT_MAX:
        others |= {one: set() for one in wanted}
        for row in tx.all(RETENTION["linked"], ids=rows.json_column(wanted)):
            others[row["id"]].add(row["other"])
        wanted = sorted({other for one in wanted for other in others[one]} - others.keys())
    found: list[RunGroup] = []
    grouped = {*seen}
    for one in ids:
        if one not in grouped:
            found.append(_reached(one, others))
            grouped.update(found[-1].runs)
    return tuple(found)


def sorted_groups(tx: Tx, groups: Sequence[RunGroup], *, before_ms: int) -> Sorted:
    """Which of these nobody needs any more."""
    asked = rows.json_column([run for group in groups if group.is_whole for run in group.runs])
    ties = {row["id"]: RunTies(**_as_told(row)) for row in tx.all(RETENTION["ties"], ids=asked)}
    doomed: list[RunGroup] = []
    kept: Counter[str] = Counter()
    for group in groups:
        reason: KeptReason | str = "many"
        if group.is_whole:
            reason = why_kept((ties[run] for run in group.runs if run in ties), before_ms=before_ms)
        if reason:
            kept[reason] += len(group.runs)
        else:
            doomed.append(group)
    return Sorted(doomed=tuple(doomed), kept=dict(kept))


def left_by(tx: Tx, groups: Iterable[RunGroup], *, before_ms: int) -> tuple[RunsLeft, ...]:
    """What these left that would go."""
    groups = tuple(groups)
    asked = rows.json_column([run for group in groups for run in group.runs])
    counts = {row["id"]: Counter(_numbers(row)) for row in tx.all(RETENTION["left_by"], ids=asked)}
    for row in tx.all(RETENTION["ended_notes"], ids=asked, before_ms=before_ms, limit=_NOTES_MAX):
        counts[row["run_id"]]["note"] += 1
    return tuple(_runs_left(group, [counts[run] for run in group.runs if run in counts]) for group in groups)


def _runs_left(group: RunGroup, counts: Sequence[Counter[str]]) -> RunsLeft:
    total = sum(counts, Counter[str]())
    named_by = "note" if total["notes"] > total["note"] else "usage" if total["usages"] else ""
    going = {noun: total[noun] for noun in _LEFT}
    return RunsLeft(group=group, rows={**going, "run": 0 if named_by else len(counts)}, named_by=named_by)


def _reached(start: str, others: Mapping[str, Collection[str]]) -> RunGroup:
    found, wanted = {start: None}, [start]
    while wanted:
        fresh = [other for other in sorted(others.get(wanted.pop(), ())) if other not in found]
        found |= dict.fromkeys(fresh)
        wanted += fresh
    is_whole = len(found) <= TOGETHER_MAX and found.keys() <= others.keys()
    return RunGroup(runs=tuple(found), is_whole=is_whole)


def _numbers(row: Row) -> dict[str, int]:
    return {name: int(value) for name, value in row.items() if name != "id"}


def _as_told(row: Row) -> dict[str, Any]:
    """A row of the database as the record has it, which knows truth from numbers."""
    return {name: value if name in ("id", "touched_at_ms") else bool(value) for name, value in row.items()}


_LEFT = ("waiter", "alert", "claim", "outcome", "decision", "conflict", "note")
