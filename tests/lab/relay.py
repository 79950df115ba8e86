"""A line between two ends that can be slow, or cut, as no network of one machine is by itself."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


class Relay:
    """Carries what comes to its own port on to another, after `delay_s`; nothing at all while it is cut."""

    def __init__(self, host: str, port: int, *, at: str = "127.0.0.1") -> None:
        """It listens at the address `at`."""
        self._to = (host, port)
        self.delay_s = 0.0
        self.delays_s = dict[str, float]()
        """More of it for those who come from an address."""
        self._open = threading.Event()
        self._open.set()
        self._heard = threading.Event()
        self._heard.set()
        self._ended = False
        self._listener = socket.create_server((at, 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._ends: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """What is sent from now on arrives only after the mend, and nobody is told: as with a pulled cable."""
        self._open.clear()

    def deafen(self) -> None:
        """What is asked still arrives; what is answered, only after the mend."""
        self._heard.clear()

    def mend(self) -> None:
        """All that was held back arrives."""
        self._open.set()
        self._heard.set()

    def reset(self) -> None:
        """Every connection is gone at once."""
        for end in tuple(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Carry nothing any more."""
        self._ended = True
        self.mend()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, (peer, *_) = self._listener.accept()
                threading.Thread(target=self._joined, args=(here, peer), daemon=True).start()

    def _joined(self, here: socket.socket, peer: str) -> None:
        self._open.wait()
        try:
            there = socket.create_connection(self._to, timeout=10)
        except OSError:
            here.close()
            return
        there.settimeout(None)
        for end in (here, there):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ends |= {here, there}
        back = threading.Thread(target=self._carry, args=(there, here, peer, self._heard), daemon=True)
        back.start()
        self._carry(here, there, peer, self._open)
        back.join()
        self._ends -= {here, there}
        for end in (here, there):
            end.close()

    def _carry(self, source: socket.socket, target: socket.socket, peer: str, way: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                if delay_s := self.delay_s + self.delays_s.get(peer, 0):
                    time.sleep(delay_s)
                self._open.wait()
                way.wait()
                if self._ended:
                    return
                target.sendall(part)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relayed(host: str, port: int, *, at: str = "127.0.0.1") -> Iterator[Relay]:
    """A relay to that port, at an address."""
    relay = Relay(host, port, at=at)
    try:
        yield relay
    finally:
        relay.close()
