"""What idle sessions hold: the proportional set size of each, shared pages divided among those that share them."""

import contextlib
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.measure import Figure
from tests.conftest import COMMAND, SDK_COMMAND, environment
from tests.wire import Server

_FEW, _MANY = 8, 32
_FEW_MIB_MAX, _MANY_MIB_MAX = 16, 450


def figures(home: Path, shop: Path) -> Iterator[Figure]:
    """Sessions that started a run and hold a claim."""
    for name, command, bounds in (
        ("serve", COMMAND, (_FEW_MIB_MAX, _MANY_MIB_MAX)),
        ("serve --sdk", SDK_COMMAND, (None, None)),
    ):
        few = statistics.median(_pss_mib(home, shop, command, _FEW))
        yield _at_most(f"{name}, an idle session of {_FEW}", few, bounds[0])
        yield _at_most(f"{name}, {_MANY} idle sessions", sum(_pss_mib(home, shop, command, _MANY)), bounds[1])


def _pss_mib(home: Path, shop: Path, command: Sequence[str], sessions: int) -> list[float]:
    with contextlib.ExitStack() as opened:
        servers = [
            opened.enter_context(Server(list(command), env=environment(home), cwd=shop, fresh=True))
            for _ in range(sessions)
        ]
        for number, server in enumerate(servers):
            server.initialize()
            server.answer("start_run", loop=f"idle-{number}", goal="measure")
            server.answer("claim_paths", paths=[f"idle/{number}.py"], intent="measure")
        return [_of(server.process.pid) for server in servers]


def _of(pid: int) -> float:
    found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def _at_most(what: str, mib: float, most: int | None) -> Figure:
    return Figure(what, f"{mib:.1f} MiB", f"≤ {most} MiB" if most else "", mib <= most if most else None)
