"""Every service of a loom behind a wire, as an edge has them that asks a hub."""

import inspect
import json
from typing import Any

from loomstack_mcp.core.wire import argument_kinds, built_value, told_json
from loomstack_mcp.loom import Loom


def carried(value: Any, kind: Any) -> Any:
    """The value as it arrives."""
    return built_value(json.loads(json.dumps(told_json(value))), kind)


class WiredService:
    """A service, all that goes in or out of which is sent. A method that was called is noted."""

    def __init__(self, service: Any, called: set[str]) -> None:
        self._service, self._called = service, called

    def __getattr__(self, name: str) -> Any:
        kinds = argument_kinds(getattr(type(self._service), name))
        method = getattr(self._service, name)
        signature = inspect.signature(method)

        def call(*given: Any, **named: Any) -> Any:
            self._called.add(f"{type(self._service).__name__}.{name}")
            bound = signature.bind(*given, **named)
            for one, value in bound.arguments.items():
                sent = carried(value, kinds[one])
                assert told_json(sent) == told_json(value)
                bound.arguments[one] = sent
            answer = method(*bound.args, **bound.kwargs)
            arrived = carried(answer, kinds["return"])
            assert told_json(arrived) == told_json(answer)  # a list in a payload need not be a tuple again
            return arrived

        return call


class WiredLoom:
    """Every service of a loom behind a wire."""

    def __init__(self, loom: Loom) -> None:
        self.called: set[str] = set()
        self._loom = loom

    def __getattr__(self, name: str) -> Any:
        return WiredService(getattr(self._loom, name), self.called)
