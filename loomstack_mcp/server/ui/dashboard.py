"""The dashboard as an application: pages, the JSON that they are made of, and what people do in them."""

import logging
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from loomstack_mcp import __version__
from loomstack_mcp.core.errors import Invalid, LoomError, Unauthorized
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.policy.approvals import ApprovalVerdict
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.bodies import json_object, whole_body
from loomstack_mcp.server.hub.connections import CONNECTION
from loomstack_mcp.server.hub.hosts import Arrival
from loomstack_mcp.server.hub.rates import Rates, Seats, TooMany
from loomstack_mcp.server.hub.replies import Receive, Refusal, Scope, Send, error_reply
from loomstack_mcp.server.principals import acting_principal
from loomstack_mcp.server.ui.deciding import Deciders
from loomstack_mcp.server.ui.files import PageFiles
from loomstack_mcp.server.ui.known_answers import KnownAnswers
from loomstack_mcp.server.ui.lists import LISTS, THINGS, PageList, inbox_body
from loomstack_mcp.server.ui.opened import VisibleRepos, repo_label
from loomstack_mcp.server.ui.questions import PageQuestion, Taken, page_question
from loomstack_mcp.server.ui.replies import PRIVATE, PageContent, PageReply, json_content, json_page, send_page
from loomstack_mcp.server.ui.requests import PageRequest, page_request, refuse_other_sites
from loomstack_mcp.server.ui.streams import EventStreams
from loomstack_mcp.server.ui.visits import SignedIn, Visitor, Visits, deciding_visitor, visitor_shown

_API = "/api/v1/"
_STATIC = "/static/"
_PAGE = re.compile(r"/(?:(?:live|claims|conflicts|decisions|inbox|trace|loops|runs)(?:/.*)?)?")
_DECIDED = re.compile(r"inbox/(apr_[0-9A-Z]{1,20})")
_BODY_BYTES_MAX = 16_000
_CALLS_PER_S, _CALLS_BURST = 100.0, 1_000
"""Of one visitor."""
_GUESSES_PER_S, _GUESSES_BURST = 1 / 6, 10
"""Attempts to sign in from one address that came to nothing."""
_AT_ONCE, _QUEUE, _THREADS = 8, 400, 8
_NOBODY = {"ui": "open the link that the terminal shows", "hub": "sign in with a token of this hub"}
_VERDICTS: Mapping[str, ApprovalVerdict] = {"approve": "granted", "deny": "denied"}
_INBOX = "inbox"
_NO_QUERY = Taken()

_log = logging.getLogger(__name__)
_Told = TypeVar("_Told")


class Dashboard:
    """All pages. What opens them, and who may decide, is the visits' to say."""

    def __init__(
        self,
        loom: Loom,
        *,
        visits: Visits,
        deciders: Deciders,
        repos: VisibleRepos,
        streams: EventStreams,
        things: Mapping[str, PageList] = THINGS,
    ) -> None:
        """`loom` are the services as whoever asks has them."""
        self._things = things
        self._loom, self._visits, self._deciders, self._repos = loom, visits, deciders, repos
        self._streams, self._files, self._known = streams, PageFiles(), KnownAnswers()
        self._rates = Rates(per_s=_CALLS_PER_S, burst=_CALLS_BURST)
        self._guesses = Rates(per_s=_GUESSES_PER_S, burst=_GUESSES_BURST)
        self._seats = Seats(most=_AT_ONCE, queue=_QUEUE)
        self._threads = anyio.CapacityLimiter(_THREADS)

    def takes(self, path: str) -> bool:
        """Whether a path, as it was sent, is one of ours."""
        return bool(_PAGE.fullmatch(path)) or path.startswith((_API, _STATIC))

    async def answer(self, scope: Scope, receive: Receive, send: Send, arrival: Arrival) -> None:
        """Answer a request that came under a name of ours."""
        request = None
        try:
            request = page_request(scope, arrival)
            reply = await self._answered(request, scope, receive, send)
        except Refusal as refusal:
            told = {"code": refusal.code, "message": str(refusal)}
            headers = {name.decode(): value.decode() for name, value in refusal.headers}
            reply = json_page({"error": told}, status=refusal.status, headers=headers)
        except TooMany:
            told = {"code": "limit_exceeded", "message": "too much is asked at once here; wait for some of it"}
            reply = json_page({"error": told}, status=429, headers={"Retry-After": "2"})
        except LoomError as error:
            reply = _told_error(error)
        except Exception as error:  # noqa: BLE001 the request's last handler: its text stays here
            _log.error("internal error of a page:\n%s", "".join(traceback.format_exception(error)))
            reply = _told_error(error)
        if reply:
            await send_page(reply, request or _UNREAD, send)

    async def watch(self) -> None:
        """Look for what happens, until cancelled."""
        await self._streams.watch()

    def end(self) -> None:
        """The process ends: no stream goes on."""
        self._streams.end()

    async def _answered(self, request: PageRequest, scope: Scope, receive: Receive, send: Send) -> PageReply | None:
        """The answer; None where it was given. Raises Refusal, TooMany, LoomError."""
        path = request.path
        if not path.startswith(_API):
            _refuse_method(request, "GET", "HEAD")
            return self._files.file_at(path) if path.startswith(_STATIC) else self._files.shell()
        refuse_other_sites(request)
        name = path.removeprefix(_API)
        if request.method == "POST":
            return await self._posted(name, request, scope, receive)
        _refuse_method(request, "GET", "POST")
        visitor = await self._visitor(request, scope)
        if name == "me":
            page_question(request.query, _NO_QUERY)
            return json_page(await self._work(partial(self._me, visitor)))
        if visitor is None:
            raise _unknown_visitor(self._visits.where)
        if name == "events/stream":
            await self._stream(visitor, request, receive, send)
            return None
        async with self._seats.seat_taken(visitor.seat):
            return await self._work(partial(self._listed, visitor, name, request))

    async def _visitor(self, request: PageRequest, scope: Scope) -> Visitor | None:
        """Whose cookie came, as whom all that follows is asked. Raises Refusal, LoomError."""
        visitor = await self._work(partial(self._visits.visitor_of, request))
        if visitor is None:
            return None
        acting_principal.set(visitor.principal)
        if connection := scope["state"].get(CONNECTION):
            connection.prove(visitor.seat)
        if wait_s := self._rates.wait_s(visitor.seat):
            raise _slow_down("more is asked than anybody can read; slow down", wait_s)
        return visitor

    async def _work(self, ask: Callable[[], _Told]) -> _Told:
        return await anyio.to_thread.run_sync(ask, limiter=self._threads)

    def _me(self, visitor: Visitor | None) -> Body:
        found = self._repos.listed(_whose(visitor)) if visitor else ()
        return {
            **visitor_shown(visitor, nobody=_NOBODY[self._visits.where]),
            "repo": found[0].repo_id if found else "",
            "repos": [{"repo": one.repo_id, "name": repo_label(one)} for one in found],
            "where": self._visits.where,
            "version": __version__,
        }

    def _listed(self, visitor: Visitor, name: str, request: PageRequest) -> PageReply:
        """What a list, or one thing, is now. Raises Refusal, LoomError."""
        if name == "repos":
            page_question(request.query, _NO_QUERY)
            rows = [
                {"repo": one.repo_id, "name": repo_label(one), "names": one.names, "clones": one.clones}
                for one in self._repos.listed(_whose(visitor))
            ]
            return PageReply(content=json_content({"rows": rows, "more": False}))
        found = LISTS.get(name)
        noun, _, about = name.partition("/")
        thing = self._things.get(noun) if about and found is None else None
        if not (found or thing):
            raise Refusal(
                404, f"there is no such list; there are {', '.join((*LISTS, 'me', 'repos'))}", code="not_found"
            )
        listed = found or thing
        assert listed
        asked = page_question(request.query, listed.taken, about=about if thing else "")
        repo_id = self._repos.chosen(_whose(visitor), asked.repo)
        if thing:
            asked = replace(asked, repo=repo_id if asked.repo or thing.is_in_repo else "")
            return PageReply(content=json_content(listed.body(self._loom, asked)))
        return self._list(visitor, name, listed, replace(asked, repo=repo_id))

    def _list(self, visitor: Visitor, name: str, listed: PageList, asked: PageQuestion) -> PageReply:
        """A list of one repo, which holds as long as that has not moved: for everybody, but for what is one's own."""
        cursor = self._loom.events.cursor(asked.repo)
        state = bool(cursor) if listed.is_slow else cursor
        is_own = name == _INBOX

        def made(tag: str) -> PageContent:
            body = (
                inbox_body(self._loom, asked, judge=self._deciders.judge(visitor, asked.repo))
                if is_own
                else listed.body(self._loom, asked)
            )
            return json_content({**body, "cursor": cursor}, tag=tag)

        key = (name, asked, _whose(visitor) if is_own else None)
        return PageReply(content=self._known.content_at(key, state, made), kept=PRIVATE)

    async def _stream(self, visitor: Visitor, request: PageRequest, receive: Receive, send: Send) -> None:
        asked = page_question(request.query, _NO_QUERY)
        repo_id = await self._work(lambda: self._repos.chosen(_whose(visitor), asked.repo))
        last = request.headers.get("last-event-id", "")

        def opens() -> bool:
            known = self._visits.visitor_of(request)
            if known is None or known.principal != visitor.principal:
                return False
            return any(one.repo_id == repo_id for one in self._repos.listed(_whose(visitor))) or not repo_id

        async def opens_still() -> bool:
            try:
                return await self._work(opens)
            except LoomError:  # the store does not answer now: nothing is told meanwhile
                return True

        await self._streams.stream(
            repo_id,
            seat=visitor.seat,
            seen=int(last) if re.fullmatch(r"[0-9]{1,18}", last) else None,
            opens_still=opens_still,
            receive=receive,
            send=send,
        )

    async def _posted(self, name: str, request: PageRequest, scope: Scope, receive: Receive) -> PageReply:
        """What somebody does in a page. Raises Refusal, LoomError."""
        decided = _DECIDED.fullmatch(name)
        if name not in ("session", "session/end") and not decided:
            raise Refusal(404, "people post to session, session/end and inbox/ID", code="not_found")
        page_question(request.query, _NO_QUERY)
        _refuse_type(request)
        if decided:
            visitor = await self._visitor(request, scope)
            if visitor is None:
                raise _unknown_visitor(self._visits.where)
            deciding_visitor(visitor, request)
            given = await self._given(request, receive)
            return json_page(await self._work(partial(self._decided, visitor, decided[1], given)))
        if name == "session":
            return await self._begun(request, receive)
        cookie = self._visits.signed_out(request)
        return json_page({"signed_in": False}, headers={"Set-Cookie": cookie})

    async def _given(self, request: PageRequest, receive: Receive) -> Mapping[str, str]:
        """The body: names with texts. Raises Refusal, Invalid."""
        body = await whole_body(request.headers.get("content-length", ""), receive, most=_BODY_BYTES_MAX)
        found = await self._work(partial(json_object, body))
        if not all(isinstance(value, str) for value in found.values()):
            raise Invalid("each value in the body is a text")
        return found

    async def _begun(self, request: PageRequest, receive: Receive) -> PageReply:
        if wait_s := self._guesses.wait_s(request.client):
            raise _slow_down("too many attempts to sign in from your address; wait", wait_s)
        given = await self._given(request, receive)
        try:
            signed: SignedIn = await self._work(partial(self._visits.signed_in, request, given))
        except Unauthorized as error:
            raise Refusal(401, str(error), code=error.code) from None
        self._guesses.give_back(request.client)
        acting_principal.set(signed.visitor.principal)
        told = await self._work(partial(self._me, signed.visitor))
        return json_page({**told, "page_key": signed.visitor.page_key}, headers={"Set-Cookie": signed.cookie})

    def _decided(self, visitor: Visitor, approval_id: str, given: Mapping[str, str]) -> Body:
        """Raises Invalid, NotFound, Unauthorized."""
        verdict = _VERDICTS.get(given.get("verdict", ""))
        if verdict is None or not given.keys() <= {"verdict", "why", "digest"}:
            raise Invalid('send {"verdict": "approve" or "deny", "digest": the question\'s, "why": "…"}')
        asked, _ = self._loom.approvals.approval(approval_id)
        if given.get("digest", "") != asked.digest:
            raise Invalid(f"{asked.id} is not what this page shows; read it again, with its digest")
        answered = self._deciders.answer(visitor, asked, verdict, why=given.get("why", ""))
        return {"id": answered.id, "state": answered.state, "by": answered.answers[-1].who}


def _whose(visitor: Visitor) -> Any:
    """By what it is remembered what somebody may see."""
    return visitor.principal or visitor.seat


def _refuse_type(request: PageRequest) -> None:
    """No form of another site can send JSON, and no script of one without asking first."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "send JSON, as Content-Type: application/json")


def _refuse_method(request: PageRequest, *methods: str) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise Refusal(405, f"this takes {allowed}", headers=((b"allow", allowed.encode()),))


def _unknown_visitor(where: str) -> Refusal:
    return Refusal(401, _NOBODY[where], code="unauthorized")


def _slow_down(said: str, wait_s: float) -> Refusal:
    return Refusal(429, said, code="limit_exceeded", headers=((b"retry-after", str(int(wait_s) + 1).encode()),))


def _told_error(error: Exception) -> PageReply:
    """As the hub's API tells it."""
    told = error_reply(error)
    return PageReply(status=told.status, content=PageContent(kind=b"application/json", plain=told.body))


_UNREAD = PageRequest(method="GET", path="", query={}, headers={}, cookies={}, origin="", client="")
"""In the place of a request that could not be read."""
