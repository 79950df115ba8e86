"""Calls of services as edges send them: found by name, built by annotations, answered as JSON. Nothing here is HTTP."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from loomstack_mcp import __version__
from loomstack_mcp.adapters.policy.files import of_org
from loomstack_mcp.adapters.policy.hub_layer import offered_layer
from loomstack_mcp.core.conventions import ERROR_TYPE, RPC_METHOD
from loomstack_mcp.core.errors import Invalid, LoomError, NotFound
from loomstack_mcp.core.limits import CALLED_PATHS_MAX, LIST_MAX
from loomstack_mcp.core.permits import PERMITS, Permit
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout, is_repo_name
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.core.trace_context import trace_parent
from loomstack_mcp.core.wire import argument_kinds, built_value, told_json
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.hub.bodies import json_object
from loomstack_mcp.server.hub.open_questions import OpenQuestion
from loomstack_mcp.server.hub.replies import HubReply, answer_reply
from loomstack_mcp.services.access import Entered
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.once import OnceAnswer, OnceCall, answered_once

_REQUEST = re.compile(r"[0-9A-Za-z-]{16,64}")
_ID_CHARS_MAX = 200
_FOLDER_CHARS_MAX = 5_000
_PLACE_CHARS_MAX = 10_000
_LISTED_MAX = 10_000
"""Of a list in one answer; no command asks for more."""
_PATHS = ("paths", "patterns", "files", "rewritten")
_TOKENS = "tokens"
"""They live in a database of their own, and what is told of one is kept nowhere."""
OPEN_CALL = "events.moved"
"""The question that is left open."""
_OF_WHOM, _BY_WHOM = "who", "by"
"""The arguments in which a service is told whose word something is, by name or as a principal."""


@record
class ApiCall:
    """One call as it came."""

    name: str
    """`service.method`."""
    body: bytes
    """The arguments as a JSON object, without those that are as by default."""
    request: str = ""
    """The id that its sender drew for it; needed where it is done at most once."""
    traceparent: str = ""
    """The span for which it is asked, where its sender tells."""


class Api:
    """The services for whoever has a token. Threads may share it."""

    def __init__(self, loom: Loom, *, home: str = "") -> None:
        """`home` has the organisation's `policies`. Every service is loaded now: no call waits for that."""
        self._loom, self._access, self._home = loom, loom.access, home
        for name in PERMITS:
            getattr(loom, name.partition(".")[0])

    def answer(self, principal: Principal, call: ApiCall) -> HubReply:
        """What the service says. Raises LoomError."""
        permit = PERMITS.get(call.name)
        if permit is None:
            raise NotFound(
                f"{_shown(call.name)} is no call of this hub, which is LoomStack {__version__}: one of the two is older"
            )
        answer = self._told_answer(principal, call, permit)
        with suppress(LoomError):  # what people should hear goes out with a later call then
            self._loom.send_notices()
        return answer_reply(answer.text.encode(), after=answer.keep)

    def _told_answer(self, principal: Principal, call: ApiCall, permit: Permit) -> OnceAnswer:
        """The answer, as a span where calls are told to a collector."""
        if (telemetry := self._loom.telemetry) is None:
            return self._answered(principal, call, permit)
        attributes = {RPC_METHOD: call.name}
        with telemetry.calling(call.name, attributes, trace_parent(call.traceparent)) as calling:
            try:
                return self._answered(principal, call, permit)
            except Exception as error:
                calling.attributes[ERROR_TYPE] = getattr(error, "code", type(error).__name__)
                raise

    def hello(self, principal: Principal) -> bytes:
        """Who asks, as the hub knows it, and the hub's version."""
        told = {"version": __version__, "principal": principal.name, "role": principal.role}
        return json.dumps({**told, "repos": principal.repos, "run": principal.run, "token": principal.token}).encode()

    def policies(self) -> bytes:
        """The organisation's rules, as they are now, for every token. Raises PolicyError where they cannot be read."""
        return json.dumps(offered_layer(of_org(self._home))).encode()

    def open_question(self, principal: Principal, call: ApiCall) -> OpenQuestion:
        """What such a call asks, of what its token opens, and where that is now. Raises LoomError."""
        with self._entered(principal, call) as entered:
            cursor = self._loom.events.moved(**entered.arguments)
        return OpenQuestion(cursor=cursor, **entered.arguments)

    @contextmanager
    def _entered(self, principal: Principal, call: ApiCall) -> Iterator[Entered]:
        service, method = call.name.split(".")
        arguments = _arguments(call, getattr(type(getattr(self._loom, service)), method), principal)
        try:
            with self._access.entered(principal, call.name, arguments) as entered:
                yield entered
        except (OverflowError, UnicodeError, RecursionError):  # a number too large for a column, say
            raise Invalid(f"{call.name}: an argument is out of all bounds") from None

    def _answered(self, principal: Principal, call: ApiCall, permit: Permit) -> OnceAnswer:
        service, method = call.name.split(".")
        with self._entered(principal, call) as entered:

            def done(store: Store) -> str:
                loom = self._loom if store is self._loom.store else self._loom.over(store)
                answer = getattr(getattr(loom, service), method)(**entered.arguments)
                return json.dumps(told_json(entered.shown(answer)))

            if permit.how != "once" or service == _TOKENS:
                return OnceAnswer(text=done(self._loom.store))
            return answered_once(self._loom.store, _once(principal, call), done)


def _once(principal: Principal, call: ApiCall) -> OnceCall:
    if not _REQUEST.fullmatch(call.request):
        raise Invalid(f"{call.name} is done once: send an id of the request, as LoomStack-Request: <uuid>")
    # With all that the token opens: an answer is told again to nobody who would not have got it.
    digest = hashlib.sha256(f"{principal}\n".encode() + call.body).hexdigest()
    return OnceCall(id=call.request, principal=principal.name, method=call.name, digest=digest)


def _arguments(call: ApiCall, method: Callable[..., Any], principal: Principal) -> dict[str, Any]:
    """The arguments by name. Raises Invalid for what is none, is missing, or is unknown to this version.

    Who asks is the token's owner, which an edge need not say.
    """
    kinds, needed = argument_kinds(method), _needed(method)
    found = json_object(call.body)
    if unknown := found.keys() - (kinds.keys() - {"return"}):
        raise Invalid(
            f"{call.name} takes no {_shown(min(unknown))} here: the hub, which is LoomStack {__version__}, is older "
            "than you; ask its admin for `pip install -U loomstack-mcp`"
        )
    own = {name: told for name, told in ((_OF_WHOM, principal.name), (_BY_WHOM, principal)) if name in kinds}
    if missing := sorted(needed - found.keys() - own.keys()):
        raise Invalid(f"{call.name} lacks {', '.join(missing)}")
    given = {name: _built(name, value, kinds[name]) for name, value in found.items() if name not in own}
    return {**given, **own}


def _built(name: str, value: Any, kind: Any) -> Any:
    try:
        built = built_value(value, kind)
    except Invalid as error:
        raise Invalid(f"{name}: {error}") from None
    if isinstance(built, Caller):  # a client's own words, of whatever length
        for part in ("session", "agent", "parent_agent"):
            bounded(part, getattr(built, part), chars_max=_ID_CHARS_MAX)
        bounded("folder", built.folder, chars_max=_FOLDER_CHARS_MAX)
    if isinstance(built, Checkout):
        _refuse_unlikely(built)
    if name in _PATHS:
        within(f"the number of {name}", len(built or ()), least=0, most=CALLED_PATHS_MAX)
    if name == "limit" and not 0 <= built <= _LISTED_MAX:  # below none a store would read all that it has
        raise Invalid(f"limit is out of all bounds, which are 0 and {_LISTED_MAX:,}")
    return built


def _refuse_unlikely(checkout: Checkout) -> None:
    """Raises LimitExceeded, Invalid for what no worktree says of itself: all that comes later would have to read it."""
    within(
        "the length of branch and worktree", len(checkout.branch + checkout.worktree), least=0, most=_PLACE_CHARS_MAX
    )
    within("the number of others", len(checkout.others), least=0, most=LIST_MAX)
    if not all(map(is_repo_name, (checkout.identity, *filter(None, (checkout.clone, *checkout.others))))):
        raise Invalid("a repository is called by one word, as `loomstack-mcp repo list` shows them")


@cache
def _needed(method: Callable[..., Any]) -> frozenset[str]:
    given = list(inspect.signature(method).parameters.values())[1:]
    return frozenset(one.name for one in given if one.default is inspect.Parameter.empty)


def _shown(name: str) -> str:
    """A name as it came, where it may be one of a later version."""
    return name if re.fullmatch(r"[a-z_.]{1,60}", name) else "a name like that"
