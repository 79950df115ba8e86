"""One request and its answer on a kept connection (RFC 9112), by as much of HTTP as hubs and their proxies speak.

`http.client` costs a hook 16 ms to load, for the parts of it that nobody needs here.
"""

import socket

from loomstack_mcp.remote.sockets import left_s

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD_BYTES_MAX = 64_000
_BODY_BYTES_MAX = 64_000_000
_CHUNK_BYTES = 65_536
_DIGITS_MAX = 19
_EMPTY = (204, 304)


class NoAnswer(ConnectionError):
    """The connection ended before a word of an answer, as one does that was kept too long."""


class WrongAnswer(Exception):
    """What came is no answer of a hub."""


class HubAnswer:
    """An answer, whatever it says."""

    def __init__(self, status: int, headers: "Mapping[str, str]", body: bytes) -> None:
        """`headers` are by names in lower case."""
        self.status, self.headers, self.body = status, headers, body


class Exchange:
    """A connection that is kept for the next request."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._read = b""
        self.is_kept = True
        """False once the other side wants no more requests on it."""
        self.idle_since_s = 0.0
        """By the wall clock, where it waits for the next request."""

    def close(self) -> None:
        """Nothing more is asked."""
        self._socket.close()

    def reply_to(self, request: bytes, /, *, until_s: float) -> HubAnswer:
        """The answer to a request. Raises OSError, NoAnswer among them, and WrongAnswer."""
        self._read = b""
        try:
            self._socket.settimeout(left_s(until_s))
            self._socket.sendall(request)
            status, headers = self._head(until_s)
            while 100 <= status < 200:
                status, headers = self._head(until_s)
        except (ConnectionResetError, BrokenPipeError):
            raise NoAnswer("the connection ended") from None
        body = b"" if status in _EMPTY else self._body(headers, until_s)
        return HubAnswer(status, headers, body)

    def _head(self, until_s: float) -> "tuple[int, Mapping[str, str]]":
        while b"\r\n\r\n" not in self._read:
            if len(self._read) > _HEAD_BYTES_MAX:
                raise WrongAnswer("an endless head")
            if not (more := self._received(until_s)):
                raise WrongAnswer("half a head") if self._read else NoAnswer("the connection ended")
            self._read += more
        head, self._read = self._read.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        status = _number(rest[:3])
        if not version.startswith("HTTP/1.") or status is None:
            raise WrongAnswer("no HTTP")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.is_kept = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return status, headers

    def _body(self, headers: "Mapping[str, str]", until_s: float) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked(until_s)
        size = _number(headers.get("content-length", ""))
        if size is not None:
            return self._exactly(size, until_s)
        self.is_kept = False
        while more := self._received(until_s):
            self._read += more
            _refuse_huge(len(self._read))
        return self._read

    def _chunked(self, until_s: float) -> bytes:
        body = b""
        while True:
            size_text = self._line(until_s).partition(b";")[0].strip()
            if not size_text or size_text.strip(b"0123456789abcdefABCDEF"):
                raise WrongAnswer("a chunk without a size")
            size = int(size_text, 16)
            if not size:
                break
            _refuse_huge(len(body) + size)
            body += self._exactly(size, until_s)
            self._line(until_s)
        while self._line(until_s):
            pass
        return body

    def _line(self, until_s: float) -> bytes:
        while b"\r\n" not in self._read:
            if len(self._read) > _HEAD_BYTES_MAX or not (more := self._received(until_s)):
                raise WrongAnswer("half an answer")
            self._read += more
        line, self._read = self._read.split(b"\r\n", 1)
        return line

    def _exactly(self, size: int, until_s: float) -> bytes:
        _refuse_huge(size)
        parts, left = [self._read[:size]], size - len(self._read)
        self._read = self._read[size:]
        while left > 0:
            if not (more := self._received(until_s, min(left, _CHUNK_BYTES))):
                raise WrongAnswer("half an answer")
            parts.append(more)
            left -= len(more)
        return b"".join(parts)

    def _received(self, until_s: float, size: int = _CHUNK_BYTES) -> bytes:
        self._socket.settimeout(left_s(until_s))
        return self._socket.recv(size)


def _number(text: str) -> "int | None":
    """A number of digits, of which more than a few make none that is smaller; `²` is a digit to Python, too."""
    return int(text[:_DIGITS_MAX]) if text.isascii() and text.isdigit() else None


def _refuse_huge(size: int) -> None:
    if size > _BODY_BYTES_MAX:
        raise WrongAnswer(f"more than {_BODY_BYTES_MAX} bytes")
