"""The dashboard as an application: its files, what its pages read, and what people do in them."""

import logging
import re
import traceback
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from loomstack_mcp.core.errors import LoomError, StoreUnavailable
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.connections import CONNECTION
from loomstack_mcp.server.hub.hosts import Arrival
from loomstack_mcp.server.hub.peers import Peer
from loomstack_mcp.server.hub.rates import Rates, Seats, TooMany
from loomstack_mcp.server.hub.replies import Receive, Refusal, Scope, Send, error_reply
from loomstack_mcp.server.principals import acting_principal
from loomstack_mcp.server.ui.deciding import Deciders
from loomstack_mcp.server.ui.files import PageFiles
from loomstack_mcp.server.ui.lists import THINGS, PageList
from loomstack_mcp.server.ui.opened import VisibleRepos
from loomstack_mcp.server.ui.posting import PagePosts
from loomstack_mcp.server.ui.questions import Taken, page_question
from loomstack_mcp.server.ui.reading import PageReading
from loomstack_mcp.server.ui.replies import PageContent, PageReply, json_page, send_page
from loomstack_mcp.server.ui.requests import PageRequest, page_request, refuse_other_sites, refuse_type, slow_down
from loomstack_mcp.server.ui.streams import EventStreams
from loomstack_mcp.server.ui.together import AskedTogether
from loomstack_mcp.server.ui.visits import NOBODY, Visitor, Visits
from loomstack_mcp.server.ui.work import PageWork

_API = "/api/v1/"
_STATIC = "/static/"
_PAGE = re.compile(r"/(?:(?:live|claims|conflicts|decisions|inbox|trace|loops|runs)(?:/.*)?)?")
_ME, _STREAM = "me", "events/stream"
_SEEN = re.compile(r"[0-9]{1,18}")
_CALLS_PER_S, _CALLS_BURST = 100.0, 1_000
"""Of one visitor."""
_AT_ONCE, _QUEUE = 8, 400

_NOTHING_HERE = (
    b'<!doctype html><html lang="en"><title>Nothing here \xc2\xb7 LoomStack</title>'
    b'<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
    b'<main><h1>There is no such page</h1><p>All pages begin at <a href="/">the dashboard</a>.</p></main></html>'
)

_log = logging.getLogger(__name__)


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
        self._visits, self._streams, self._files, self._work = visits, streams, PageFiles(), PageWork()
        self._reading = PageReading(loom, where=visits.where, deciders=deciders, repos=repos, things=things)
        self._posts = PagePosts(loom, visits=visits, deciders=deciders, reading=self._reading, work=self._work)
        self._rates = Rates(per_s=_CALLS_PER_S, burst=_CALLS_BURST)
        self._checks, self._lists = AskedTogether[Visitor | None](), AskedTogether[PageReply]()
        self._seats = Seats(most=_AT_ONCE, queue=_QUEUE)

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
            if scope["method"] == "POST":  # whose body may still be on its way
                headers["Connection"] = "close"
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

    async def tell_nothing_here(self, scope: Scope, send: Send) -> None:
        """A person followed an old or mistyped address."""
        content = PageContent(kind=b"text/html; charset=utf-8", plain=_NOTHING_HERE)
        await send_page(PageReply(status=404, content=content), replace(_UNREAD, method=scope["method"]), send)

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
        if name == _ME:
            page_question(request.query, Taken())
            who = await self._visitor_of(request, scope)
            return json_page(await self._work(partial(self._reading.visitor_told, who)))
        visitor = await self._visitor(request, scope)
        if name == _STREAM:
            await self._stream(visitor, request, receive, send)
            return None
        key = (visitor, name, tuple(sorted(request.query.items())))
        return await self._lists(key, partial(self._listed, visitor, name, request.query))

    async def _listed(self, visitor: Visitor, name: str, query: Mapping[str, str]) -> PageReply:
        """Raises Refusal, TooMany, LoomError."""
        asks_git = self._reading.asks_git(name)
        async with self._seats.seat_taken((visitor.seat, asks_git)):
            return await self._work(partial(self._reading.list_reply, visitor, name, query), asks_git=asks_git)

    async def _posted(self, name: str, request: PageRequest, scope: Scope, receive: Receive) -> PageReply:
        """Raises Refusal, LoomError."""
        approval_id = self._posts.approval_in(name)
        page_question(request.query, Taken())
        refuse_type(request)
        if not approval_id:
            return await self._posts.session_reply(name, request, receive)
        visitor = await self._visitor(request, scope)
        return await self._posts.decision_reply(visitor, approval_id, request, receive)

    async def _visitor(self, request: PageRequest, scope: Scope) -> Visitor:
        """As `_visitor_of`. Raises Refusal for nobody, too."""
        visitor = await self._visitor_of(request, scope)
        if visitor is None:
            raise Refusal(401, NOBODY[self._visits.where], code="unauthorized")
        return visitor

    async def _visitor_of(self, request: PageRequest, scope: Scope) -> Visitor | None:
        """Whose cookie came, as whom all that follows is asked. Raises Refusal, LoomError."""
        ask = partial(self._visits.visitor_of, request)
        shown = self._visits.asks_store_for(request)
        visitor = await self._checks(shown, partial(self._work, ask)) if shown else ask()
        if visitor is None:
            return None
        acting_principal.set(visitor.principal)
        if connection := scope["state"].get(CONNECTION):
            connection.prove(visitor.seat)
        if wait_s := self._rates.wait_s(visitor.seat):
            raise slow_down("more is asked than anybody can read; slow down", wait_s)
        return visitor

    async def _stream(self, visitor: Visitor, request: PageRequest, receive: Receive, send: Send) -> None:
        repo_id = await self._work(partial(self._reading.repo_of, visitor, request.query))
        last = request.headers.get("last-event-id", "")

        def opens() -> bool:
            known = self._visits.visitor_of(request)
            return known is not None and known.seat == visitor.seat and self._reading.opens(known, repo_id)

        async def opens_still() -> bool:
            try:
                return await self._work(opens)
            except StoreUnavailable:  # nothing is told meanwhile
                return True
            except LoomError:
                return False

        await self._streams.stream(
            repo_id,
            seat=visitor.seat,
            seen=int(last) if _SEEN.fullmatch(last) else None,
            opens_still=opens_still,
            receive=receive,
            send=send,
        )


def _refuse_method(request: PageRequest, *methods: str) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise Refusal(405, f"this takes {allowed}", headers=((b"allow", allowed.encode()),))


def _told_error(error: Exception) -> PageReply:
    """As the hub's API tells it."""
    told = error_reply(error)
    return PageReply(status=told.status, content=PageContent(kind=b"application/json", plain=told.body))


_UNREAD = PageRequest(method="GET", path="", query={}, headers={}, cookies={}, origin="", client="", peer=Peer("", 0))
"""In the place of a request that could not be read."""
