"""One call of a tool: who makes it, its work for the services, and whether anybody still waits for the answer."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from loomstack_mcp.adapters.system import session_process, through_server
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server.callers import caller_of, tool_use_of
from loomstack_mcp.server.face import Face

_Answer = TypeVar("_Answer")


class Call:
    """A tool's way to the services. It runs on a thread of its own, which may sleep while it waits for others."""

    def __init__(self, face: Face, meta: Mapping[str, Any], *, over_http: bool = False) -> None:
        self.face = face
        self.tool_use = tool_use_of(meta)
        """The id by which Claude Code knows a model's call; "" for other clients, and for its hooks."""
        self.named = caller_of(meta, over_http=over_http)
        if not over_http:  # the client of a pipe is above us; whose connections come over HTTP, nobody knows
            self.named = replace(self.named, process=through_server(session_process(self.named.session)))
        self.stopped = threading.Event()
        """Set once nobody waits for the answer any more: the call was cancelled, or the client left."""

    def service(self, work: Callable[[Caller], _Answer]) -> _Answer:
        """One service call for the caller. Raises LoomError, whose code and text are for the model."""
        return self.face.work(lambda: work(self.face.known_caller(self.named, self.tool_use)))
