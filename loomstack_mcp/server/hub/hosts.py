"""By which names a hub is reached, and whose word counts for how a request came there."""

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urlsplit

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record
from loomstack_mcp.server.hub.forwarded import AnyAddress, spoken_address, told_by_proxy, without_forwarded
from loomstack_mcp.server.hub.replies import Refusal, Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_PORTS = {"http": 80, "https": 443}


@record
class Arrival:
    """How a request came: as its proxy says where it came through one, else as it is."""

    host: str
    scheme: str
    client: str
    peer: tuple[str, int]
    """The other end of the connection, be it a proxy's."""
    is_proxied: bool
    is_safe: bool
    """Whether nobody could read it on its way to us."""


class Hosts:
    """The names of one hub. A page of another site comes under its own (DNS rebinding), and is refused."""

    def __init__(self, *, address: str, public_url: str = "", proxies: Sequence[Network] = ()) -> None:
        """`address` is what it listens on; where that is any, only the public URL says what people call it."""
        self._proxies = tuple(proxies)
        self._public = urlsplit(public_url)
        shown = f"[{address}]" if ":" in address else address
        self._names = frozenset({*(_LOOPBACK if is_loopback(address) else ()), shown.lower()})

    def refuse_foreign(self, scope: Scope) -> Arrival:
        """How a request came, which from here on has no header of a proxy. Raises Refusal."""
        arrival = self._arrival(scope)
        if not arrival.is_safe:
            raise Refusal(403, f"a token must not travel in the clear: use {self._public.geturl()}")
        if not self._is_name(arrival.host, arrival.scheme, arrival):
            raise Refusal(421, "this hub has another name; its admin says which with --public-url")
        origin = _only(scope["headers"], b"origin")
        if origin and not self._is_origin(origin, arrival):
            raise Refusal(403, "a page of another site may not ask this hub")
        return arrival

    def _arrival(self, scope: Scope) -> Arrival:
        headers, peer = scope["headers"], spoken_address(scope["client"][0])
        assert peer
        is_proxied = self._is_proxy(peer)
        told = {"host": _only(headers, b"host"), "proto": scope["scheme"], "for": ""}
        if is_proxied:
            told |= {"proto": self._public.scheme, **told_by_proxy(headers)}
        scope["headers"] = without_forwarded(headers)
        return Arrival(
            host=told["host"],
            scheme=told["proto"],
            client=self._client(told["for"], str(peer)),
            peer=(str(peer), scope["client"][1]),
            is_proxied=is_proxied,
            is_safe=told["proto"] == "https" or self._is_clear_enough(peer),
        )

    def _is_clear_enough(self, peer: AnyAddress) -> bool:
        """Whether nobody else reads what comes from there without TLS: this machine's own, or by a proxy there."""
        return self._public.scheme == "http" if self._is_proxy(peer) else peer.is_loopback

    def _is_proxy(self, address: AnyAddress) -> bool:
        return any(address in network for network in self._proxies)

    def _is_name(self, host: str, scheme: str, arrival: Arrival) -> bool:
        """Through a proxy nobody comes under the name by which the machine calls itself."""
        if self._public.netloc and _spelled(host, scheme) == _spelled(self._public.netloc, self._public.scheme):
            return True
        return self._is_own(host) and not (arrival.is_proxied and self._public.netloc)

    def _is_own(self, host: str) -> bool:
        """Whether it is what the machine calls itself, on whatever port a tunnel may have."""
        name, colon, port = host.lower().rpartition(":")
        return host.lower() in self._names or bool(colon and port.isdigit() and name in self._names)

    def _is_origin(self, origin: str, arrival: Arrival) -> bool:
        try:
            found = urlsplit(origin)
        except ValueError:
            return False
        return found.scheme in _PORTS and not found.path and self._is_name(found.netloc, found.scheme, arrival)

    def _client(self, told: str, peer: str) -> str:
        """The nearest address that is no proxy of ours."""
        for one in reversed(told.split(",")):
            found = spoken_address(one)
            if found is None:
                break
            if not self._is_proxy(found):
                return str(found)
        return peer


def proxy_networks(named: str, /) -> tuple[Network, ...]:
    """The addresses and networks of `--behind-proxy`. Raises Invalid."""
    try:
        return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in named.split(",") if one.strip())
    except ValueError:
        raise Invalid(f"--behind-proxy {named}: name addresses or networks, like 10.0.0.5 or 10.0.0.0/24") from None


def checked_url(url: str, /) -> str:
    """A public URL. Raises Invalid where it is none, or names more than scheme, host and port."""
    try:
        found = urlsplit(url)
        is_plain = _is_plain(found)
    except ValueError:  # of a port, say
        is_plain = False
    if not is_plain:
        raise Invalid("--public-url is like https://loom.example or https://loom.example:8420, without a path")
    if found.scheme == "http" and not is_loopback(found.hostname or ""):
        raise Invalid(f"--public-url {url}: tokens travel in the clear over http; edges come by https alone")
    return f"{found.scheme}://{found.netloc.lower()}"


def is_loopback(host: str, /) -> bool:
    """Whether nobody on another machine comes to this address."""
    found = spoken_address(host)
    return host == "localhost" or (found is not None and found.is_loopback)


def _is_plain(url: SplitResult) -> bool:
    has_more = any((url.path.strip("/"), url.query, url.fragment, "@" in url.netloc))
    return url.scheme in _PORTS and bool(url.hostname) and url.port != 0 and not has_more


def _only(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    """The one header of this name, or "". Raises Refusal where there are several."""
    found = [value.decode("latin-1") for name, value in headers if name == wanted]
    if len(found) > 1:
        raise Refusal(400, f"{wanted.decode()} came more than once")
    return found[0] if found else ""


def _spelled(host: str, scheme: str) -> tuple[str, int]:
    name, colon, port = host.lower().rpartition(":")
    if colon and port.isdigit():
        return name, int(port)
    return host.lower(), _PORTS.get(scheme, 0)
