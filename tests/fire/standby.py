"""Two PostgreSQL servers, one the synchronous standby of the other; they change places when the first one dies."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.databases import PostgresServer, empty_server, new_server, removed
from tests.deadlines import wait_until
from tests.processes import ROOT

_CHAPTER = (ROOT / "loomstack_mcp/help/hub.md").read_text(encoding="utf-8")
_BLOCKS = [block.encode().split(b";\n")[:-1] for block in re.findall(r"^ *```sql\n(.*?)^ *```", _CHAPTER, re.M | re.S)]
HEEDED, (PROMOTED,) = _BLOCKS
"""What the chapter on hubs has people say to the primary, and to the standby that takes its place."""


class Pair:
    """What the first acknowledges is on the disk of the second as well."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer) -> None:
        self.primary, self.standby = primary, standby
        self.standby.follow(primary)
        self._heed()

    def restart(self, mode: str, *, after_s: float = 0) -> None:
        """The primary is stopped by `pg_ctl`'s mode, or killed for "kill", and started again after a while."""
        if mode == "kill":
            self.primary.kill()
        else:
            self.primary.stop(mode)
        time.sleep(after_s)
        self.primary.start()

    def fail_over(self) -> None:
        """The primary is killed and the standby promoted; the old one comes back as the new one's standby.

        Whoever manages such a pair promotes no standby that has not caught up since the primary was last started.
        """
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            wait_until(lambda: _standbys(connection, "sync"))
        self.primary.kill()
        self.primary.stop()  # its children are gone before the other takes over
        with psycopg.connect(self.standby.url(), autocommit=True) as connection:
            connection.execute(PROMOTED)
        self.primary, self.standby = self.standby, self.primary
        self.standby.follow(self.primary)
        self._heed()

    def _heed(self) -> None:
        """From now on nothing is acknowledged that the standby has not."""
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            wait_until(lambda: _standbys(connection, "streaming"))
            for statement in HEEDED[:-1]:
                connection.execute(statement)
            wait_until(lambda: ("sync",) in connection.execute(HEEDED[-1]).fetchall())


def _standbys(connection: "psycopg.Connection[tuple[int]]", what: str) -> bool:
    found = connection.execute(
        "SELECT count(*) FROM pg_stat_replication WHERE %(what)s IN (state, sync_state)", {"what": what}
    ).fetchone()
    return bool(found and found[0])


@contextmanager
def pair() -> Iterator[Pair]:
    """Two servers that keep what they acknowledge."""
    first = new_server(durable=True)
    second = empty_server(durable=True)
    try:
        yield Pair(first, second)
    finally:
        for server in (first, second):
            removed(server)
