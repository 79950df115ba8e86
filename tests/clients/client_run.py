"""One run of a client: the process, what it printed, and what its model was asked."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deadlines import seconds

from .script import Script


@dataclass
class ClientRun:
    rc: int
    stdout: str
    stderr: str
    requests: list[dict[str, Any]]
    script: Script

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines that the client printed."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    def lane(self, name: str = "main") -> list[dict[str, Any]]:
        """The requests of one conversation."""
        return [request for request in self.requests if request.get("lane") == name]


def ran(command: Sequence[str], *, cwd: Path | str, env: dict[str, str], quiet_s: float) -> tuple[int, str, str]:
    """Status, stdout and stderr; 124 where the client did not end in time."""
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=seconds(quiet_s))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)  # the group we started, nothing else
        return 124, *process.communicate()
    return process.returncode, out, err
