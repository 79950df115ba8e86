"""trace_change."""

from collections.abc import Mapping
from typing import Any, TypedDict

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.core.traces import Trace
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call


class TraceAnswer(TypedDict, total=False):
    ref: str
    kind: str
    line: dict[str, Any]
    commits: answers.Items
    more_commits: int
    runs: answers.Items
    more_runs: int
    deploys: answers.Items
    later: answers.Items
    unattributed: bool
    unchecked: list[str]
    next: str


def trace_change(call: Call, *, ref: str) -> TraceAnswer:
    """Which loop and run made a change, why, who checked and approved it, where it runs, what undid it.
    ref: a commit, path:line, PR (#12 or URL), deploy:ID or run."""
    face = call.face

    def trace(caller: Caller) -> Trace:
        here = face.standpoints.of(caller).seen
        if here.clone is None:
            return face.loom.traces.callers_trace(caller, ref)
        from loomstack_mcp.edge.tracing import traced  # what compares changes, which few calls do

        return traced(here, face.loom, ref)

    return trace_answer(call.service(trace))


def trace_answer(found: Trace) -> TraceAnswer:
    """The chain in short; a model is told ages, and no instants beside them."""
    answer: TraceAnswer = _without_instants(trace_shown(found))
    return answer


def _without_instants(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_instants(one) for name, one in value.items() if name != "at"}
    return [_without_instants(one) for one in value] if isinstance(value, list) else value
