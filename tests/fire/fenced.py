"""What claims guard in a fire: for each path a file that takes no write under a lower fencing token than it has seen.

So it is with what a team would guard (a deploy, say): a holder that was paused past its lease, and does not know, is
refused there, once the next one has written.
"""

import fcntl
from pathlib import Path


def is_written(folder: Path, path: str, *, fence: int) -> bool:
    """Write to what a path stands for, under a token; False where that is refused."""
    with (folder / f"{path.replace('/', '-')}.fence").open("a+", encoding="ascii") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        if fence < max((int(line) for line in kept), default=0):
            return False
        kept.write(f"{fence}\n")
        return True
