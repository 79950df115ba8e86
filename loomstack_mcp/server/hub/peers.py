"""Who speaks to us on loopback: the account that a connection is of, as far as the system tells it."""

import os
import socket
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOCAL, _UID, _INODE = 1, 7, 9
"""Columns of them (proc(5))."""
_ORPHAN = "0"
"""The inode of an end that was closed already: its account is told as root's then, whoever's it was."""


class Peer:
    """The other end of one connection; whose it is, is asked once, and only where somebody wants to know."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    @cached_property
    def is_foreign(self) -> bool:
        """As `is_foreign_peer`."""
        return is_foreign_peer(self._host, self._port)


def is_own_peer(host: str, port: int) -> bool:
    """Whether a connection from there is of our own account, or of one that may be it anyway.

    Where the system keeps no such table, as on macOS, every account of the machine may come. Whoever has closed
    their end already is nobody.
    """
    if not _TABLES[0].exists():
        return True
    return any(uid in (os.getuid(), 0) for uid in _uids(_spelled(host, port)))


def is_foreign_peer(host: str, port: int) -> bool:
    """Whether the system says that a connection from there is of another account, which is neither ours nor root."""
    found = set(_uids(_spelled(host, port)))
    return bool(found) and not found & {os.getuid(), 0}


def _uids(ends: frozenset[str]) -> Iterator[int]:
    for table in _TABLES:
        try:
            lines = table.read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[_LOCAL] in ends and columns[_INODE] != _ORPHAN:
                yield int(columns[_UID])


def _spelled(host: str, port: int) -> frozenset[str]:
    """An end of a connection as these tables write it: words of four bytes in the machine's order."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return frozenset()
    mapped = b"\0" * 10 + b"\xff\xff" + packed if len(packed) == 4 else packed
    return frozenset(f"{_words(one)}:{port:04X}" for one in (packed, mapped))


def _words(packed: bytes) -> str:
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(word[::-1].hex().upper() for word in words)
