"""What people do in pages: they sign in and out, approve and deny."""

import re
from collections.abc import Mapping
from functools import partial

from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.phrases import Body
from loomstack_mcp.core.policy.approvals import ApprovalVerdict
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.bodies import json_object, whole_body
from loomstack_mcp.server.hub.rates import Rates
from loomstack_mcp.server.hub.replies import Receive, Refusal
from loomstack_mcp.server.principals import acting_principal
from loomstack_mcp.server.ui.deciding import Deciders
from loomstack_mcp.server.ui.reading import PageReading
from loomstack_mcp.server.ui.replies import PageReply, json_page
from loomstack_mcp.server.ui.requests import PageRequest, slow_down
from loomstack_mcp.server.ui.visits import Visitor, Visits, deciding_visitor
from loomstack_mcp.server.ui.work import PageWork

_DECIDED = re.compile(r"inbox/(apr_[0-9A-Z]{1,20})")
_SESSION, _SESSION_END = "session", "session/end"
_BODY_BYTES_MAX = 16_000
_VERDICTS: Mapping[str, ApprovalVerdict] = {"approve": "granted", "deny": "denied"}


class PagePosts:
    """Each is one request, which another site cannot have sent: it is JSON, and its origin was looked at."""

    def __init__(self, loom: Loom, *, visits: Visits, deciders: Deciders, reading: PageReading, work: PageWork) -> None:
        self._loom, self._visits, self._deciders, self._reading = loom, visits, deciders, reading
        self._work = work
        self._guesses = Rates(per_s=visits.guesses_per_s, burst=visits.guesses_burst)

    def approval_in(self, name: str) -> str:
        """The question that a path answers; "" for what signs in and out. Raises Refusal for any other."""
        decided = _DECIDED.fullmatch(name)
        if name not in (_SESSION, _SESSION_END) and not decided:
            raise Refusal(404, "people post to session, session/end and inbox/ID", code="not_found")
        return decided[1] if decided else ""

    async def session_reply(self, name: str, request: PageRequest, receive: Receive) -> PageReply:
        """Somebody signs in, or out. Raises Refusal, LoomError."""
        if name == _SESSION:
            return await self._signed_in(request, receive)
        cookie = self._visits.signed_out(request)
        return json_page({"signed_in": False}, headers={"Set-Cookie": cookie})

    async def decision_reply(
        self, visitor: Visitor, approval_id: str, request: PageRequest, receive: Receive
    ) -> PageReply:
        """Somebody approves or denies. Raises Refusal, LoomError."""
        deciding_visitor(visitor, request)
        given = await self._given(request, receive)
        return json_page(await self._work(partial(self._decided, visitor, approval_id, given)))

    async def _given(self, request: PageRequest, receive: Receive) -> Mapping[str, str]:
        """The body: names with texts. Raises Refusal, Invalid."""
        body = await whole_body(request.headers.get("content-length", ""), receive, most=_BODY_BYTES_MAX)
        found = await self._work(partial(json_object, body))
        if not all(isinstance(value, str) for value in found.values()):
            raise Invalid("each value in the body is a text")
        return found

    async def _signed_in(self, request: PageRequest, receive: Receive) -> PageReply:
        given = await self._given(request, receive)
        guesser = self._visits.guesser(request)
        if guesser and (wait_s := self._guesses.wait_s(guesser)):
            raise slow_down("too many attempts to sign in came to nothing; wait", wait_s)
        try:
            signed = await self._work(partial(self._visits.signed_in, request, given))
        except Unauthorized as error:
            raise Refusal(401, str(error), code=error.code) from None
        if guesser:
            self._guesses.give_back(guesser)
        acting_principal.set(signed.visitor.principal)
        told = await self._work(partial(self._reading.visitor_told, signed.visitor))
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
