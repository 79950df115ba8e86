"""The base of a boot's lease clock, recorded by the first process of that boot."""

import sqlite3
from contextlib import closing
from pathlib import Path

from loomstack_mcp.store import queries
from loomstack_mcp.store.sqlite import gate
from loomstack_mcp.store.sqlite.clock import Clock
from loomstack_mcp.store.sqlite.transaction import SqliteTx

BOOT = queries.statements("boot")


def boot_base_ms(connection: sqlite3.Connection, clock: Clock, gate_file: Path) -> int:
    """What to add to the boot clock; the first process of a boot ends what the last boot held."""
    known = SqliteTx(connection, 0).all(BOOT["base"], boot_id=clock.boot_id)
    if known:
        return int(known[0]["base_ms"])
    with gate.passed(gate_file), closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        try:
            tx = SqliteTx(connection, clock.wall_ms())
            if not (known := tx.all(BOOT["base"], boot_id=clock.boot_id)):
                if tx.all(BOOT["begun"]):
                    tx.run(BOOT["jump"])
                    tx.run(BOOT["end_leases"], now_ms=tx.now_ms)
                    tx.run(BOOT["end_places"], now_ms=tx.now_ms)
                tx.run(BOOT["begin"], boot_id=clock.boot_id, base_ms=tx.now_ms - clock.boot_ms())
                known = tx.all(BOOT["base"], boot_id=clock.boot_id)
            cursor.execute("COMMIT")
        finally:
            if connection.in_transaction:
                cursor.execute("ROLLBACK")
    return int(known[0]["base_ms"])
