"""What telling a collector costs a call: CPU of two servers that are called in turn, one of which tells."""

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import Figure
from tests.conftest import COMMAND, environment
from tests.wire import Server

_MS_MAX = 0.5
_ROUNDS, _CALLS = 30, 20
_CPU_CLOCK = 2
"""Of a process's CPU clocks the one in nanoseconds (clock_getcpuclockid(3))."""
_SINK = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200); self.send_header("content-length", "0"); self.end_headers()
server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def figures(home: Path, shop: Path) -> Iterator[Figure]:
    """Claims of one file each, renewed; the exporter's own threads are counted with the call."""
    with contextlib.ExitStack() as opened:
        sink = opened.enter_context(subprocess.Popen([sys.executable, "-c", _SINK], stdout=subprocess.PIPE, text=True))
        opened.callback(sink.kill)
        assert sink.stdout
        endpoint = f"http://127.0.0.1:{int(sink.stdout.readline())}"
        servers = {
            name: opened.enter_context(Server(list(COMMAND), env=environment(home / name, **env), cwd=shop, fresh=True))
            for name, env in (("off", {}), ("on", {"LOOMSTACK_OTLP_ENDPOINT": endpoint}))
        }
        for name, server in servers.items():
            server.initialize()
            server.answer("start_run", loop=name, goal="measure")
            _claim(server, 50)
        for what, call in (("claim_paths", _claim), ("read_shared_context", _read)):
            ms: dict[str, list[float]] = {"off": [], "on": []}
            for _ in range(_ROUNDS):
                for name, server in servers.items():
                    before = _cpu_s(server.process.pid)
                    call(server, _CALLS)
                    ms[name].append((_cpu_s(server.process.pid) - before) * 1000 / _CALLS)
            # The mean and not the median: what is sent every two seconds is part of it.
            off, on = statistics.mean(ms["off"]), statistics.mean(ms["on"])
            value = f"{on - off:.2f} ms of CPU more than {off:.2f}"
            yield Figure(f"tracing on, {what}", value, f"≤ {_MS_MAX} ms", on - off <= _MS_MAX)


def _claim(server: Server, calls: int) -> None:
    for _ in range(calls):
        server.answer("claim_paths", paths=["src/a.py"], intent="measure")


def _read(server: Server, calls: int) -> None:
    for _ in range(calls):
        server.answer("read_shared_context", paths=["src/a.py"])


def _cpu_s(pid: int) -> float:
    """The CPU time of a process with all its threads."""
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
