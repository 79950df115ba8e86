"""What the tests under fire stand on is tried itself: hosts reach us, and a line is slow or cut when it is told to."""

import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.lab.hosts import network, why_no_hosts
from tests.lab.relay import relayed

_WHY_NOT = why_no_hosts()
_TELL_TIME = """
import socket, sys, time
socket.create_connection((sys.argv[1], int(sys.argv[2]))).sendall(str(int(time.time())).encode())
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
def test_hosts_have_addresses_and_clocks_of_their_own() -> None:
    with network("", "+2h") as made, socket.create_server((made.address, 0)) as listener:
        port = str(listener.getsockname()[1])
        told = {}
        for host in made.hosts:
            subprocess.run(host.command([sys.executable, "-c", _TELL_TIME, made.address, port]), check=True, timeout=30)
            found, (address, _) = listener.accept()
            with found:
                told[address] = int(found.recv(100))
        plain, ahead = (told[host.address] for host in made.hosts)
        assert 7190 < ahead - plain < 7260
