"""Records sent as JSON and built again from their annotations alone, as a wire between two processes would have it."""

import base64
import dataclasses
import json
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union

from loomstack_mcp.loom import Loom
from loomstack_mcp.services.blockers import EditService
from loomstack_mcp.services.guards import GuardService
from loomstack_mcp.services.refusals import RefusalService
from loomstack_mcp.services.undoings import UndoingService

_PLAIN = (str, int, float, bool, type(None), Any, object)


def carried(value: Any, kind: Any) -> Any:
    """The value as it arrives."""
    return _built(json.loads(json.dumps(_told(value))), kind)


class WiredService:
    """A service, all that goes in or out of which is sent. A method that was called is noted."""

    def __init__(self, service: Any, called: set[str]) -> None:
        self._service, self._called = service, called

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)
        kinds = typing.get_type_hints(method)
        names = [one for one in kinds if one != "return"]

        def call(*given: Any, **named: Any) -> Any:
            self._called.add(f"{type(self._service).__name__}.{name}")
            asked = {**dict(zip(names, given, strict=False)), **named}
            sent = {one: carried(value, kinds[one]) for one, value in asked.items()}
            assert _told(sent) == _told(asked)
            answer = method(*[sent[one] for one in names[: len(given)]], **{one: sent[one] for one in named})
            arrived = carried(answer, kinds["return"])
            assert _told(arrived) == _told(answer)  # a list in a payload need not be a tuple again
            return arrived

        return call


_OF_HOOKS: dict[str, Any] = {
    "edits": EditService,
    "guards": GuardService,
    "refusals": RefusalService,
    "undoings": UndoingService,
}


class WiredLoom:
    """Every service of a loom behind a wire."""

    def __init__(self, loom: Loom) -> None:
        self.called: set[str] = set()
        self._loom = loom

    def __getattr__(self, name: str) -> Any:
        kind = _OF_HOOKS.get(name)
        return WiredService(kind(self._loom.store) if kind else getattr(self._loom, name), self.called)


def _told(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _told(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple | list):
        return [_told(one) for one in value]
    return {name: _told(one) for name, one in value.items()} if isinstance(value, dict) else value


def _built(told: Any, kind: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        [kind] = [one for one in inner if one is not type(None)]
        return None if told is None else _built(told, kind)
    if origin is Literal:
        assert told in inner
    if kind in _PLAIN or origin is Literal:
        return told
    return _built_of_parts(told, kind)


def _built_of_parts(told: Any, kind: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is bytes:
        return base64.b64decode(told)
    if origin in (tuple, Sequence):
        kinds = inner if origin is tuple and inner[-1] is not ... else [inner[0]] * len(told)
        return tuple(_built(one, part) for one, part in zip(told, kinds, strict=True))
    if origin in (dict, Mapping):
        return {_built(name, inner[0]): _built(one, inner[1]) for name, one in told.items()}
    hints = typing.get_type_hints(kind)
    return kind(**{name: _built(one, hints[name]) for name, one in told.items()})
