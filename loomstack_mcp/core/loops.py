"""Loops: how each fared lately: what came of its runs, what it cost others, and how its days went."""

from collections.abc import Mapping

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
    """Landed changes of its runs that took back what another loop, or a person, had landed."""
    reversals_suffered: int = 0
    tokens: int | None = None
    """That its runs consumed of models; None where nobody told."""
    cost_usd: float | None = None
    """None, too, where the price of some of it is not known."""
    last_seq: int = 0
    """The number with which its newest run started."""
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


def spark_of(runs_by_day: Mapping[int, int], /, *, days: int) -> tuple[int, ...]:
    """The days in their order, those without a run as well; what started in this very moment is of the last one."""
    spark = [0] * days
    for day, runs in runs_by_day.items():
        spark[min(day, days - 1)] += runs
    return tuple(spark)
