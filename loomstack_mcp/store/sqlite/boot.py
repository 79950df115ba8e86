"""The lease clock of a boot as the store keeps it: begun by the first writer, looked at by anybody."""

import sqlite3

from loomstack_mcp.core.limits import MINUTE_MS, OTHER_BOOT_MARGIN_MS
from loomstack_mcp.core.records import record
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Moment
from loomstack_mcp.store.sqlite.clock import Clock
from loomstack_mcp.store.sqlite.transaction import SqliteTx

BOOT = queries.statements("boot")


@record
class BootBase:
    """What the store knows of this machine's boot."""

    base_ms: int
    """The wall time at which its boot clock was zero."""
    floor_ms: int
    """When another boot last wrote before this one began. A wall clock that shows less is behind."""
    used_at_ms: int = 0
    """When this process last said that the boot is in use."""


def known_boot(connection: sqlite3.Connection, clock: Clock) -> BootBase | None:
    """The base that is recorded; None before the first writer of a boot."""
    found = connection.execute(BOOT["known"].text, {"boot_id": clock.boot_id}).fetchone()
    return BootBase(base_ms=found[0], floor_ms=found[1]) if found else None


def drawn_boot(connection: sqlite3.Connection, clock: Clock) -> BootBase:
    """The base that a writer would record now: of a clock that shows the wall's time, but none before the store's."""
    newest = connection.execute(BOOT["newest"].text).fetchone()[0] or 0
    return BootBase(base_ms=max(clock.wall_ms(), newest) - clock.boot_ms(), floor_ms=newest)


def used_boot(connection: sqlite3.Connection, clock: Clock, base: BootBase | None) -> BootBase:
    """The base, recorded by the first writer of a boot, and said to be in use once a minute."""
    known = base if base and base.used_at_ms else known_boot(connection, clock)
    drawn = known or drawn_boot(connection, clock)
    moment = moment_of(clock, drawn)
    used_at_ms = moment.now_ms + moment.wall_ahead_ms
    if known and known.used_at_ms <= used_at_ms < known.used_at_ms + MINUTE_MS:
        return known
    tx = SqliteTx(connection, moment)
    if known:
        tx.run(BOOT["use"], used_at_ms=used_at_ms)
    else:
        if drawn.floor_ms:
            tx.run(BOOT["jump"])
        tx.run(BOOT["begin"], base_ms=drawn.base_ms, floor_ms=drawn.floor_ms, used_at_ms=used_at_ms)
    return BootBase(base_ms=drawn.base_ms, floor_ms=drawn.floor_ms, used_at_ms=used_at_ms)


def moment_of(clock: Clock, base: BootBase) -> Moment:
    """The instant, by the lease clock of this boot, and how others' lease clocks compare with it."""
    now_ms, wall_ms = base.base_ms + clock.boot_ms(), clock.wall_ms()
    wall_ahead_ms = wall_ms - now_ms if wall_ms >= base.floor_ms else 0
    return Moment(
        now_ms=now_ms,
        boot_id=clock.boot_id,
        wall_ahead_ms=wall_ahead_ms,
        lease_ahead_ms=OTHER_BOOT_MARGIN_MS - wall_ahead_ms,
    )
