"""Our own commands, run by a hook for what is too slow, or too large, for a hook itself."""

import subprocess
import sys
from pathlib import Path


def ran_command(*arguments: str, folder: Path, seconds_max: float) -> tuple[int, str, str] | None:
    """How a command of `loomstack-mcp` ended, what it printed and complained of; None where it took longer.

    Nothing is imported from the folder, which is the repository's.
    """
    command = [sys.executable, "-P", "-m", "loomstack_mcp", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=seconds_max, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
