"""Ports that somebody listens at again after a while."""

import random
import socket
from pathlib import Path

_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FROM = 20_000


def kept_port(address: str = "127.0.0.1") -> int:
    """A port that is free there, and is not given away by the kernel while nobody listens at it.

    One that it chose itself it may choose for a connection of others before a server that was killed is back.
    """
    given_from = int(_GIVEN_AWAY.read_text(encoding="ascii").split()[0]) if _GIVEN_AWAY.exists() else _FROM
    kept = range(_FROM, given_from)  # none where the kernel gives away lower ones, too
    for port in random.sample(kept, min(100, len(kept))):
        try:
            with socket.create_server((address, port)):
                return port
        except OSError:
            continue
    with socket.create_server((address, 0)) as found:
        return int(found.getsockname()[1])
