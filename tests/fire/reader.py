"""A reader with a cursor: `python -m tests.fire.reader STORE LOG STOP` writes the numbers it is told."""

import sys
import time
from pathlib import Path

from loomstack_mcp.core.errors import LoomError
from tests.factories import REPO
from tests.fire.stores import opened

_PAGE = 50
_LOOK_AGAIN_S = 0.003


def main() -> None:
    store, log, stop = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    since = 0
    with opened(store) as loom, log.open("a", encoding="utf-8") as lines:
        while True:
            is_last = stop.exists()
            try:
                events, _ = loom.events.since(REPO, since=since, limit=_PAGE)
            except LoomError:  # the database is stopped: it goes on from its cursor
                time.sleep(_LOOK_AGAIN_S)
                continue
            for event in events:
                lines.write(f"{event.seq}\n")
                since = event.seq
            lines.flush()
            if is_last and not events:
                return
            if not events:
                time.sleep(_LOOK_AGAIN_S)


if __name__ == "__main__":
    main()
