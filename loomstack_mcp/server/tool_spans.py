"""A call of a tool as a span: by whom, of which run, how long, and what came of it. No text that a model wrote."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from loomstack_mcp.adapters.callings import Calling
from loomstack_mcp.adapters.telemetry import Telemetry
from loomstack_mcp.core import conventions as names
from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.trace_context import trace_parent

_RUN = re.compile(r"run_[0-9A-Z]{8}")
_META_PARENT, _VARIABLE = "traceparent", "TRACEPARENT"
_PATTERNS_MAX, _CHARS_MAX = 10, 200
_SESSIONS_MAX = 1_000
_Json = Mapping[str, Any]


class ToolSpan:
    """One call of a tool, as it goes on."""

    def __init__(self, calling: Calling) -> None:
        self._calling = calling

    @property
    def attributes(self) -> dict[str, Any]:
        """What its span tells by now."""
        return self._calling.attributes

    def failed(self, error_type: str) -> None:
        """It ends with an error of that kind."""
        self._calling.attributes[names.ERROR_TYPE] = error_type

    def answered(self, tool: str, arguments: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """What is told of an answer: ids, words of closed sets, and the patterns of a claim that was granted."""
        if isinstance(run := body.get("run"), str):
            self._calling.belongs_to(run)
        told = _TOLD_OF.get(tool)
        if told:
            self._calling.attributes.update(told(arguments, body))


def _of_claim(arguments: _Json, body: _Json) -> dict[str, Any]:
    is_granted, paths = body.get("granted") is True, arguments.get("paths")
    outcome = {names.CLAIM_OUTCOME: "granted" if is_granted else "refused"}
    return outcome | ({names.CLAIM_PATTERNS: _few(paths)} if is_granted and isinstance(paths, list) else {})


def _of_policy(_: _Json, body: _Json) -> dict[str, Any]:
    rules = [one.get("rule") for one in body.get("reasons", ()) if isinstance(one, dict)]
    return {names.ANSWER: str(body.get("effect")), names.RULE: _few(rules)}


def _of_conflicts(_: _Json, body: _Json) -> dict[str, Any]:
    return {names.VERDICT: str(body.get("verdict"))}


def _few(texts: Sequence[object]) -> list[str]:
    return [str(one)[:_CHARS_MAX] for one in texts[:_PATTERNS_MAX]]


_TOLD_OF = {"claim_paths": _of_claim, "check_policy": _of_policy, "check_conflicts": _of_conflicts}
"""What is told of the answers of tools, beyond whose they are."""


@contextmanager
def tool_span(
    telemetry: Telemetry,
    tool: str,
    arguments: Mapping[str, Any],
    meta: Mapping[str, Any],
    *,
    transport: str,
    request_id: object,
    header: str = "",
) -> Iterator[ToolSpan]:
    """The call that is worked on within.

    Its parent is what `_meta` names, else the header of HTTP, else on a pipe our own environment, else its run.
    """
    inherited = os.environ.get(_VARIABLE) if transport == names.PIPE else ""
    parent = trace_parent(meta.get(_META_PARENT), header, inherited)
    session = _session(meta) or transport
    attributes = {
        names.METHOD: names.TOOLS_CALL,
        names.OPERATION: names.EXECUTE_TOOL,
        names.TOOL_NAME: tool,
        names.TRANSPORT: transport,
        names.REQUEST_ID: str(request_id)[:_CHARS_MAX],
        **_join_keys(meta, transport),
    }
    began_s = time.monotonic()
    with telemetry.calling(f"{names.TOOLS_CALL} {tool}", attributes, parent) as calling:
        span = ToolSpan(calling)
        if run := _run_of(telemetry, tool, arguments, session):
            calling.belongs_to(run)
        try:
            yield span
        except LoomError as error:
            span.failed(error.code)
            raise
        except BaseException as error:
            span.failed(type(error).__name__)
            raise
        finally:
            _measure(telemetry, tool, arguments, span, time.monotonic() - began_s)
    if tool == "start_run":
        _remember(telemetry, session, span)


def _run_of(telemetry: Telemetry, tool: str, arguments: _Json, session: str) -> str:
    """The run that a call names, else the last that its session started; "" where neither is known."""
    named = arguments.get("run")
    if isinstance(named, str) and _RUN.fullmatch(named):
        return named
    return "" if tool == "start_run" or session == names.TCP else telemetry.last_runs.get(session, "")


def _remember(telemetry: Telemetry, session: str, span: ToolSpan) -> None:
    if started := span.attributes.get(names.RUN_ID):
        if len(telemetry.last_runs) >= _SESSIONS_MAX:
            telemetry.last_runs.clear()
        telemetry.last_runs[session] = started


def told_call(
    telemetry: Telemetry,
    work: Callable[[], Mapping[str, Any]],
    *,
    tool: str,
    arguments: Mapping[str, Any],
    meta: Mapping[str, Any],
    over_http: bool,
    request_id: object,
    header: str,
) -> Callable[[], Mapping[str, Any]]:
    """The work of a call as it is done where it is told."""

    def done() -> Mapping[str, Any]:
        transport = names.TCP if over_http else names.PIPE
        with tool_span(
            telemetry, tool, arguments, meta, transport=transport, request_id=request_id, header=header
        ) as span:
            found = work()
            span.answered(tool, arguments, found)
            return found

    return done


def _measure(telemetry: Telemetry, tool: str, arguments: Mapping[str, Any], span: ToolSpan, took_s: float) -> None:
    telemetry.measured(names.SERVER_DURATION, took_s, span.attributes)
    if tool == "claim_paths" and arguments.get("wait_seconds") and names.CLAIM_OUTCOME in span.attributes:
        span.attributes[names.CLAIM_WAIT_MS] = round(took_s * 1000)
        telemetry.measured(names.CLAIM_WAIT, took_s, span.attributes)


def _session(meta: Mapping[str, Any]) -> str:
    """What tells one session from another where a client says it."""
    found = [str(meta.get(name, ""))[:_CHARS_MAX] for name in ("sessionId", "threadId")]
    return " ".join(filter(None, found))


def _join_keys(meta: Mapping[str, Any], transport: str) -> dict[str, str]:
    """By which a client's own telemetry speaks of the same call."""
    turn = meta.get("x-codex-turn-metadata")
    told = {
        names.TOOL_CALL_ID: meta.get("claudecode/toolUseId"),
        names.CONVERSATION_ID: meta.get("sessionId") or meta.get("threadId"),
        names.AGENT_ID: meta.get("threadId"),
        names.TURN_ID: turn.get("turn_id") if isinstance(turn, dict) else None,
    }
    if transport == names.PIPE and not told[names.CONVERSATION_ID]:
        told[names.CONVERSATION_ID] = os.environ.get("CLAUDE_CODE_SESSION_ID")
    return {name: value[:_CHARS_MAX] for name, value in told.items() if isinstance(value, str) and value}
