"""The sender: a process of its own that posts what waits, so that nothing else is held up by it."""

import contextlib
import os
import subprocess
import sys

from loomstack_mcp.adapters.settings import Settings


def start_sender(settings: Settings, /) -> subprocess.Popen[bytes] | None:
    """Start it in the background, out of the reach of whatever ends with this process's session.

    Where that fails, the next process that finds something due tries again.
    """
    # -P: what lies in the folder that it starts in is nobody's package.
    command = [sys.executable, "-P", "-m", "loomstack_mcp", "--home", settings.home]
    nowhere = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            [*command, "webhook", "send"], cwd="/", stdin=nowhere, stdout=nowhere, stderr=nowhere,
            start_new_session=True, env={**os.environ, "LOOMSTACK_STORE": settings.store},  # which may hold a password
        )  # fmt: skip
    return None
