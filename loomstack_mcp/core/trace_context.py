"""Traces as W3C Trace Context names them, and the trace of a run: where a call tells none, it is its run's."""

import hashlib
import re

from loomstack_mcp.core.records import record

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CHARS_MAX = 200
_TRACE_BYTES, _SPAN_BYTES = 16, 8


@record
class TraceParent:
    """The span under which something happens."""

    trace_id: int
    span_id: int
    is_sampled: bool = True

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.is_sampled):02x}"


def trace_parent(*told: object) -> TraceParent | None:
    """The first of these texts that is a `traceparent` (https://www.w3.org/TR/trace-context/); None where none is."""
    read = (_read(one.strip()) for one in told if isinstance(one, str) and len(one) <= _CHARS_MAX)
    return next((one for one in read if one), None)


def _read(text: str) -> TraceParent | None:
    if not (found := _TRACEPARENT.fullmatch(text)):
        return None
    version, trace, span, flags, more = found.groups()
    is_known = version != "ff" and not (version == "00" and more)
    one = TraceParent(trace_id=int(trace, 16), span_id=int(span, 16), is_sampled=bool(int(flags, 16) & 1))
    return one if is_known and one.trace_id and one.span_id else None


def run_trace(run_id: str, /) -> TraceParent:
    """The span of a run, which is told once the run is over: the same wherever it is asked for."""
    digest = hashlib.blake2b(f"loomstack {run_id}".encode(), digest_size=_TRACE_BYTES + _SPAN_BYTES).digest()
    trace, span = digest[:_TRACE_BYTES], digest[_TRACE_BYTES:]
    return TraceParent(trace_id=int.from_bytes(trace) or 1, span_id=int.from_bytes(span) or 1)
