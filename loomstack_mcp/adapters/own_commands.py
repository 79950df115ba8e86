"""Our own commands, run by a hook for what is too slow, or too large, for a hook itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def ran_command(*arguments: str, folder: Path, seconds_max: float) -> tuple[int, str, str] | None:
    """How a command of `loomstack-mcp` ended, what it printed and complained of; None where it took longer.

    Nothing is imported from the folder, which is the repository's.
    """
    command = [sys.executable, "-P", "-m", "loomstack_mcp", *arguments]
    # In a session of its own, so that what it has started ends with it.
    running = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        printed, complained = running.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return None
    return running.returncode, printed.decode("utf-8", "replace"), complained.decode("utf-8", "replace")
