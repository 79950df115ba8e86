"""What the store tests share."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from loomstack_mcp.store import queries
from loomstack_mcp.store.sqlite.backend import SqliteStore
from loomstack_mcp.store.sqlite.clock import Clock
from loomstack_mcp.store.sqlite.migrate import migrating_store

REPOS = queries.statements("repos")

_HOLD = """
import sys
from pathlib import Path
from loomstack_mcp.store import queries
from loomstack_mcp.store.sqlite.migrate import migrating_store
from loomstack_mcp.store.sqlite.backend import SqliteStore
with migrating_store(Path(sys.argv[1])).write("r") as tx:
    tx.all(queries.statements("repos")["next_seq"], repo_id="r")
    print("inside", flush=True)
    sys.stdin.read()
"""


def add_repo(path: Path, clock: Clock | None = None) -> SqliteStore:
    """A store that knows the repo `r`."""
    store = migrating_store(path, clock=clock)
    with store.append() as tx:
        tx.run(REPOS["insert"], repo_id="r", ignore_case=0, now_ms=tx.now_ms)
    return store


def seq_of(store: SqliteStore) -> int:
    with store.read() as tx:
        return int(tx.all(REPOS["get"], repo_id="r")[0]["seq"])


@contextlib.contextmanager
def holding(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, in the middle of a write transaction."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "inside\n"
        try:
            yield writer
        finally:
            writer.kill()
