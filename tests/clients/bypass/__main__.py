"""`python -m tests.clients.bypass` lets both real clients try, and writes where each attempt ended into the help."""

import os
import tempfile

from tests.clients.bypass.hands import ClaudeHand, CodexHand
from tests.clients.bypass.page import write_pages
from tests.clients.bypass.playing import played
from tests.clients.bypass.world import made_world


def main() -> None:
    """Write the chapter. Fails where something landed, or the server's account is no other one."""
    with tempfile.TemporaryDirectory(prefix="bypass-") as kept, made_world() as world:
        os.environ.setdefault("HARNESS_TMP", kept)
        assert world.under, "run it as root, with setpriv: the server has to be of another account"
        records = []
        for hand in (ClaudeHand(), CodexHand()):
            record, run = played(hand, world)
            assert (run.rc, run.script.errors, run.script.overflow) == (0, [], []), run.stderr
            assert record.landed == [], record.words
            records.append(record)
        write_pages(records)


if __name__ == "__main__":
    main()
