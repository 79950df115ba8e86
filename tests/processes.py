"""How tests start our programs: forked from a process that has imported them, or by exec where that is the point.

`start` is `subprocess.Popen`, and `run` is `subprocess.run` that captures. Any other program they start by exec.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.deadlines import seconds
from tests.forkserver import NUMBER_BYTES

ROOT = Path(__file__).parent.parent
SCRIPT = str(Path(sys.executable).with_name("loomstack-mcp"))
HOOK = str(Path(sys.executable).with_name("loomstack-hook"))
MODULE = (sys.executable, "-m", "loomstack_mcp")

Pipe = int | IO[Any] | None


def run(
    argv: Sequence[str], *, cwd: Path | str | None = None, env: dict[str, str] | None = None,
    given: str | bytes | None = None, text: bool = True, check: bool = False, fresh: bool = False, quiet_s: float = 30,
) -> subprocess.CompletedProcess[Any]:  # fmt: skip
    """Run a program to its end, with `given` on a pipe, or an empty stdin. With `check`, it must end with 0."""
    stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
    with start(argv, cwd=cwd, env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=text,
               fresh=fresh) as process:  # fmt: skip
        try:
            out, err = process.communicate(given, timeout=seconds(quiet_s))
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(argv, process.returncode, out, err)
    assert not check or done.returncode == 0, done
    return done


def start(
    argv: Sequence[str], *, cwd: Path | str | None = None, env: dict[str, str] | None = None, stdin: Pipe = None,
    stdout: Pipe = None, stderr: Pipe = None, text: bool = False, fresh: bool = False,
) -> "subprocess.Popen[Any]":  # fmt: skip
    """Start a program; by exec with `fresh`, for tests of what a process imports or how it is started."""
    kind = subprocess.Popen if fresh or _program(argv) is None else Forked
    return kind(argv, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, text=text)


class Forked(subprocess.Popen[Any]):
    """A process that the fork server forks and waits for; all else is as of any process.

    The three methods are where `Popen` calls fork, exec and wait (CPython 3.11 to 3.14).
    """

    _news: int

    def _execute_child(self, argv: Any, *given: Any) -> None:
        cwd, env, pipes = given[4], given[5], given[9:15]
        read, _, _, write, _, errors = pipes
        folder = os.path.abspath(cwd or ".")  # noqa: PTH100 as exec does: links stay
        found = _program(argv)
        assert found
        program, arguments, path = found
        asked = {"program": program, "arguments": arguments, "path": path or folder, "cwd": folder,
                 "env": dict(os.environ if env is None else env)}  # fmt: skip
        self._news, told = os.pipe()
        try:
            given_to_it = [own if own >= 0 else inherited for inherited, own in enumerate((read, write, errors))]
            _server().send(asked, [*given_to_it, told])
        finally:
            os.close(told)
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # as in Popen's own
        self.pid = self._heard()
        self._child_created = True

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if wait_flags & os.WNOHANG and not select.select([self._news], [], [], 0)[0]:
            return 0, 0
        status = self._heard()
        os.close(self._news)
        return self.pid, status

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        if self.returncode is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._wait(timeout=0)  # type: ignore[attr-defined]
        return self.returncode

    def _heard(self) -> int:
        told = os.read(self._news, NUMBER_BYTES)
        return int.from_bytes(told) if told else signal.SIGKILL  # the server is gone, and took it along


def _program(argv: Any) -> tuple[str, list[str], str] | None:
    """The name of the program of ours that a command line starts, its arguments, and the folder that is imported from.

    That folder is "" for the current one, as with `python -m`; None is a program of others.
    """
    if tuple(argv[:3]) == MODULE:
        return "loomstack-mcp", list(argv[3:]), ""
    if argv[0] in (SCRIPT, HOOK):
        return Path(argv[0]).name, list(argv[1:]), str(Path(argv[0]).parent)
    return None


class _Server:
    """The fork server, in a session of its own, so that a terminal's Ctrl-C reaches it only through us."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._sending = threading.Lock()
        argv = [sys.executable, "-m", "tests.forkserver", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                argv, cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True, stdin=subprocess.DEVNULL
            )

    def send(self, asked: dict[str, Any], descriptors: list[int]) -> None:
        text = json.dumps(asked).encode()
        with self._sending:
            socket.send_fds(self._control, [len(text).to_bytes(NUMBER_BYTES)], descriptors)
            self._control.sendall(text)

    def close(self) -> None:
        self._control.close()
        self._process.wait(seconds(5))


_servers: list[_Server] = []
_starting = threading.Lock()


def _server() -> _Server:
    """The one of this process, started when it is first asked for."""
    with _starting:
        if not _servers:
            _servers.append(_Server())
            atexit.register(_servers[0].close)
        return _servers[0]
