"""How long a test waits before it gives up: one factor for every deadline.

Each is written as what a quiet machine would need, and stretched for one that is busy or slow. A deadline is no
measurement: what a test shows must be true however long it took.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

TIMEOUT_SCALE = float(os.environ.get("TIMEOUT_SCALE", "8"))
_LOOK_AGAIN_S = 0.02

Found = TypeVar("Found")


def seconds(quiet_s: float) -> float:
    """What takes this long at most on a quiet machine may take this long here."""
    return quiet_s * TIMEOUT_SCALE


def wait_until(condition: Callable[[], Found], quiet_s: float = 10) -> Found:
    """What the condition found, once it holds. Fails where it never does."""
    until = time.monotonic() + seconds(quiet_s)
    while not (found := condition()):
        assert time.monotonic() < until, f"still not so after {seconds(quiet_s):.0f} s"
        time.sleep(_LOOK_AGAIN_S)
    return found
