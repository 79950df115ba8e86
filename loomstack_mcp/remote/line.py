"""The line to a hub: each question within its time, and sent again only where that does no harm."""

import json
import os
import sys
import time

from loomstack_mcp.core import errors
from loomstack_mcp.core.errors import LoomError, StoreUnavailable, Unauthorized
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.remote.exchange import Exchange, HubAnswer, NoAnswer, WrongAnswer
from loomstack_mcp.remote.sockets import Origin, Untrusted, opened_socket

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# By its name: the package offers `open_loom` too, and with it what no hook may load.
_VERSION = str(vars(sys.modules["loomstack_mcp"])["__version__"])
_REACH_S = 2.0
"""Beyond it a hub is away."""
_AWAY_FILE = "hub-away"
_AWAY_S = 5.0
"""So long whoever is in a hurry takes another's word for it that the hub is away."""
_IDLE_MAX = 4
_IDLE_S = 70.0
"""A hub ends what is idle for 75 s; later its end may be unheard: the machine slept meanwhile."""
_TOO_OLD, _NOT_NOW = 426, (502, 503, 504)
_AGAIN_S = 0.1
_WORDS_MAX = 2_000
_CODES: dict[str, type[LoomError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, LoomError) and hasattr(kind, "code") and kind is not errors.Paused
}
"""What a hub may say. That nothing is to be looked at here, a person says on this machine, and no hub."""


class HubAway(StoreUnavailable):
    """Nothing answers there, or nothing that is a hub."""

    why = ""
    """Of what does not answer at all, what was tried came to."""


class Line:
    """The way to one hub. Threads may share it; each has a connection of its own while it asks."""

    def __init__(self, hub: str, token: str, *, home: str, ca: str = "", is_hasty: bool = False) -> None:
        """Whoever is hasty does not wait for a hub that another process lately found away."""
        self.origin = Origin(hub, ca)
        self._token = token
        self._home = home
        self._is_hasty = is_hasty
        self._idle: list[Exchange] = []
        self.traceparent: Callable[[], str] | None = None
        """Tells the span for which something is asked, where calls are told to a collector."""

    def close(self) -> None:
        """Nothing more is asked."""
        while self._idle:
            self._idle.pop().close()

    def hub_answer(self, path: str, body: bytes | None, /, *, request: str = "", answer_ms: int = 0) -> "Any":
        """What the hub answers to a POST of a body, or to a GET of None. `request` makes it be done once at most.

        Raises StoreUnavailable where it does not answer within two seconds, or `answer_ms` once it is reached, and
        whatever else the hub says, as it would be raised here.
        """
        if not self._token:
            raise Unauthorized(
                f"no token for {self.origin.text} is kept here; run `loomstack-mcp init --hub {self.origin.text}` in a "
                "terminal of your own"
            )
        if self._is_hasty:
            self._refuse_away()
            answer_ms = 0
        sent = self._request(path, body, request)
        try:
            reply = self._replied(sent, answer_s=answer_ms / SECOND_MS, is_once=bool(request))
        except Untrusted as error:
            raise self._untrusted(str(error)) from None
        except WrongAnswer as error:
            raise self._unspoken(str(error)) from None
        return self._answer(reply)

    def _request(self, path: str, body: bytes | None, request: str) -> bytes:
        lines = [
            f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
            f"Host: {self.origin.text.partition('://')[2]}",
            f"Authorization: Bearer {self._token}",
            f"LoomStack-Version: {_VERSION}",
            "Accept: application/json",
        ]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        if request:
            lines.append(f"LoomStack-Request: {request}")
        if self.traceparent and (parent := self.traceparent()):
            lines.append(f"traceparent: {parent}")
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")

    def _replied(self, sent: bytes, *, answer_s: float, is_once: bool) -> HubAnswer:
        """The answer; where a kept connection was dead, or a replica ended, of a second try.

        All that is sent may be: what is done once has an id, and the rest is done again without harm.
        Raises StoreUnavailable where none came in time.
        """
        reach_s = until_s = time.monotonic() + _REACH_S
        was_sent = False
        try:
            for left in (1, 0):
                if answer_s:  # the first may have taken long
                    until_s = time.monotonic() + _REACH_S
                exchange = self._exchange(until_s)
                was_sent = True
                try:
                    reply = self._once(exchange, sent, until_s=max(until_s, time.monotonic() + answer_s))
                except NoAnswer:
                    if not left:
                        raise
                    self.close()
                    continue
                if reply.status not in _NOT_NOW or _is_ours(reply):
                    break
                if not left:
                    raise OSError(f"what stands before it answers {reply.status}")
                time.sleep(_AGAIN_S)
        except Untrusted:
            raise
        except OSError as error:
            if not answer_s or time.monotonic() < reach_s:  # what was reached, and waited for, is not away for others
                self._mark_away()
            raise self._away(error, may_be_done=is_once and was_sent) from None
        return reply

    def _exchange(self, until_s: float) -> Exchange:
        """A kept connection, else a new one."""
        while True:
            try:
                exchange = self._idle.pop()
            except IndexError:
                return Exchange(opened_socket(self.origin, os.environ, until_s=until_s))
            # By the wall clock: the monotonic one stands still while a machine sleeps.
            if abs(time.time() - exchange.idle_since_s) < _IDLE_S:
                return exchange
            exchange.close()

    def _once(self, exchange: Exchange, sent: bytes, *, until_s: float) -> HubAnswer:
        try:
            reply = exchange.reply_to(sent, until_s=until_s)
        except BaseException:
            exchange.close()
            raise
        if exchange.is_kept and len(self._idle) < _IDLE_MAX:
            exchange.idle_since_s = time.time()
            self._idle.append(exchange)
        else:
            exchange.close()
        return reply

    def _answer(self, reply: HubAnswer) -> "Any":
        if 300 <= reply.status < 400:
            where = reply.headers.get("location", "elsewhere")[:200]
            raise self._unspoken(f"it leads to {where}, where no token of {self.origin.text} goes")
        try:
            told = json.loads(reply.body)
        except (ValueError, RecursionError):
            kind = reply.headers.get("content-type", "no kind of content").partition(";")[0]
            raise self._unspoken(f"it answered {reply.status} with {kind}, not JSON") from None
        if not isinstance(told, dict):
            raise self._unspoken(f"it answered {reply.status} with JSON that is no object")
        if reply.status == 200:
            return told
        error = told.get("error")
        if not isinstance(error, dict) or not isinstance(error.get("message"), str):
            raise self._unspoken(f"it answered {reply.status}")
        raise self._raised(reply.status, str(error.get("code")), _harmless(error["message"]))

    def _raised(self, status: int, code: str, message: str) -> LoomError:
        if status == 401:
            another = f"`loomstack-mcp init --hub {self.origin.text}` takes another"
            return Unauthorized(f"{self.origin.text}: {message}; {another}")
        if status == _TOO_OLD:
            return StoreUnavailable(f"{self.origin.text}: {message}")
        return _CODES.get(code, StoreUnavailable)(message)

    def _away(self, error: OSError, *, may_be_done: bool = False) -> HubAway:
        why = error.strerror or str(error) or type(error).__name__
        if isinstance(error, NoAnswer) and not self.origin.is_secure:
            why += "; where TLS is spoken, the address is https://"
        said = "nothing was kept elsewhere instead. Ask again"
        if may_be_done:
            said = "what was asked for may have been done: look before you ask for it anew"
        away = HubAway(f"the hub {self.origin.text} is away ({why}); {said}; `loomstack-mcp doctor` looks at it")
        away.why = why
        return away

    def _untrusted(self, why: str) -> StoreUnavailable:
        return StoreUnavailable(f"the hub {self.origin.text} is not trusted: {_harmless(why)}")

    def _unspoken(self, what: str) -> HubAway:
        return HubAway(
            f"what answers at {self.origin.text} is no hub: {_harmless(what)}. A login page of the network, or a "
            "proxy, may stand between; `loomstack-mcp doctor` looks at it"
        )

    def _refuse_away(self) -> None:
        """Raises StoreUnavailable for a hub that was away a moment ago."""
        try:
            age_s = time.time() - os.stat(f"{self._home}/{_AWAY_FILE}").st_mtime
            with open(f"{self._home}/{_AWAY_FILE}", encoding="utf-8") as opened:
                is_it = opened.read() == self.origin.text
        except OSError:
            return
        if is_it and 0 <= age_s < _AWAY_S:
            raise self._away(OSError(f"so it was found {age_s:.0f} s ago"))

    def _mark_away(self) -> None:
        try:
            with open(f"{self._home}/{_AWAY_FILE}", "w", encoding="utf-8") as opened:
                opened.write(self.origin.text)
        except OSError:  # then each of us waits for itself
            pass


def _is_ours(reply: HubAnswer) -> bool:
    return reply.headers.get("content-type", "").startswith("application/json")


def _harmless(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:_WORDS_MAX])
