"""What the store stands on, read in few modules: the SQL of its files as text, and the machine's clocks."""

import os
import time

APPLICATION_ID = 0x4C4F4F4D
"""`LOOM`, in the header of a SQLite file of ours."""
_FOLDER = os.path.join(os.path.dirname(__file__), "sql")  # importlib.resources costs some 40 ms more at start
NO_BOOT = "wall"
"""What stands for the id of a boot where the system has none."""


def sql_texts(noun: str, /) -> dict[str, str]:
    """The statements of `sql/queries/NOUN.sql`, by name. One starts with `-- :name NAME` and a line of purpose."""
    with open(os.path.join(_FOLDER, "queries", f"{noun}.sql"), encoding="utf-8") as opened:
        parts = f"\n{opened.read()}".split("\n-- :name ")
    named = (part.partition("\n") for part in parts[1:])
    return {name: text.strip() for name, _, text in named}


def newest_sqlite() -> int:
    """The version of the schema that the migrations lead to."""
    return max(int(name[:4]) for name in os.listdir(os.path.join(_FOLDER, "sqlite")) if name.endswith(".sql"))


def boot_and_clock_ms() -> tuple[str, int]:
    """The id of this boot, and the milliseconds on its clock, which no step of the wall clock moves.

    Without Linux's boot clock and boot id the wall clock serves for both, so that there a stepped clock does move
    leases.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as opened:
            return opened.read().strip(), boot_ms()
    except OSError:
        return NO_BOOT, wall_ms()


def boot_ms() -> int:
    """Milliseconds since this boot began."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def wall_ms() -> int:
    """Milliseconds since the epoch, as the wall clock has it."""
    return time.time_ns() // 1_000_000
