"""A request of a page, read strictly: what two readers may read in two ways is refused."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_to_bytes

from loomstack_mcp.core.records import record
from loomstack_mcp.server.hub.connections import CONNECTION
from loomstack_mcp.server.hub.hosts import Arrival
from loomstack_mcp.server.hub.peers import Peer
from loomstack_mcp.server.hub.replies import Refusal, Scope

_USUAL_PORTS = {"http": ":80", "https": ":443"}
_RAW_MAX = 2_000
_NAMES_MAX = 8
_RAW_PATH = re.compile(rb"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@record
class PageRequest:
    """What was asked, and how it came."""

    method: str
    path: str
    """With its escapes read, once."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    """Without those that came twice: which of the two is ours, nobody can tell."""
    origin: str
    """By which the page itself was loaded: scheme, host and port."""
    client: str
    peer: Peer
    """The other end of the connection itself."""

    @property
    def is_secure(self) -> bool:
        """Whether it came by TLS, to us or to the proxy before us."""
        return self.origin.startswith("https:")


def page_request(scope: Scope, arrival: Arrival, /) -> PageRequest:
    """The request as it is meant. Raises Refusal."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        headers[name.decode("latin-1")] = text
        cookies += [text] if name == b"cookie" else []
    return PageRequest(
        method=scope["method"],
        path=_path(scope["raw_path"]),
        query=_query(scope["query_string"]),
        headers=headers,
        cookies=_cookies("; ".join(cookies)),
        origin=_origin(arrival),
        client=arrival.client,
        peer=peer_of(scope, arrival),
    )


def peer_of(scope: Scope, arrival: Arrival, /) -> Peer:
    """Who is at the other end of the connection over which a request came."""
    connection = scope.get("state", {}).get(CONNECTION)
    return connection.peer_at(*arrival.peer) if connection else Peer(*arrival.peer)


def refuse_other_sites(request: PageRequest, /) -> None:
    """Raises Refusal for what a page of another origin, also one of another port, has a browser ask.

    What changes something says where it comes from.
    """
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    is_foreign = site not in ("", "same-origin", "none") or (origin and origin.lower() != request.origin)
    if is_foreign or (request.method == "POST" and site != "same-origin" and not origin):
        raise Refusal(403, "only a page of this dashboard may ask this; open it, and do it there", code="unauthorized")


def refuse_type(request: PageRequest, /) -> None:
    """Raises Refusal for what is no JSON: no form of another site can send that, and no script of one unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "send JSON, as Content-Type: application/json")


def slow_down(said: str, wait_s: float, /) -> Refusal:
    """That it is too much, and when to come again."""
    return Refusal(429, said, code="limit_exceeded", headers=((b"retry-after", str(int(wait_s) + 1).encode()),))


def _origin(arrival: Arrival) -> str:
    """As browsers write it: a proxy may name the port that is meant anyway, and they do not."""
    host = arrival.host.lower().removesuffix(_USUAL_PORTS.get(arrival.scheme, ":"))
    return f"{arrival.scheme}://{host}"


def _path(raw: bytes) -> str:
    if len(raw) > _RAW_MAX or not _RAW_PATH.fullmatch(raw):
        raise Refusal(400, "a path here is plain, with what is not escaped as %XX")
    return _read(raw)


def _query(raw: bytes) -> Mapping[str, str]:
    try:
        if len(raw) > _RAW_MAX:
            raise ValueError
        found = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=_NAMES_MAX,
        )
    except ValueError:
        raise Refusal(400, f"behind the ? there are at most {_NAMES_MAX} names with a value each: ?limit=50") from None
    named = dict(found)
    if len(named) < len(found) or any(_UNPRINTABLE.search(text) for pair in found for text in pair):
        raise Refusal(400, "behind the ? each name comes once, with a printable value")
    return named


def _read(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        text = "\0"
    if _UNPRINTABLE.search(text) or "\\" in text:
        raise Refusal(400, "a path here is printable text in UTF-8")
    return text


def _cookies(sent: str) -> Mapping[str, str]:
    pairs = [part.strip().partition("=") for part in sent.split(";")]
    names = [name for name, _, _ in pairs]
    return {name: value for name, _, value in pairs if names.count(name) == 1}
