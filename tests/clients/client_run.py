"""One run of a client: the process, what it printed, and what its model was asked."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.script import Json, Script
from tests.deadlines import seconds


@dataclass
class ClientRun:
    rc: int
    stdout: str
    stderr: str
    requests: list[Json]
    script: Script

    @property
    def events(self) -> list[Json]:
        """The JSON lines that the client printed."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    def lane(self, name: str = "main") -> list[Json]:
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
