"""Who looks at the pages, and who decides there."""

import hashlib
import hmac
import secrets
import threading
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Literal, Protocol

from loomstack_mcp.core.errors import Invalid, LoomError, StoreUnavailable, Unauthorized
from loomstack_mcp.core.permits import HubRole
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.records import record
from loomstack_mcp.core.tokens import Principal, has_role
from loomstack_mcp.server.hub.keys import Keys
from loomstack_mcp.server.hub.replies import Refusal
from loomstack_mcp.server.ui.requests import PageRequest

VisitPlace = Literal["ui", "hub"]
PAGE_KEY = "loomstack-page"
"""The header in which a page shows what only it has, beside the cookie: cookies know no ports, so that whoever serves
another port of this host may be shown ours."""
_COOKIE_CHARS_MAX = 3_900
_KEY_BYTES = 24
_ENTRIES_MAX = 500
"""That are kept of who signed in in the clear; the oldest makes room, of the token that has the most."""
_TOKEN = "token"  # noqa: S105 no token, but what a field is called
_SIGN_IN = "sign in first"
NOBODY: Mapping[VisitPlace, str] = {
    "ui": "open the link that the terminal shows",
    "hub": "sign in with a token of this hub",
}
"""What somebody does first whom nobody knows."""


@record
class Visitor:
    """Somebody whose cookie we know."""

    name: str
    role: HubRole
    principal: Principal | None = None
    """As which the services are asked; None where they are the person's own."""
    seat: tuple[str, str]
    """Whose calls are counted together."""
    page_key: str = ""
    """What a page has to show beside the cookie to decide; "" for who has not signed in."""
    why_not: str = ""
    """Why nothing can be decided here; "" for who may."""


@record
class SignedIn:
    """What signing in brings."""

    visitor: Visitor
    cookie: str


class Visits(Protocol):
    """How somebody comes in."""

    where: VisitPlace
    guesses_per_s: float
    guesses_burst: int
    """Attempts to sign in that may come to nothing."""

    def visitor_of(self, request: PageRequest) -> Visitor | None:
        """Whose cookie came; None for nobody's. Raises LoomError where that cannot be asked."""

    def asks_store_for(self, request: PageRequest) -> Hashable | None:
        """For what `visitor_of` asks the store: whoever shows the same is the same. None where it asks nothing."""

    def signed_in(self, request: PageRequest, given: Mapping[str, str]) -> SignedIn:
        """By what the page was given. Raises Unauthorized, Invalid."""

    def signed_out(self, request: PageRequest) -> str:
        """The cookie that ends it."""

    def guesser(self, request: PageRequest) -> Hashable | None:
        """By whom attempts are counted; None where what is asked for cannot be guessed."""


@record
class _Entry:
    """What a cookie stands for."""

    token: str
    page_key: str


class HubVisits:
    """By a token of the hub, which each request checks anew.

    Over TLS the cookie holds it, so that any replica knows it. In the clear, which is on loopback alone, a browser
    sends the cookie to every port of this host: there it is a name for what this process keeps, and opens pages alone.
    """

    where: VisitPlace = "hub"
    guesses_per_s, guesses_burst = 20.0, 200
    """Nobody guesses a token: this is what they cost, and no one keeps others behind the same address out."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def visitor_of(self, request: PageRequest) -> Visitor | None:
        """As `Visits`."""
        value = request.cookies.get(_cookie_name(request), "")
        if not value:
            return None
        own = self._keys.own_principal_by_mark(value)
        if own:  # only on loopback, where another account may have been sent this cookie
            return None if request.peer.is_foreign else _token_visitor(own, self._keys.own_page_key())
        entry = self._entry(request, value)
        if entry is None:
            return None
        try:
            return _token_visitor(self._checked(entry.token), entry.page_key)
        except Unauthorized:
            return None

    def asks_store_for(self, request: PageRequest) -> Hashable | None:
        """As `Visits`."""
        value = request.cookies.get(_cookie_name(request), "")
        if not value or self._keys.own_principal_by_mark(value) or not self._entry(request, value):
            return None
        return (value, request.is_secure)

    def signed_in(self, request: PageRequest, given: Mapping[str, str]) -> SignedIn:
        """As `Visits`."""
        token = given.get(_TOKEN, "").strip()
        if not token or set(given) != {_TOKEN} or not token.isascii() or not token.isprintable() or " " in token:
            raise Invalid('send {"token": "…"}: a token of this hub, as `loomstack-mcp token create` tells it')
        if len(token) > _COOKIE_CHARS_MAX:
            raise Invalid("this token is too long for a cookie; take one of `loomstack-mcp token create`")
        own = self._keys.own_principal(token)
        if own:
            visitor = _token_visitor(own, self._keys.own_page_key())
            return SignedIn(visitor=visitor, cookie=_cookie(request, self._keys.own_mark()))
        principal = self._checked(token)
        if request.is_secure:
            return SignedIn(visitor=_token_visitor(principal, _page_key(token)), cookie=_cookie(request, token))
        name, entry = secrets.token_urlsafe(_KEY_BYTES), _Entry(token=token, page_key=secrets.token_urlsafe(_KEY_BYTES))
        with self._lock:
            self._entries.pop(request.cookies.get(_cookie_name(request), ""), None)  # whose place the new one takes
            self._make_room()
            self._entries[name] = entry
        return SignedIn(visitor=_token_visitor(principal, entry.page_key), cookie=_cookie(request, name))

    def signed_out(self, request: PageRequest) -> str:
        """As `Visits`."""
        with self._lock:
            self._entries.pop(request.cookies.get(_cookie_name(request), ""), None)
        return f"{_cookie(request, '')}; Max-Age=0"

    def guesser(self, request: PageRequest) -> Hashable | None:
        """As `Visits`: each attempt costs the store a question, or a signature."""
        return request.client

    def _entry(self, request: PageRequest, value: str) -> _Entry | None:
        if not request.is_secure:
            return self._entries.get(value)
        return _Entry(token=value, page_key=_page_key(value))

    def _make_room(self) -> None:
        """Whoever signs in again and again signs out themselves, and no other."""
        if len(self._entries) >= _ENTRIES_MAX:
            ((most, _),) = Counter(entry.token for entry in self._entries.values()).most_common(1)
            del self._entries[next(name for name, entry in self._entries.items() if entry.token == most)]

    def _checked(self, token: str) -> Principal:
        """Raises Unauthorized, and StoreUnavailable without where the store lies: it is told to whoever asks."""
        try:
            return self._keys.checked(token)
        except Unauthorized:
            raise
        except LoomError:
            raise StoreUnavailable("the hub's store does not answer; try again later") from None


def deciding_visitor(visitor: Visitor, request: PageRequest, /) -> None:
    """Raises Unauthorized for who may not decide, Refusal for a page that cannot show that it has signed in."""
    if visitor.why_not:
        raise Unauthorized(visitor.why_not)
    shown = request.headers.get(PAGE_KEY, "")
    if not visitor.page_key or not hmac.compare_digest(shown.encode(), visitor.page_key.encode()):
        raise Refusal(401, f"{_SIGN_IN}: this page does not show that it has signed in", code="unauthorized")


def visitor_shown(visitor: Visitor | None, /, *, nobody: str) -> Body:
    """Who looks, as `me` tells it."""
    if visitor is None:
        return {"name": "", "role": "", "reads": False, "signed_in": False, "may_decide": False, "why_not": nobody}
    may = bool(visitor.page_key) and not visitor.why_not
    return {
        "name": visitor.name,
        "role": visitor.role,
        "reads": True,
        "signed_in": bool(visitor.page_key),
        "may_decide": may,
        "why_not": "" if may else visitor.why_not or _SIGN_IN,
    }


def undeciding(principal: Principal, /) -> str:
    """Why a token decides nothing; "" for one that does."""
    if not principal.run and has_role(principal, "developer"):
        return ""
    kind = f"the own token of {principal.run}" if principal.run else f"the token of {principal.name}, {principal.role},"
    return f"{kind} decides nothing: a person with a developer's token does"


def cookie_text(request: PageRequest, name: str, value: str, /) -> str:
    """A cookie that no script reads, and no other site has sent."""
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict{'; Secure' if request.is_secure else ''}"


def _cookie(request: PageRequest, value: str) -> str:
    return cookie_text(request, _cookie_name(request), value)


def _cookie_name(request: PageRequest) -> str:
    """Over TLS by a name that browsers take from this very host alone; else one of this port's own."""
    return "__Host-loomstack" if request.is_secure else f"loomstack-{request.origin.rpartition(':')[2].strip('/')}"


def _page_key(token: str) -> str:
    """Of a token that the cookie itself holds."""
    return hmac.new(token.encode(), b"page", hashlib.sha256).hexdigest()


def _token_visitor(principal: Principal, page_key: str) -> Visitor:
    return Visitor(
        name=principal.name,
        role=principal.role,
        principal=principal,
        seat=(principal.name, principal.token),
        page_key=page_key,
        why_not=undeciding(principal),
    )
