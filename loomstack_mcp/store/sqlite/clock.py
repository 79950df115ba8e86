"""The lease clock: one clock for all processes of a boot, which no step of the wall clock moves."""

from collections.abc import Callable

from loomstack_mcp.core.records import record
from loomstack_mcp.store.plain import NO_BOOT, boot_and_clock_ms, boot_ms, wall_ms


@record
class Clock:
    """The machine's clocks, in milliseconds.

    The store keeps the wall time at which `boot_ms` was zero, as the first process of a boot saw it;
    from then on every process adds its own `boot_ms` to that one base.
    """

    boot_id: str
    boot_ms: Callable[[], int]
    wall_ms: Callable[[], int]


def machine() -> Clock:
    """This machine's clocks."""
    boot_id, _ = boot_and_clock_ms()
    return Clock(boot_id=boot_id, boot_ms=wall_ms if boot_id == NO_BOOT else boot_ms, wall_ms=wall_ms)
