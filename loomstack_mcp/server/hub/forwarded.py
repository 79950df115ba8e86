"""What a proxy tells of a request, which anybody can write: whose word counts is for the reader to say."""

import functools
import ipaddress
from collections.abc import Iterable, Mapping

from loomstack_mcp.server.hub.replies import Refusal

AnyAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Headers = Iterable[tuple[bytes, bytes]]

_ADDRESS_CHARS_MAX = 100
"""More is none, and is not remembered."""
_PREFIXES = (b"x-forwarded-", b"forwarded", b"x-real-ip")
_PLAIN = {b"x-forwarded-for": "for", b"x-forwarded-host": "host", b"x-forwarded-proto": "proto"}


def without_forwarded(headers: Headers, /) -> list[tuple[bytes, bytes]]:
    """The headers that are the client's own."""
    return [each for each in headers if not each[0].startswith(_PREFIXES)]


def told_by_proxy(headers: Headers, /) -> Mapping[str, str]:
    """What a proxy told, by `for` (all of them), `host` and `proto` (the nearest's), as far as it did.

    There are two ways to tell. Raises Refusal where both were taken: a proxy takes one, and the other is the client's.
    """
    told = {name: value.decode("latin-1") for name, value in headers}
    plain = {_PLAIN[name]: value for name, value in told.items() if name in _PLAIN}
    if b"forwarded" not in told:
        return {name: value if name == "for" else _last(value) for name, value in plain.items()}
    if plain:
        raise Refusal(400, "X-Forwarded-* and Forwarded came both; let the proxy drop what it does not set")
    return _parted(_last(told[b"forwarded"]))


def spoken_address(text: str, /) -> AnyAddress | None:
    """An address, with or without a port; an IPv4 one that came over IPv6 is itself. None for anything else."""
    return _short_address(text) if len(text) <= _ADDRESS_CHARS_MAX else None


@functools.lru_cache(maxsize=1_000)
def _short_address(text: str) -> AnyAddress | None:
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _parted(element: str) -> dict[str, str]:
    """One element of `Forwarded` (RFC 7239, §4)."""
    pairs = (pair.partition("=") for pair in element.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _last(told: str) -> str:
    return told.rpartition(",")[2].strip()
