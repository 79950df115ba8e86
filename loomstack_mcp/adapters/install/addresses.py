"""The address of a server, and a plain GET of it, for `doctor`."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

from loomstack_mcp.core.records import record

_ANSWER_SECONDS_MAX = 3
_ANSWER_BYTES_MAX = 10_000


@record
class Address:
    """The parts of a URL, without the name and password that may be in it."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def is_local(self) -> bool:
        """Whether it is this machine's own, which no network lies before."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}{self.path}"


def address_of(url: str) -> Address | None:
    """The address in a URL; None where it is no URL of HTTP."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return Address(scheme=parts.scheme, host=parts.hostname, port=port, path=parts.path)


def answer_of(address: Address, path: str, token: str) -> tuple[int | None, bytes]:
    """Status and body of a GET, with this token; no status where nobody answers. Redirects are not followed."""
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection = kind(address.host, address.port, timeout=_ANSWER_SECONDS_MAX)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_ANSWER_BYTES_MAX)
    except (OSError, ValueError, HTTPException):
        return None, b""
