"""Loops: how each fared lately: what came of its runs, what it cost others, and how its days went."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from loomstack_mcp.core.records import record

LOOP_DAYS = 30
"""The days of a spark, and of the figures where nobody says otherwise."""


@record
class LoopHealth:
    """One loop of one person in some days: of the runs that are at work, and of those that were over since."""

    loop: str
    who: str
    runs: int = 0
    live: int = 0
    """Whose lease holds."""
    done: int = 0
    abandoned: int = 0
    stopped: int = 0
    """Which a person ended."""
    lost: int = 0
    checks: int = 0
    """How many of the runs only checked those of others; none of these counts as a success or a failure."""
    rework: int = 0
    """Rounds in which work went back to its maker."""
    busy_ms: int = 0
    """Of all runs together, from start to end, or to now."""
    conflicts_caused: int = 0
    """Found in what its runs would land, whatever became of them."""
    conflicts_suffered: int = 0
    """… about what its runs had landed."""
    reversals_caused: int = 0
    """Those of the conflicts where landed work was taken back, and not merely touched."""
    reversals_suffered: int = 0
    last_seq: int = 0
    last_run: str = ""
    last_started_at_ms: int = 0
    spark: tuple[int, ...] = ()
    """Runs that started on each of the days, the oldest first; a day is 24 hours, and the last one ends now."""

    @property
    def success(self) -> float | None:
        """The share of the makers' runs that are over which ended as done; None where none is over."""
        over = self.done + self.abandoned + self.stopped + self.lost
        return self.done / over if over else None


@record
class Loops:
    """The loops of a repo, the one that started last first."""

    loops: tuple[LoopHealth, ...]
    more: int = 0
    """Loops that were left out."""
    days: int
    now_ms: int


@record
class LoopDay:
    """What one loop did on one of the days; the day before all counts what started sooner and was over since."""

    loop: str
    who: str
    day: int
    """From 0; -1 is before all."""
    runs: int
    live: int
    done: int
    abandoned: int
    stopped: int
    lost: int
    checks: int
    rework: int
    busy_ms: int
    last_seq: int
    """The number with which its newest run started."""
    last_started_at_ms: int


@record
class LoopHarm:
    """How often a loop met another in a conflict, as the one that caused it or as the one that suffered."""

    loop: str
    who: str
    is_cause: bool
    conflicts: int
    reversals: int


_ADDED = ("runs", "live", "done", "abandoned", "stopped", "lost", "checks", "rework", "busy_ms")


def loop_healths(days: Iterable[LoopDay], harms: Iterable[LoopHarm], /, *, of_days: int) -> tuple[LoopHealth, ...]:
    """The days put together by loop, and what the loops did to one another; the one that started last first.

    A loop that did nothing in these days, and only suffered, is left out.
    """
    by_loop: dict[tuple[str, str], list[LoopDay]] = defaultdict(list)
    for one in days:
        by_loop[one.loop, one.who].append(one)
    done_to = {(harm.loop, harm.who, harm.is_cause): harm for harm in harms}
    found = [_health(those, done_to, of_days) for those in by_loop.values()]
    return tuple(sorted(found, key=lambda one: -one.last_seq))


def _health(days: list[LoopDay], done_to: Mapping[tuple[str, str, bool], LoopHarm], of_days: int) -> LoopHealth:
    newest = max(days, key=lambda one: one.last_seq)
    spark = [0] * of_days
    for one in days:
        if one.day >= 0:
            spark[min(one.day, of_days - 1)] += one.runs
    loop, who = newest.loop, newest.who
    caused, suffered = done_to.get((loop, who, True)), done_to.get((loop, who, False))
    health = LoopHealth(
        loop=loop,
        who=who,
        last_seq=newest.last_seq,
        last_started_at_ms=newest.last_started_at_ms,
        spark=tuple(spark),
        conflicts_caused=caused.conflicts if caused else 0,
        reversals_caused=caused.reversals if caused else 0,
        conflicts_suffered=suffered.conflicts if suffered else 0,
        reversals_suffered=suffered.reversals if suffered else 0,
    )
    return replace(health, **{name: sum(getattr(one, name) for one in days) for name in _ADDED})
