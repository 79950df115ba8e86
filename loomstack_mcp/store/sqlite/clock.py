"""The lease clock: one clock for all processes of a boot, which no step of the wall clock moves."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The machine's clocks, in milliseconds.

    The store keeps the wall time at which `boot_ms` was zero, as the first process of a boot saw it;
    from then on every process adds its own `boot_ms` to that one base.
    """

    boot_id: str
    boot_ms: Callable[[], int]
    wall_ms: Callable[[], int]


def machine() -> Clock:
    """This machine's clocks.

    Without Linux's boot clock and boot id the wall clock serves for both, so that there a stepped
    clock does move leases.
    """
    try:
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return Clock(boot_id="wall", boot_ms=_wall_ms, wall_ms=_wall_ms)
    return Clock(boot_id=boot_id, boot_ms=_boot_ms, wall_ms=_wall_ms)


def _boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
