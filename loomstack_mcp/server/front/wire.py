"""The pipe to the client: lines of JSON, read and written on descriptors that no child and no stray print can reach."""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from loomstack_mcp.server.front.messages import NotKnown

_ABOVE_STANDARD = 3
_DEPTH_MAX = 100
"""Nested deeper than any message that is known; parsers differ in what they still read."""


class Wire:
    """The client's end of stdin and stdout. Descriptor 0 then reads nothing, and descriptor 1 writes to stderr."""

    def __init__(self, on_gone: Callable[[], None]) -> None:
        """`on_gone` is called once nobody reads any more."""
        self._on_gone = on_gone
        self._in = os.fdopen(_moved(0, os.open(os.devnull, os.O_RDONLY)), "rb")
        self._out = _moved(1, os.dup(2))
        self._parts: list[bytes] = []
        self._muted = False
        self._writing = threading.Lock()

    def readline(self) -> bytes:
        """The next line, b"" at the end of the stream. A carriage return ends one, too."""
        if not self._parts:
            line = self._in.readline()
            if b"\r" not in line:
                return line
            self._parts = [part + b"\n" for part in line.rstrip(b"\r\n").split(b"\r")]
        return self._parts.pop(0)

    def send(self, message: dict[str, Any]) -> None:
        """Write a message."""
        self.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n")

    def mute(self) -> None:
        """The session is over: what calls that are cut off would still say is not said."""
        self._muted = True

    def write(self, text: str) -> None:
        """Write lines that are messages already."""
        left = memoryview(text.encode("utf-8", "replace"))
        with self._writing:
            try:
                while left and not self._muted:
                    left = left[os.write(self._out, left) :]
            except OSError:  # a closed pipe, mostly; half a message, say on a full disk, is the last of any stream
                self._on_gone()


def message_of(line: bytes) -> dict[str, Any] | None:
    """The message of a line; None for what is none, which nobody waits for. Raises NotKnown where parsers differ."""
    text = line.decode("utf-8", "replace")
    try:
        found = json.loads(text, parse_constant=_refused)
    except ValueError:
        return None
    except RecursionError:
        raise NotKnown from None
    if not isinstance(found, dict):
        return None
    if text.count("[") + text.count("{") > _DEPTH_MAX and _is_deeper(found, _DEPTH_MAX):
        raise NotKnown
    if "\\ud" in text or "\\uD" in text:  # half a surrogate pair, say, which is no character
        whole: dict[str, Any] = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
        return whole
    return found


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether a value is nested deeper than that, found out without descending further."""
    parts: Iterator[Any] = iter(())
    if isinstance(value, dict):
        parts = iter(value.values())
    elif isinstance(value, list):
        parts = iter(value)
    else:
        return False
    return not levels or any(_is_deeper(part, levels - 1) for part in parts)


def _refused(constant: str) -> Any:
    raise NotKnown(constant)


def _moved(standard: int, instead: int) -> int:
    """The stream of a standard descriptor on another one, which children do not inherit; `instead` takes its place."""
    kept = fcntl.fcntl(standard, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
    os.set_blocking(kept, True)  # a client may have left it otherwise, and half a message must wait for its end
    os.dup2(instead, standard)
    os.close(instead)
    return kept
