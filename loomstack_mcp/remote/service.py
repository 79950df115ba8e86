"""What answers like a service of a kind, and asks a hub: by the annotations of the class that it stands for."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from types import CodeType
from typing import Any, TypeVar

from loomstack_mcp.adapters.machine import Machine
from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.core.limits import OPEN_QUESTION_MS_MAX, SECOND_MS
from loomstack_mcp.core.permits import PERMITS
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.wire import argument_kinds, built_value, told_json
from loomstack_mcp.remote.line import Line

_Kind = TypeVar("_Kind")
_REQUEST_BYTES = 16
_LONG_MS = 60 * SECOND_MS
_LONG = ("conflicts.check", "conflicts.check_run", "context.read_context", "ledger.take_in", "repos.alias")
_ANSWER_MS = {**dict.fromkeys(_LONG, _LONG_MS), "events.moved": OPEN_QUESTION_MS_MAX + 5 * SECOND_MS}
"""What may take its time on a large repository, or waits for something to happen."""


class RemoteService:
    """Every public method of a class, by name. What says where things lie on this machine is told in other words."""

    def __init__(self, name: str, kind: type[Any], line: Line, machine: Machine) -> None:
        self._name, self._kind = name, kind
        self._line, self._machine = line, machine

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._kind, name)
        call = f"{self._name}.{name}"
        if (permit := PERMITS.get(call)) is None:
            raise StoreUnavailable(f"{call} is not for edges: run this where {self._line.origin.text} itself runs")
        code: CodeType = method.__code__
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        in_order = names[: code.co_argcount - 1]
        defaults = dict(zip(reversed(in_order), reversed(method.__defaults__ or ()), strict=False))
        defaults |= method.__kwdefaults__ or {}

        def asked(*given: Any, **named: Any) -> Any:
            arguments = {**dict(zip(in_order, given, strict=False)), **named}
            if len(given) > len(in_order) or not arguments.keys() <= set(names):
                raise TypeError(f"{call} takes {', '.join(names)}")
            told = {
                one: self._machine.outward_told(told_json(self._outward(value)))
                for one, value in arguments.items()
                if one not in defaults or value != defaults[one]
            }
            answer = self._line.hub_answer(
                f"/api/{self._name}/{name}",
                json.dumps(told).encode(),
                request=os.urandom(_REQUEST_BYTES).hex() if permit.how == "once" else "",
                answer_ms=_ANSWER_MS.get(call, 0),
            )
            return self._built(call, answer, argument_kinds(method)["return"])

        setattr(self, name, asked)
        return asked

    def _built(self, call: str, told: Any, kind: Any) -> Any:
        try:
            if "answer" not in told:
                raise Invalid("it says nothing")
            return built_value(self._machine.inward(told["answer"]), kind)
        except (Invalid, RecursionError) as error:
            where = self._line.origin.text
            raise StoreUnavailable(f"the hub {where} answered {call} with what is none: {error}") from None

    def _outward(self, value: Any) -> Any:
        """Of a caller what the hub cannot know itself: who it is, its token says."""
        if isinstance(value, Caller):
            session = self._machine.session_name(value.session)
            process = self._machine.process_name(value.process)
            return replace(value, principal="", session=session, process=process, folder="")
        if self._name == "policy" and (shown := getattr(value, "shown", ())):
            return replace(value, shown=tuple(map(self._machine.without_places, shown)))
        return self._machine.outward(value) if isinstance(value, Checkout) else value
