"""Where the hub listens; and on an address that others can reach, what it needs for that."""

import socket

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.server.hub.hosts import is_loopback

_BACKLOG = 512


def refuse_open_address(host: str, *, is_secured: bool, is_named: bool, has_tokens: bool) -> None:
    """Raises Invalid where others could reach a hub that is not made for them, with all that is missing.

    `is_secured`: it has a certificate, or a proxy before it that has; `is_named`: it knows its public URL.
    """
    missing = []
    if not has_tokens:
        missing.append("a token for its first admin: `loomstack-mcp token create --for NAME --role admin`")
    if not is_secured:
        missing.append("--tls-cert FILE with --tls-key FILE, or --behind-proxy ADDRESS where a proxy has them")
    if not is_named:
        missing.append("--public-url https://NAME, by which people reach it")
    if missing:
        where = "" if is_loopback(host) else f"--host {host} is no loopback address: "
        raise Invalid(f"{where}others can reach this hub, and it needs {'; and '.join(missing)}")


def listening(host: str, port: int) -> socket.socket:
    """A socket on an address or a name; port 0 takes a free one. Raises Invalid."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            "127.0.0.1" if host == "localhost" else host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
    except (OSError, UnicodeError):
        raise Invalid(f"--host {host} is no address of this machine, nor a name of one") from None
    # Named as TCP: asyncio turns Nagle's algorithm off only for sockets that say so, and answers came 40 ms late.
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # each connection has it, too: clients vanish
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Invalid(f"cannot listen on {where}: {error.strerror}; choose another --port") from None
    return listener
