"""The door of the hub: what every request meets before a service, or MCP, has it."""

import json
import math
import re
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from loomstack_mcp import __version__
from loomstack_mcp.core.errors import LimitExceeded, LoomError, Unauthorized
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.server.hub.api import OPEN_CALL, Api, ApiCall
from loomstack_mcp.server.hub.bodies import MCP_VALUES_MAX, refuse_crowded, whole_body
from loomstack_mcp.server.hub.connections import CONNECTION
from loomstack_mcp.server.hub.hosts import Hosts
from loomstack_mcp.server.hub.keys import Keys, bearer_of
from loomstack_mcp.server.hub.open_questions import OpenQuestion, OpenQuestions
from loomstack_mcp.server.hub.pages import Pages, wants_page
from loomstack_mcp.server.hub.rates import Rates, Seats, TooMany
from loomstack_mcp.server.hub.replies import (
    App,
    HubReply,
    Receive,
    Refusal,
    Scope,
    Send,
    answer_reply,
    error_reply,
    json_reply,
    refusal_reply,
    send_reply,
)
from loomstack_mcp.server.hub.standing import Standing
from loomstack_mcp.server.hub.versions import version_problem
from loomstack_mcp.server.principals import acting_principal

BODY_BYTES_MAX, MCP_BODY_BYTES_MAX = 16_000_000, 4_000_000
CALLS_PER_S, CALLS_BURST = 100.0, 1_000
"""Of one token. The edges of 500 developers make 20 calls a second together."""
_AT_ONCE, _QUEUE = 4, 60
"""Calls of one token that are done at once, and that wait for those."""
_STREAMS_MAX = 100
"""Requests of one token to `/mcp` that are open: some wait, and some listen."""
_CALL_THREADS, _CHECK_THREADS = 16, 4

_CALL = re.compile(r"/api/([a-z_]{1,40})/([a-z_]{1,40})")
_HELLO = "/api/hello"
_POLICIES = "/api/policies"
_METHODS = {
    "/mcp": ("GET", "POST", "DELETE"),
    **dict.fromkeys((_HELLO, _POLICIES), ("GET",)),
    **dict.fromkeys(("/health", "/ready"), ("GET", "HEAD")),
}
_NO_BEARER = "send a token as `Authorization: Bearer …`; an admin of the hub makes it: `loomstack-mcp token create`"
_CHALLENGE = ((b"www-authenticate", b"Bearer"),)

Answers = Callable[[Scope], Awaitable[HubReply]]
_Told = TypeVar("_Told")


class Door:
    """The whole application. What it refuses ends the connection, for whoever sent it may be anybody."""

    def __init__(
        self,
        mcp: App,
        api: Api,
        *,
        keys: Keys,
        hosts: Hosts,
        standing: Standing,
        questions: OpenQuestions,
        pages: Pages | None = None,
    ) -> None:
        self._mcp, self._api, self._keys, self._hosts, self._standing = mcp, api, keys, hosts, standing
        self._pages = pages
        self._questions = questions
        self._rates = Rates(per_s=CALLS_PER_S, burst=CALLS_BURST)
        self._seats = Seats(most=_AT_ONCE, queue=_QUEUE)
        self._streams = Seats(most=_STREAMS_MAX, queue=0)
        self._bodies = Seats(most=_AT_ONCE, queue=_STREAMS_MAX)
        self._threads = anyio.CapacityLimiter(_CALL_THREADS)
        self._checking = anyio.CapacityLimiter(_CHECK_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._mcp(scope, receive, send)
            return
        send = self._last_answer(send) if self._standing.is_stopping else send
        over_api = scope["path"].startswith("/api/")
        try:
            reply = await self._answered(scope, receive, send)
        except Refusal as refusal:
            reply = refusal_reply(refusal, over_api=over_api)
        except TooMany:
            said = "this token has too many calls under way; wait for some"
            too_many = Refusal(429, said, code="limit_exceeded", headers=_retry_after(1))
            reply = refusal_reply(too_many, over_api=over_api)
        if reply:
            await send_reply(reply, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> HubReply | None:
        """The answer; None where it was given. Raises Refusal, TooMany."""
        path = _plain_path(scope)
        if path in ("/health", "/ready"):
            _refuse_method(scope, path)
            return await self._state_told(path)
        arrival = self._hosts.refuse_foreign(scope)
        scope["client"] = (arrival.client, 0)
        if pages := self._pages_of(scope):
            await pages.answer(scope, receive, send, arrival)
            return None
        call = _CALL.fullmatch(path)
        if not (call or path in _METHODS) and self._pages and wants_page(scope):
            await self._pages.tell_nothing_here(scope, send)
            return None
        if not (call or path in _METHODS):
            raise Refusal(
                404, "there is nothing here: MCP is at /mcp, the calls of edges are at /api/", code="not_found"
            )
        if scope["query_string"]:  # which proxies and histories keep
            raise Refusal(400, "nothing belongs behind a ? here, least of all a token")
        _refuse_method(scope, path)
        principal = await self._principal(scope)
        if path == "/mcp":
            await self._mcp_answers(principal, scope, receive, send)
            return None
        _refuse_version(scope, is_hello=path == _HELLO)
        if path == _HELLO:
            return answer_reply(self._api.hello(principal))
        async with self._seats.seat_taken(_key(principal)):
            ask = self._policies if call is None else await self._question(principal, call, scope, receive)
            found = await anyio.to_thread.run_sync(ask, limiter=self._threads)
            if isinstance(found, HubReply):
                await send_reply(found, send)  # who reads slowly has few answers kept for them
                if found.after:
                    await anyio.to_thread.run_sync(found.after, limiter=self._threads)
                return None
        told = await self._questions.moved(found, _key(principal), receive)
        return error_reply(told) if isinstance(told, LoomError) else answer_reply(json.dumps(told).encode())

    def _pages_of(self, scope: Scope) -> Pages | None:
        """The dashboard, where a request is its."""
        return self._pages if self._pages and self._pages.takes(scope["raw_path"].decode("latin-1")) else None

    async def _question(
        self, principal: Principal, call: re.Match[str], scope: Scope, receive: Receive
    ) -> Callable[[], OpenQuestion | HubReply]:
        """What a call of an edge asks, with its whole body."""
        body = await whole_body(_header(scope, b"content-length"), receive, most=BODY_BYTES_MAX)
        asked = ApiCall(
            name=f"{call[1]}.{call[2]}",
            body=body,
            request=_header(scope, b"loomstack-request"),
            traceparent=_header(scope, b"traceparent"),
        )
        return partial(self._open_question if asked.name == OPEN_CALL else self._reply, principal, asked)

    def _policies(self) -> HubReply:
        try:
            return answer_reply(self._api.policies())
        except LoomError as error:
            return error_reply(error)

    async def _state_told(self, path: str) -> HubReply:
        ok = path == "/health" or await self._standing.is_ready()
        status = "ok" if ok else "stopping" if self._standing.is_stopping else "store unavailable"
        return json_reply(200 if ok else 503, {"name": "loomstack", "status": status, "version": __version__})

    async def _principal(self, scope: Scope) -> Principal:
        """Whose token it is. Raises Refusal."""
        bearer = bearer_of(scope["headers"])
        if not bearer:
            raise Refusal(401, _NO_BEARER, code="unauthorized", headers=_CHALLENGE)
        own = self._keys.own_principal(bearer)
        if own:
            _prove(scope, own)
            return own
        try:
            found = await anyio.to_thread.run_sync(self._keys.checked, bearer, limiter=self._checking)
        except Unauthorized as error:
            raise Refusal(401, str(error), code=error.code, headers=_CHALLENGE) from None
        except LoomError as error:  # where its store lies is not for whoever asks
            raise Refusal(503, "the hub's store does not answer; try again later", code=error.code) from None
        _prove(scope, found)
        if wait_s := self._rates.wait_s(_key(found)):
            said = f"more than {CALLS_PER_S:.0f} calls a second with this token; slow down"
            raise Refusal(429, said, code="limit_exceeded", headers=_retry_after(wait_s))
        return found

    async def _mcp_answers(self, principal: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        """MCP has the request, with its whole body, and answers it itself."""
        acting_principal.set(principal)
        async with self._streams.seat_taken(_key(principal)):
            async with self._bodies.seat_taken(_key(principal)):
                body = await whole_body(_header(scope, b"content-length"), receive, most=MCP_BODY_BYTES_MAX)
            try:
                refuse_crowded(body, most=MCP_VALUES_MAX)
            except LimitExceeded as error:
                raise Refusal(413, str(error), code=error.code) from None
            is_told = False

            async def received() -> dict[str, object]:
                nonlocal is_told
                if is_told:
                    return dict(await receive())
                is_told = True
                return {"type": "http.request", "body": body, "more_body": False}

            await self._mcp(scope, received, send)

    def _reply(self, principal: Principal, call: ApiCall) -> HubReply:
        return self._told(lambda: self._api.answer(principal, call))

    def _open_question(self, principal: Principal, call: ApiCall) -> OpenQuestion | HubReply:
        return self._told(lambda: self._api.open_question(principal, call))

    def _told(self, ask: Callable[[], _Told]) -> _Told | HubReply:
        """What the API says, or raises."""
        try:
            return ask()
        except LoomError as error:
            return error_reply(error)
        except Exception as error:  # noqa: BLE001 the call's last handler: its text stays on the hub
            self._standing.log_error("".join(traceback.format_exception(error)))
            return error_reply(error)

    def _last_answer(self, send: Send) -> Send:
        """The hub is about to end: no other request is to come over this connection."""

        async def sent(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}  # type: ignore[misc]
            await send(message)

        return sent  # type: ignore[return-value]


def _plain_path(scope: Scope) -> str:
    """The path as it was sent. Raises Refusal for a request that two readers may read in two ways."""
    names = [name for name, _ in scope["headers"]]
    if b"transfer-encoding" in names and b"content-length" in names:  # RFC 9112, §6.3
        raise Refusal(400, "a body has one length: Transfer-Encoding and Content-Length came both")
    path = scope["raw_path"].decode("latin-1")
    return path if re.fullmatch(r"/[a-z_/]{1,100}", path) else "/?"


def _refuse_method(scope: Scope, path: str) -> None:
    methods = _METHODS.get(path, ("POST",))
    if scope["method"] not in methods:
        allowed = ", ".join(methods)
        raise Refusal(405, f"{path} takes {allowed}", headers=((b"allow", allowed.encode()),))


def _refuse_version(scope: Scope, *, is_hello: bool) -> None:
    told = _header(scope, b"loomstack-version")
    if problem := "" if is_hello and not told else version_problem(told, __version__):
        raise Refusal(426 if told else 400, problem)


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _retry_after(wait_s: float) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"retry-after", str(math.ceil(wait_s)).encode()),)


def _key(principal: Principal) -> tuple[str, str]:
    return principal.name, principal.token


def _prove(scope: Scope, principal: Principal) -> None:
    if connection := scope["state"].get(CONNECTION):
        connection.prove(_key(principal))
