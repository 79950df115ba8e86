"""A connection to the hub's own origin: found, tunnelled through a proxy where one is set, and held to its certificate.

Each step ends in time: to find a name has no deadline of its own in the standard library.
"""

import os
import socket
import time

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_HEAD_BYTES_MAX = 8_000
_PORTS = {"https": 443, "http": 80}
_MENDS = {
    10: "Its admin renews it",
    62: "Use the name that it was made for",
    64: "Use the name that it was made for",
}
"""By OpenSSL's number of what is wrong: expired, another host's, another address's."""


class Untrusted(OSError):
    """Its certificate, or the file that tells which to trust, keeps us from it; nothing was sent."""


class Origin:
    """Where a hub is. No record: dataclasses cost a hook 5 ms."""

    def __init__(self, text: str, ca: str = "") -> None:
        """`text` is `https://HOST[:PORT]`; `ca` a file of certificates that the hub's is held to, not the system's."""
        self.text = text
        self.ca = ca
        self.is_secure = text.startswith("https://")
        """Whether what is sent is encrypted; in the clear only to this machine itself."""
        self.address = host_and_port(text)


def host_and_port(url: str, /) -> tuple[str, int]:
    """Of `SCHEME://HOST[:PORT]`, an IPv6 host without its brackets."""
    scheme, _, place = url.partition("://")
    host, colon, port = place.rstrip("/").rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        host, port = place.rstrip("/"), ""
    return host.strip("[]"), int(port or _PORTS[scheme])


def opened_socket(origin: Origin, environment: "Mapping[str, str]", /, *, until_s: float) -> socket.socket:
    """A connection, encrypted where the origin says so. Raises OSError, Untrusted where the certificate is not its."""
    host, port = origin.address
    proxy = _proxy(host, environment) if origin.is_secure else ""
    found = _connected(*(host_and_port(proxy) if proxy else (host, port)), until_s=until_s)
    try:
        if proxy:
            _tunnel(found, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", until_s=until_s)
        found.settimeout(left_s(until_s))  # of the handshake as a whole
        return _secured(found, origin, host) if origin.is_secure else found
    except BaseException:
        found.close()
        raise


def left_s(until_s: float, /) -> float:
    """How long there is until then, by the monotonic clock. Raises TimeoutError for nothing."""
    left = until_s - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _connected(host: str, port: int, *, until_s: float) -> socket.socket:
    error: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, address in _addresses(host, port, until_s):
        found = socket.socket(family, kind, protocol)
        try:
            found.settimeout(left_s(until_s))
            found.connect(address)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as failed:
            found.close()
            error = failed
        else:
            return found
    raise error


def _addresses(host: str, port: int, until_s: float) -> "list[tuple[int, int, int, Any]]":
    def look() -> None:
        try:
            # As bytes: of a text Python makes an internationalized name first, by tables that cost a hook 1 ms.
            name = host.encode() if host.isascii() else host  # a proxy's may be one
            looked = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            found.extend((family, kind, protocol, address) for family, kind, protocol, _, address in looked)
        except OSError as error:
            failed.append(error)
        except UnicodeError:
            failed.append(OSError(f"{host} is no name of a host"))

    found: list[tuple[int, int, int, Any]] = []
    failed: list[OSError] = []
    if ":" in host or host.replace(".", "").isdigit():
        look()
    else:
        import threading  # which no address by number needs

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        thread.join(left_s(until_s))
    if failed:
        raise failed[0]
    return found


def _proxy(host: str, environment: "Mapping[str, str]") -> str:
    """The proxy that the environment names; "" for none. What it carries it cannot read."""
    told = environment.get("https_proxy") or environment.get("HTTPS_PROXY") or ""
    spared = (environment.get("no_proxy") or environment.get("NO_PROXY") or "").replace(" ", "").split(",")
    is_spared = any(one == "*" or (one and f".{host}".endswith(f".{one.lstrip('.')}")) for one in spared)
    if not told or is_spared:
        return ""
    url = told if "://" in told else f"http://{told}"
    scheme, _, place = url.partition("://")
    return f"{scheme}://{place.rpartition('@')[2].partition('/')[0]}" if scheme == "http" else ""


def _tunnel(proxy: socket.socket, place: str, *, until_s: float) -> None:
    proxy.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        proxy.settimeout(left_s(until_s))
        more = proxy.recv(1)  # what follows is not ours to read: TLS begins there
        if not more or len(head) > _HEAD_BYTES_MAX:
            raise ConnectionError("the proxy did not answer")
        head += more
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ConnectionError(f"the proxy did not let it through to {place}")


def _secured(plain: socket.socket, origin: Origin, host: str) -> socket.socket:
    import ssl  # 10 ms, which a hub on this machine does not cost

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # By the system's own places, whatever the environment says: a repository's settings may have set that.
    paths = ssl.get_default_verify_paths()
    cafile = origin.ca or (paths.openssl_cafile if os.path.exists(paths.openssl_cafile) else None)
    capath = None if origin.ca or not os.path.isdir(paths.openssl_capath) else paths.openssl_capath
    if cafile or capath:
        try:
            context.load_verify_locations(cafile=cafile, capath=capath)
        except OSError:
            raise Untrusted(f"{cafile or capath} cannot be read as certificates. Nothing was sent") from None
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        why = str(error.verify_message or error.reason).rstrip(".")
        mend = _MENDS.get(error.verify_code, "For certificates of your own: `loomstack-mcp init --hub {} --ca FILE`")
        said = f"its certificate does not hold here: {why}. Nothing was sent. {mend.format(origin.text)}"
        raise Untrusted(said) from None
    except ssl.SSLError as error:
        if error.reason == "WRONG_VERSION_NUMBER":
            raise ConnectionError("no TLS is spoken there; is it another port?") from None
        raise ConnectionError(f"TLS failed: {error.reason or type(error).__name__}") from None
