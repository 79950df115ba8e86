"""A wire to a PostgreSQL server that a test may cut: a relay on loopback."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Wire:
    """Relays connections; `cut_after` is a text of the client's behind which nobody hears anything any more."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.cut_after = b""
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every connection is lost."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                threading.Thread(target=self._relay, args=[client, server], daemon=True).start()
                threading.Thread(target=self._relay, args=[server, client], daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                if self.cut_after and self.cut_after in part:
                    source.shutdown(socket.SHUT_RDWR)  # the client hears nothing, and the server does as it was told
                    self.cut_after = b""
                target.sendall(part)


@contextlib.contextmanager
def relayed(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
