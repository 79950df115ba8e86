"""The call that a thread answers, as it will be told to a collector, with the trace that it is a part of."""

import os
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from loomstack_mcp.core import conventions as names
from loomstack_mcp.core.trace_context import TraceParent, run_trace

SpanFields = Mapping[str, Any]

current_calling: ContextVar["Calling | None"] = ContextVar("calling", default=None)


class Calling:
    """A call that is being answered, as its span will tell it."""

    def __init__(self, name: str, attributes: SpanFields, parent: TraceParent | None) -> None:
        self.name, self.began_ns = name, time.time_ns()
        self.attributes: dict[str, Any] = dict(attributes)
        self.events: list[tuple[str, int, SpanFields]] = []
        self.parts: list[tuple[str, int, int, SpanFields]] = []
        """What it did: name, begin, end, and what is told of it."""
        self.parent = parent
        """The span that it is a part of; None where it begins a trace."""
        self._span_id = drawn_span()
        self._trace_id = 0

    def belongs_to(self, run_id: str) -> None:
        """It is of a run, whose trace it joins where it was not told another, nor began one."""
        self.attributes.setdefault(names.RUN_ID, run_id)
        if self.parent is None and not self._trace_id:
            self.parent = run_trace(run_id)

    @property
    def own(self) -> TraceParent:
        """Its span, as whoever is asked on its behalf is told it: from then on its trace is settled."""
        self._trace_id = self._trace_id or (self.parent.trace_id if self.parent else drawn_trace())
        is_sampled = self.parent.is_sampled if self.parent else True
        return TraceParent(trace_id=self._trace_id, span_id=self._span_id, is_sampled=is_sampled)


def drawn_trace() -> int:
    """The id of a new trace."""
    return int.from_bytes(os.urandom(16)) or 1


def drawn_span() -> int:
    """The id of a new span."""
    return int.from_bytes(os.urandom(8)) or 1


def current_traceparent() -> str:
    """That of the call which this thread works for; "" where there is none."""
    calling = current_calling.get()
    return str(calling.own) if calling else ""
