"""Medians, interleaved: what is compared is called in turn, so that a busy machine is busy for all."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CALLS = 200


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    what: str
    value: str
    bound: str = ""
    met: bool | None = None


def medians(cases: Mapping[str, Callable[[], object]], *, calls: int = CALLS, warm_up: int = 10) -> dict[str, float]:
    """Milliseconds per call, the median of each case."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(calls + warm_up):
        for name, case in cases.items():
            before = time.perf_counter()
            case()
            if number >= warm_up:
                taken[name].append((time.perf_counter() - before) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


def ratio(what: str, ms: float, against_ms: float, *, most: float | None = None, against: str = "no-op") -> Figure:
    times = ms / against_ms
    value = f"{ms:.2f} ms, {times:.2f} × {against}"
    return Figure(what, value, f"≤ {most:g} ×", times <= most) if most else Figure(what, value)


def at_least(what: str, value: float, unit: str, *, least: float) -> Figure:
    return Figure(what, f"{value:,.0f} {unit}", f"≥ {least:g}", value >= least)


def at_most(what: str, value: float, unit: str, *, most: float) -> Figure:
    return Figure(what, f"{value:.1f} {unit}" if unit == "ms" else f"{value:.0f} {unit}", f"≤ {most:g}", value <= most)
