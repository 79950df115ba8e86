"""A process that has imported our programs and forks one for each start: 0.03 s of CPU instead of 1.5.

`tests.processes` starts it as `python -m tests.forkserver DESCRIPTOR`, one for each process of pytest. What it forks
is as real as what exec starts: a process id, session, folder, environment and signals of its own, and the pipes it was
given. What is shared is what importing leaves behind; hence nothing runs here before the fork, no thread, store or
clock, and no module of ours keeps anything of the process that imports it. The seed of `hash()` is shared too, and so
are modules that a fresh process would not have: who asks for either starts afresh.

A start comes over the socket as a length, which carries the descriptors of stdin, stdout, stderr and of a pipe for
news, and then JSON. The news are two numbers: the process id, and how the process ended (wait(2)). When the socket
closes, for whatever reason, all that still runs is killed.
"""

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn, TextIO

import loomstack_mcp

NUMBER_BYTES = 8
PROGRAMS = {"loomstack-mcp": "loomstack_mcp.start", "loomstack-hook": "loomstack_mcp.hooks.main"}
_LATE = ("anyio._backends._asyncio", "uvicorn.lifespan.on", "uvicorn.loops.asyncio", "uvicorn.protocols.http.h11_impl")
"""What others import only when it is used."""

Program = Callable[[], int | None]


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    names = [module.name for module in pkgutil.walk_packages(loomstack_mcp.__path__, "loomstack_mcp.")]
    for name in (*names, *_LATE):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is never looked at again stays shared between the processes
    _run(_forked(control))


def _forked(control: socket.socket) -> Program:
    """Fork until the socket closes. Returns in each forked process, with the program that it is."""
    news: dict[int, int] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # Python writes to the pipe only where a handler is set
    signal.set_wakeup_fd(wake)
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            for pid, status in _ended():
                _tell(news[pid], status)
                os.close(news.pop(pid))
        if control.fileno() in ready:
            asked, descriptors = _received(control)
            if asked is None:
                for pid in news:
                    os.killpg(pid, signal.SIGKILL)
                os._exit(0)
            assert threading.active_count() == 1, "a thread was started before the fork"
            if (pid := os.fork()) == 0:
                control.detach()
                return _become(asked, descriptors[:3])
            news[pid] = descriptors.pop()
            for descriptor in descriptors:
                os.close(descriptor)
            _tell(news[pid], pid)


def _received(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    with suppress(ConnectionResetError):
        head, descriptors, _, _ = socket.recv_fds(control, NUMBER_BYTES, 4)
        if head:
            text = control.recv(int.from_bytes(head), socket.MSG_WAITALL)
            return json.loads(text), list(descriptors)
    return None, []


def _ended() -> Iterator[tuple[int, int]]:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found


def _tell(news: int, number: int) -> None:
    with suppress(BrokenPipeError):  # who started it does not ask any more
        os.write(news, number.to_bytes(NUMBER_BYTES))


def _become(asked: dict[str, Any], descriptors: list[int]) -> Program:
    """Make of this process what exec would have made; returns the program."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    tempfile.tempdir = None
    sys.argv = [asked["program"], *asked["arguments"]]
    sys.path[0] = asked["path"]
    sys.stdin, sys.stdout, sys.stderr = map(_stream, (sys.stdin, sys.stdout, sys.stderr), range(3))
    # Final only for who did not make the process.
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    program: Program = importlib.import_module(PROGRAMS[asked["program"]]).main
    return program


def _run(program: Program) -> NoReturn:
    """Run it to its end, as a console script does, and as the interpreter ends (`Py_FinalizeEx`).

    But what an interpreter frees at the very end is left to the system: object by object it copies every page that
    is shared with the server, which is 50 of the 60 ms of CPU that a command takes.
    """
    try:
        status = program()
    except SystemExit as exiting:
        if not isinstance(exiting.code, int | None):
            raise
        status = exiting.code
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # the interpreter has words and a status for it
        sys.exit(status)
    os._exit((status or 0) & 0xFF)


def _stream(old: TextIO, descriptor: int) -> TextIO:
    """A standard stream as the interpreter opens it: line by line on a terminal, and errors always."""
    buffered = open(descriptor, "wb" if descriptor else "rb", closefd=False)  # noqa: SIM115 open as long as the process
    line_buffering = descriptor == 2 or buffered.isatty()
    return io.TextIOWrapper(buffered, old.encoding, old.errors, line_buffering=line_buffering)


if __name__ == "__main__":
    main()
