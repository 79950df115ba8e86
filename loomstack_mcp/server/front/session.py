"""One client's session: which era of the protocol it speaks, and what each of its messages is answered with."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from loomstack_mcp.server.front.calls import Calls, Running
from loomstack_mcp.server.front.definitions import Definitions
from loomstack_mcp.server.front.messages import Json, NotKnown, RequestId
from loomstack_mcp.server.front.shapes import (
    VERSION,
    client_named,
    is_enveloped,
    known_filter,
    known_initialize,
    known_object,
    known_request,
    known_texts,
    must_be_notification,
    revision_asked,
)
from loomstack_mcp.server.front.wire import Wire, message_of

if TYPE_CHECKING:
    from loomstack_mcp.server.front.listening import Listening
    from loomstack_mcp.server.front.worker import Worker

_LISTS = frozenset({"tools/list", "resources/list", "resources/templates/list", "prompts/list"})
_READY, _CANCELLED = "notifications/initialized", "notifications/cancelled"


class Session:
    """A client's session. A message that it raises NotKnown for was not answered, and nothing of it was done."""

    def __init__(self, wire: Wire, calls: Calls, work: Callable[[], "Worker"]) -> None:
        """`work` makes what calls need of the rest of the house, when one first needs it."""
        self._wire = wire
        self._calls = calls
        self._work = work
        self._definitions = Definitions()
        self._modern: bool | None = None
        self._listening: Listening | None = None
        self._opened: tuple[Json, ...] = ()
        """All that the client said of itself."""

    def received(self, message: Json) -> None:
        """Answer a message, now or later. Raises NotKnown."""
        if "method" not in message:  # an answer: nothing was asked
            return
        if "id" not in message:
            self._notified(message)
            return
        id, method, params = known_request(message)  # noqa: A001 the protocol's word
        self._must_be_of_era(method, params)
        getattr(self, _HANDLERS[method])(id, method, params)

    @property
    def opening(self) -> tuple[Json, ...]:
        """What would open the same session elsewhere, in order."""
        settled = ({"method": "ping"},) if self._modern is False else ()  # by a ping, where nothing else came yet
        return (*self._opened, *settled)

    def cancelled(self, message: Json) -> bool:
        """Whether a message cancels a request that is worked on here; it is, then."""
        params = message.get("params")
        if message.get("method") != _CANCELLED or not isinstance(params, dict):
            return False
        id = params.get("requestId")  # noqa: A001 the protocol's word
        if not isinstance(id, int | str) or isinstance(id, bool):
            return False
        return self._calls.cancel(id) or bool(self._listening and self._listening.cancel(id))

    def asking(self, line: bytes) -> tuple[str, str]:
        """Who asks for what is not known, as the client calls itself, and what that is."""
        try:
            unknown = message_of(line) or {}
        except NotKnown:
            unknown = {}
        said = [one.get("params") for one in (*self._opened, unknown)]
        client = next((named for params in said if (named := client_named(params))), "")
        return client, revision_asked(unknown) or f"it asks for {unknown.get('method', 'what is no JSON everywhere')}"

    def _notified(self, message: Json) -> None:
        """Nobody waits for an answer to a notification, whatever it is."""
        if message["method"] not in (_READY, _CANCELLED):
            return
        must_be_notification(message)
        if message["method"] == _READY and not self._modern and message not in self._opened:
            self._opened = (*self._opened, message)
        self.cancelled(message)

    def _must_be_of_era(self, method: str, params: Json) -> None:
        """The first request settles the era, but for a probe: clients that probe go on with either."""
        enveloped = is_enveloped(params)
        if enveloped and params["_meta"][VERSION] != self._definitions.modern:
            raise NotKnown
        if method == "server/discover":
            fits = enveloped and self._modern is not False
        elif enveloped:
            fits = self._modern is not False and method not in ("initialize", "ping")
        else:
            opens = method == "ping" or (method == "initialize") != bool(self._opened)
            fits = not self._modern and opens and method != "subscriptions/listen"
        if not fits:
            raise NotKnown
        if self._modern is None and method != "server/discover":
            self._modern = enveloped
            if enveloped:
                self._opened = ({"method": "tools/list", "params": {"_meta": params["_meta"]}},)

    def _initialize(self, id: RequestId, method: str, params: Json) -> None:  # noqa: A002 the protocol's word
        revision = known_initialize(params)
        if revision not in self._definitions.revisions:
            raise NotKnown
        self._opened = ({"method": method, "params": params},)
        self._answer(id, self._definitions.initialized(revision))

    def _ping(self, id: RequestId, _: str, __: Json) -> None:  # noqa: A002 the protocol's word
        self._answer(id, {})

    def _discover(self, id: RequestId, method: str, _: Json) -> None:  # noqa: A002 the protocol's word
        self._answer(id, self._definitions.listed(method, modern=True))

    def _list(self, id: RequestId, method: str, _: Json) -> None:  # noqa: A002 the protocol's word
        self._answer(id, self._definitions.listed(method, modern=bool(self._modern)))

    def _prompt(self, id: RequestId, _: str, params: Json) -> None:  # noqa: A002 the protocol's word
        from loomstack_mcp.server.prompts import PROMPTS  # what few sessions ask for

        name, given = params.get("name"), known_texts(params.get("arguments"))
        prompt = PROMPTS.get(name) if isinstance(name, str) else None
        if prompt is None or not given.keys() <= set(prompt.arguments):
            raise NotKnown
        message = {"role": "user", "content": {"type": "text", "text": prompt.filled(given)}}
        self._answer(id, self._enveloped({"description": prompt.description, "messages": [message]}))

    def _call(self, id: RequestId, _: str, params: Json) -> None:  # noqa: A002 the protocol's word
        name, arguments = params.get("name"), known_object(params.get("arguments"))
        if not isinstance(name, str) or name not in self._definitions.schemas:
            raise NotKnown
        schema, meta = self._definitions.schemas[name], params.get("_meta", {})

        def work(running: Running) -> Json:
            return self._result(id, self._work().called(running, name, schema, arguments, meta))

        self._calls.start(id, work)

    def _read(self, id: RequestId, _: str, params: Json) -> None:  # noqa: A002 the protocol's word
        from loomstack_mcp.server.front.worker import known_resource  # what few sessions ask for

        uri = known_resource(params.get("uri"))

        def work(_: Running) -> Json:
            found = self._work().resource(uri)
            return found | _head(id) if "error" in found else self._result(id, found, cached=True)

        self._calls.start(id, work)

    def _listen(self, id: RequestId, _: str, params: Json) -> None:  # noqa: A002 the protocol's word
        honored, uris = known_filter(params)
        self._listening = self._work().listening
        self._listening.begin(id, honored, uris)

    def _enveloped(self, result: Json, *, cached: bool = False) -> Json:
        return self._definitions.enveloped(result, modern=bool(self._modern), cached=cached)

    def _result(self, id: RequestId, result: Json, *, cached: bool = False) -> Json:  # noqa: A002 the protocol's word
        return {**_head(id), "result": self._enveloped(result, cached=cached)}

    def _answer(self, id: RequestId, result: Json) -> None:  # noqa: A002 the protocol's word
        self._wire.send({**_head(id), "result": result})


def _head(id: RequestId) -> Json:  # noqa: A002 the protocol's word
    return {"jsonrpc": "2.0", "id": id}


_HANDLERS = {
    "initialize": "_initialize",
    "ping": "_ping",
    "server/discover": "_discover",
    **dict.fromkeys(_LISTS, "_list"),
    "prompts/get": "_prompt",
    "tools/call": "_call",
    "resources/read": "_read",
    "subscriptions/listen": "_listen",
}
