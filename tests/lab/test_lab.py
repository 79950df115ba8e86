"""What the tests under fire stand on is tried itself: hosts reach us, and a line is slow or cut when it is told to."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.lab.hosts import network, why_no_boots, why_no_hosts
from tests.lab.relay import relayed

_WHY_NOT = why_no_hosts()
_TELL_TIME = """
import os, socket, sys, time
BOOT = "/proc/sys/kernel/random/boot_id"
told = f"{int(time.time())} {int(time.clock_gettime(time.CLOCK_BOOTTIME))} {os.getpid()} {open(BOOT).read()}"
socket.create_connection((sys.argv[1], int(sys.argv[2]))).sendall(told.encode())
"""


def _echoing() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                found, _ = listener.accept()
            except OSError:
                return
            with found:
                while part := found.recv(100):
                    found.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def test_a_cut_line_holds_back_and_a_mended_one_brings_all() -> None:
    with (
        _echoing() as listener,
        relayed("127.0.0.1", listener.getsockname()[1]) as relay,
        socket.create_connection(("127.0.0.1", relay.port)) as line,
    ):
        line.sendall(b"one")
        assert line.recv(10) == b"one"
        relay.cut()
        line.sendall(b"two")
        line.settimeout(0.2)
        with pytest.raises(TimeoutError):
            line.recv(10)
        relay.mend()
        line.settimeout(10)
        assert line.recv(10) == b"two"
        relay.delay_s = 0.05
        began = time.monotonic()
        line.sendall(b"slow")
        assert line.recv(10) == b"slow"
        assert time.monotonic() - began >= 0.1
        relay.reset()
        assert line.recv(10) == b""


@pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT)
def test_hosts_have_addresses_clocks_and_boots_of_their_own() -> None:
    with network("", "+2h") as made, socket.create_server((made.address, 0)) as listener:
        listener.settimeout(seconds(5))
        port = str(listener.getsockname()[1])
        told, started = {}, []
        for host in made.hosts:
            command = host.command([sys.executable, "-c", _TELL_TIME, made.address, port])
            with subprocess.Popen(command) as process:
                found, (address, _) = listener.accept()
                with found:
                    told[address] = found.recv(200).decode().split()
                started.append(str(process.pid))
        here = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        clocks, up_s, processes, boots = zip(*(told[host.address] for host in made.hosts), strict=True)
        own = why_no_boots()
        assert 7190 < int(clocks[1]) - int(clocks[0]) < 7260
        assert list(processes) == started
        assert own or min(map(int, up_s)) > time.clock_gettime(time.CLOCK_BOOTTIME) + 39 * 86_400
        assert own or len({*boots, here}) == 3
