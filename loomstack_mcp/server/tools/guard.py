"""guard: what a client's hook asks the server that is there already, instead of starting a process."""

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from loomstack_mcp.core.clients import claude, codex
from loomstack_mcp.server.call import Call

_CODEX = "codex:"


class GuardAnswer(TypedDict, total=False):
    hookSpecificOutput: dict[str, Any]
    systemMessage: str


def guard(
    call: Call,
    *,
    hook_event_name: str = "",
    tool_name: str = "",
    tool_input: dict[str, Any] | None = None,
    tool_use_id: str = "",
    session_id: str = "",
    agent_id: str = "",
    cwd: str = "",
) -> GuardAnswer:
    """Only for the client's hooks, which ask before and after a tool runs; calling it grants nothing."""
    from loomstack_mcp.edge.guarding import unchecked_reply  # what only a session with these hooks loads

    payload = {
        "hook_event_name": hook_event_name,
        "tool_name": tool_name,
        "tool_use_id": tool_use_id,
        "cwd": cwd,
        "session_id": session_id,
        "agent_id": agent_id,
        "tool_input": tool_input or {},
    }
    flags = call.face.here.flags
    try:
        return _answered(call, payload, flags)
    except Exception as error:  # noqa: BLE001 an error result would let the step through in both clients
        return cast("GuardAnswer", unchecked_reply(error, flags))


def refused_guard(why: str) -> dict[str, Any]:
    """The reply where a hook's arguments are none that it takes: an error would let the step through without a word."""
    from loomstack_mcp.core.errors import Invalid
    from loomstack_mcp.edge.guarding import unchecked_reply

    return dict(unchecked_reply(Invalid(why.removeprefix("invalid: "))))


def _answered(call: Call, payload: Mapping[str, Any], flags: Mapping[str, str | None]) -> GuardAnswer:
    """The reply in the client's own form; empty where nothing stands in the way, and where a model calls."""
    from loomstack_mcp.core.clients.payload import advice
    from loomstack_mcp.edge.alerts import told_alerts
    from loomstack_mcp.edge.guarding import judged_action
    from loomstack_mcp.edge.lines import after_line

    if call.tool_use:  # Claude Code names the call of a model, and none of a hook
        return {}
    if call.named.session.startswith(_CODEX):  # whose session and agent are in each call's `_meta`
        named = {"session_id": call.named.session.removeprefix(_CODEX), "agent_id": call.named.agent}
        action = codex.action({**payload, **named})
    else:
        action = claude.action(payload)
    if (event := payload["hook_event_name"]) in ("PostToolUse", "PostToolUseFailure"):
        said = after_line(action, flags=flags) if action.kind == "command" else ""
        reply = advice(said, event=event) if said else None
        reply = reply or told_alerts(action.session, action.agent, event, folder=action.cwd, flags=flags)
    else:
        reply = judged_action(action, flags=flags).reply
    return cast("GuardAnswer", reply or {})
