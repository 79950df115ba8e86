"""What git prints, read while it is still printing: a history is never whole in memory."""

import contextlib
import fcntl
import os
import select
import subprocess
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.run import READ_SECONDS_MAX, environment
from loomstack_mcp.core.errors import Invalid

_PIECE_BYTES = 1 << 20


class Printed:
    """One git command aside and its output, as long as the `with` block."""

    def __init__(self, repo: Repository, *arguments: str, stdin: bytes) -> None:
        self._folder = repo.folder
        self._process = subprocess.Popen(
            ["git", *arguments],
            cwd=repo.aside.folder,
            env=environment(os.environ) | repo.aside.plain,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._pipe = self._process.stdout
        with contextlib.suppress(AttributeError, OSError):
            # Room for git to go on while what it printed is being parsed; only Linux has the call.
            fcntl.fcntl(self._pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIECE_BYTES)
        with contextlib.suppress(BrokenPipeError):  # git ended at once: it printed nothing, and that is seen
            self._process.stdin.write(stdin)
        self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def parts(self, marks: Sequence[bytes]) -> Iterator[bytes]:
        """What was printed from each mark to the next one, in their order.

        It ends with the first mark that is missing. Where git failed, the last part may be cut, and is left out.
        """
        pending = bytearray()
        if not marks or (begin := self._place_of(marks[0], pending, after=0)) < 0:
            return
        del pending[:begin]
        for following in marks[1:]:
            if (end := self._place_of(following, pending, after=1)) < 0:
                break
            part = bytes(memoryview(pending)[:end])
            del pending[:end]
            yield part
        while piece := self._piece():
            pending += piece
        if self._process.wait(READ_SECONDS_MAX) == 0:
            yield bytes(pending)

    def _place_of(self, mark: bytes, pending: bytearray, *, after: int) -> int:
        """Where a mark is in what is pending, which is read on until it comes; -1 where it never does."""
        while (at := pending.find(mark, after)) < 0:
            after = max(after, len(pending) - len(mark) + 1)
            if not (piece := self._piece()):
                return -1
            pending += piece
        return at

    def _piece(self) -> bytes:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        if not poll.poll(READ_SECONDS_MAX * 1_000):
            raise Invalid(f"git did not go on for {READ_SECONDS_MAX} s in {self._folder}; is the disk slow or locked?")
        return os.read(self._pipe.fileno(), _PIECE_BYTES)
