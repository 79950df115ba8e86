"""`demo --ui` as somebody watches it, in a terminal: real servers, a real store, the dashboard beside them."""

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import environment
from tests.deadlines import seconds
from tests.processes import MODULE

_LINK = re.compile(r"The dashboard: (http://\S+)")
_CODE = re.compile(r"\b(\d{4}-\d{4})\b")
_LAST_WORDS = "goes on until Ctrl-C"
_QUIET_S = 120


class Demo:
    """The demo, once its story is told."""

    def __init__(self, process: "subprocess.Popen[str]", terminal: int, scratch: Path) -> None:
        self._process, self._terminal = process, terminal
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if _LAST_WORDS in line:
                break
        found = _LINK.search(said)
        assert found, said
        self.story = said
        self.link = found[1]
        self.origin = self.link.partition("/#")[0]
        [self.folder] = scratch.glob("loomstack-demo-*")

    def environment(self, **more: str) -> dict[str, str]:
        """For commands and servers over the same store."""
        return environment(self.folder, LOOMSTACK_HOME=str(self.folder / "home"), **more)

    def code(self) -> str:
        """The code that the terminal shows next."""
        said, until_s = "", time.monotonic() + seconds(10)
        while time.monotonic() < until_s:
            if select.select([self._terminal], [], [], 0.1)[0]:
                said += os.read(self._terminal, 4096).decode()
            if found := _CODE.search(said):
                return found[1]
        raise TimeoutError(f"the terminal shows no code: {said}")


@contextlib.contextmanager
def watched_demo(scratch: Path, *, pause_s: float = 0) -> Iterator[Demo]:
    """Play it, and serve its dashboard; ended by Ctrl-C, which leaves nothing behind."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [*MODULE, "demo", "--ui", "--pause", str(pause_s)],
        cwd=scratch,
        env=environment(scratch, TMPDIR=str(scratch)),
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=inner,
        text=True,
    )
    try:
        yield Demo(process, terminal, scratch)
    finally:
        process.send_signal(2)
        try:
            process.wait(seconds(20))
        finally:
            process.kill()
            os.close(terminal)
            os.close(inner)
