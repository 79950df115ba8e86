"""A program in a pseudo-terminal: keys in, its screen out."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.clients.screens.screen import Screen
from tests.deadlines import seconds

_LOOK_S = 0.1
_KEY_S = 0.3
"""Between what is typed and Enter, which a client would else take for pasted."""


class Tty:
    """with Tty(command, ...) as tty: tty.wait("ready"); tty.type("go"); tty.screen.text"""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: dict[str, str], rows: int = 50, columns: int = 110
    ) -> None:
        self.screen = Screen(rows=rows, columns=columns, answer=self._put)
        self._decoded = codecs.getincrementaldecoder("utf-8")("replace")
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(cwd)
            os.execve(command[0], list(command), env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end()
        os.close(self._fd)

    def wait(self, pattern: str, *, quiet_s: float = 20) -> None:
        """Return when the screen shows it. Fails where it never does."""
        until = time.monotonic() + seconds(quiet_s)
        while not re.search(pattern, self.screen.text):
            assert time.monotonic() < until, f"never saw {pattern!r}; the screen is\n{self.screen.text}"
            self.read(_LOOK_S)

    def type(self, text: str) -> None:
        """Type the text, and then Enter."""
        self._put(text)
        self.read(_KEY_S)
        self._put("\r")

    def press(self, key: str) -> None:
        """One key, by what a terminal sends for it."""
        self._put(key)

    def read(self, for_s: float) -> None:
        """Take up what the program writes in this time."""
        until = time.monotonic() + for_s
        while (left_s := until - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left_s)[0]:
                continue
            try:
                text = self._decoded.decode(os.read(self._fd, 65536))
            except OSError:  # the program has ended
                return
            self.screen.feed(text)

    def _put(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def _end(self) -> None:
        until = time.monotonic() + seconds(2)
        os.kill(self._pid, signal.SIGTERM)
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            self.read(_LOOK_S)
            if time.monotonic() > until:
                os.kill(self._pid, signal.SIGKILL)
                until += seconds(2)
