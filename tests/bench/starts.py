"""What a session costs until it can be used: processor time, interleaved with what it is held against."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.measure import Figure
from tests.conftest import COMMAND, SDK_COMMAND, environment
from tests.wire import Server

_BARE = [sys.executable, "-c", "pass"]
_ABOVE_BARE_MS_MAX = 60
_PART_OF_NOOP_MAX = 1 / 8


def figures(home: Path, shop: Path, calls: int, *, noop: Sequence[str]) -> Iterator[Figure]:
    """Until `initialize` is answered, and until the first claim is."""
    env = environment(home)

    def served(argv: Sequence[str], use: Callable[[Server], object]) -> Callable[[], float]:
        return lambda: _cpu_ms_until(Server(list(argv), env=env, cwd=shop, fresh=True), use)

    ready: Callable[[Server], object] = Server.initialize
    cases = {
        "bare": lambda: _cpu_ms(subprocess.Popen(_BARE, env=env, cwd=shop)),
        "no-op": served(noop, ready),
        "serve": served(COMMAND, ready),
        "sdk": served(SDK_COMMAND, ready),
        "claim": served(COMMAND, _first_claim),
        "sdk claim": served(SDK_COMMAND, _first_claim),
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(calls):
        for name, case in cases.items():
            taken[name].append(case())
    found = {name: statistics.median(times) for name, times in taken.items()}
    yield Figure("python -c pass", f"{found['bare']:.0f} ms of CPU")
    yield Figure("no-op server of the SDK, start to initialize", f"{found['no-op']:.0f} ms of CPU")
    above, part = found["serve"] - found["bare"], found["serve"] / found["no-op"]
    value = f"{found['serve']:.0f} ms of CPU, {above:.0f} above bare"
    yield Figure("serve, start to initialize", value, f"≤ {_ABOVE_BARE_MS_MAX} above", above <= _ABOVE_BARE_MS_MAX)
    yield Figure("serve beside the no-op server", f"1/{1 / part:.1f}", "< 1/8", part < _PART_OF_NOOP_MAX)
    yield Figure("serve --sdk, start to initialize", f"{found['sdk']:.0f} ms of CPU")
    yield Figure("serve, start to the first claim", f"{found['claim']:.0f} ms of CPU")
    yield Figure("serve --sdk, start to the first claim", f"{found['sdk claim']:.0f} ms of CPU")


def _first_claim(server: Server) -> None:
    server.initialize()
    server.answer("start_run", loop="bench", goal="measure")
    server.answer("claim_paths", paths=["src/a.py"], intent="measure", mode="shared")


def _cpu_ms_until(server: Server, use: Callable[[Server], object]) -> float:
    """Of the server and the processes that it waited for, when it was used."""
    use(server)
    server.process.kill()
    return _cpu_ms(server.process)


def _cpu_ms(process: "subprocess.Popen[Any]") -> float:
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (used.ru_utime + used.ru_stime) * 1000
