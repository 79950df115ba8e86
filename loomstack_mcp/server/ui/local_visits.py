"""`ui`: whoever has the printed link reads, and decides after a code that only the terminal shows."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from loomstack_mcp.core.errors import Invalid, LimitExceeded, Unauthorized
from loomstack_mcp.core.records import record
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.server.ui.requests import PageRequest
from loomstack_mcp.server.ui.visits import SignedIn, Visitor, VisitPlace, cookie_text, undeciding

_KEY_BYTES = 24
_VISITS_MAX = 100
_SIGNED_IN_S = 8 * 3600.0
"""So long one code lets decide."""
_CODE_DIGITS, _CODE_S, _TRIES_MAX = 8, 300.0, 5
_APART_S, _APART_MAX_S = 3.0, 300.0
"""Between two codes; twice as long after each that was guessed at in vain."""


class Codes:
    """Codes of one use. There is at most one that holds, and only a person's terminal has seen it."""

    def __init__(self, show: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._show, self._clock = show, clock
        self._code, self._until_s, self._tries = "", 0.0, 0
        self._apart_s, self._shown_s = _APART_S, float("-inf")

    def ask(self) -> None:
        """Show a new one, in place of any before. Raises LimitExceeded where the last is too young."""
        now_s = self._clock()
        if (left_s := self._shown_s + self._apart_s - now_s) > 0:
            raise LimitExceeded(f"a code was shown just now; type it, or ask again in {left_s:.0f} s")
        code, half = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}", _CODE_DIGITS // 2
        self._show(f"{code[:half]}-{code[half:]}")  # where that is refused, the code holds that the terminal shows next
        self._code, self._until_s, self._tries, self._shown_s = code, now_s + _CODE_S, 0, now_s

    def use(self, typed: str) -> None:
        """Raises Unauthorized where it is not the code; a further one is shown then, once too many were tried."""
        digits = "".join(one for one in typed if one.isdigit())
        if self._code and self._clock() < self._until_s:
            if hmac.compare_digest(digits.encode(), self._code.encode()):
                self._code, self._apart_s = "", _APART_S
                return
            self._tries += 1
            if self._tries < _TRIES_MAX:
                raise Unauthorized("this is not the code that the terminal shows; look again")
            self._apart_s = min(self._apart_s * 2, _APART_MAX_S)
        self._code = ""
        try:
            self.ask()
        except LimitExceeded as error:
            raise Unauthorized(f"no code holds now: {error}") from None
        raise Unauthorized("that code holds no more; the terminal shows a new one")


@record
class _Visit:
    page_key: str = ""
    until_s: float = 0.0


class LocalVisits:
    """The visits of one process, kept in its memory."""

    where: VisitPlace = "ui"
    guesses_per_s, guesses_burst = 1 / 6, 10

    def __init__(self, who: Principal, *, port: int, codes: Codes | None, why_not: str = "") -> None:
        """Without `codes` nobody decides here, and `why_not` says why."""
        self.reading_key = secrets.token_urlsafe(_KEY_BYTES)
        """Of the printed link."""
        self._who, self._cookie, self._codes, self._why_not = who, f"loomstack-{port}", codes, why_not
        self._lock = threading.Lock()
        self._visits: dict[str, _Visit] = {}

    def visitor_of(self, request: PageRequest) -> Visitor | None:
        """As `Visits`."""
        with self._lock:
            visit = self._visits.get(request.cookies.get(self._cookie, ""))
        return None if visit is None else self._visitor(visit)

    def asks_store_for(self, request: PageRequest) -> Hashable | None:  # noqa: ARG002 as `Visits`
        """As `Visits`: all is in memory."""
        return None

    def signed_in(self, request: PageRequest, given: Mapping[str, str]) -> SignedIn:
        """As `Visits`: by `key` to read; then by `code` to decide, for which an empty one asks."""
        with self._lock:
            if set(given) == {"key"}:
                return self._entered(request, given["key"])
            if set(given) == {"code"}:
                return self._trusted(request, given["code"])
        raise Invalid('send {"key": "…"} of the printed link, or {"code": "…"} of the terminal')

    def signed_out(self, request: PageRequest) -> str:
        """As `Visits`."""
        with self._lock:
            self._visits.pop(request.cookies.get(self._cookie, ""), None)
        return f"{cookie_text(request, self._cookie, '')}; Max-Age=0"

    def guesser(self, request: PageRequest) -> Hashable | None:
        """As `Visits`: the key is beyond guessing, and no stranger keeps its person from coming in."""
        visitor = self.visitor_of(request)
        return visitor.seat if visitor else None

    def _entered(self, request: PageRequest, key: str) -> SignedIn:
        if not hmac.compare_digest(key.encode("utf-8", "replace"), self.reading_key.encode()):
            raise Unauthorized("this link is of another start of the dashboard; open the one that the terminal shows")
        if len(self._visits) >= _VISITS_MAX:  # who only reads makes room, by the link that they have
            readers = (name for name, visit in self._visits.items() if not visit.page_key)
            del self._visits[next(readers, next(iter(self._visits)))]
        return self._kept(request, _Visit())

    def _trusted(self, request: PageRequest, code: str) -> SignedIn:
        visit = self._visits.get(request.cookies.get(self._cookie, ""))
        if visit is None or not self._codes:
            raise Unauthorized(self._why_not or "open the link that the terminal shows first")
        if not code.strip():
            self._codes.ask()
            raise Unauthorized("the terminal in which the dashboard was started shows a code; type it here")
        self._codes.use(code)
        del self._visits[
            request.cookies[self._cookie]
        ]  # under another name from now on: who fixed the old one has none
        page_key = secrets.token_urlsafe(_KEY_BYTES)
        return self._kept(request, replace(visit, page_key=page_key, until_s=time.monotonic() + _SIGNED_IN_S))

    def _kept(self, request: PageRequest, visit: _Visit) -> SignedIn:
        name = secrets.token_urlsafe(_KEY_BYTES)
        self._visits[name] = visit
        return SignedIn(visitor=self._visitor(visit), cookie=cookie_text(request, self._cookie, name))

    def _visitor(self, visit: _Visit) -> Visitor:
        is_trusted = bool(visit.page_key) and time.monotonic() < visit.until_s
        page_key = visit.page_key if is_trusted else ""
        name, why_not = self._who.name, self._why_not or undeciding(self._who)
        return Visitor(name=name, role=self._who.role, seat=(name, ""), page_key=page_key, why_not=why_not)
