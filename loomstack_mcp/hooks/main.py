"""`loomstack-hook CLIENT EVENT`: what a client's session is told, and held to, as it goes.

Most edits are told at a glance to be clear; what a closer look needs is imported only then.
"""

import json
import os
import sys

from loomstack_mcp.core.clients.payload import remark
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import HOOK_BYTES_MAX
from loomstack_mcp.glance import is_settled

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from loomstack_mcp.core.clients.payload import Action, Payload

CLIENTS = ("claude", "codex")
_UNCHECKED = "loomstack-hook did not check this edit."
_UNSEEN = "loomstack-hook did not see to this {event}."


def main() -> None:
    """Print a reply for the client, or nothing where nothing is to be said. The status is 0 but for wrong usage.

    An edit that could not be judged goes on: claims advise here, and later points decide.
    """
    if len(sys.argv) != 3 or sys.argv[1] not in CLIENTS or sys.argv[2] not in _REPLIES:
        print(_USAGE, file=sys.stderr)
        sys.exit(64)
    client, event = sys.argv[1:]
    try:
        reply = _REPLIES[event](client, _payload())
    except Exception as error:  # noqa: BLE001 the process's last handler: a traceback is no reply
        reply = remark(f"{_UNCHECKED if event == 'PreToolUse' else _UNSEEN.format(event=event)} {_told(error)}")
    if reply:
        print(json.dumps(reply, ensure_ascii=True), flush=True)
    os._exit(0)  # to free each object at its end costs a hook that looked closer 20 ms


def _payload() -> "Payload":
    source = sys.stdin.buffer.read(HOOK_BYTES_MAX + 1)
    try:
        payload = json.loads(source) if len(source) <= HOOK_BYTES_MAX else None
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Invalid(f"stdin held no JSON object of at most {HOOK_BYTES_MAX} bytes; the client sends one")
    return payload


def _call_judged(client: str, payload: "Payload") -> "Payload | None":
    return _reply(_action(client, payload))


def _session_started(client: str, payload: "Payload") -> "Payload | None":
    from loomstack_mcp.hooks.sessions import session_started  # the store, which most edits do without

    return session_started(client, payload)


def _agent_started(client: str, payload: "Payload") -> "Payload | None":
    from loomstack_mcp.hooks.sessions import agent_started  # as above

    return agent_started(client, payload)


def _agent_ended(client: str, payload: "Payload") -> None:
    from loomstack_mcp.hooks.endings import agent_ended  # as above

    agent_ended(client, payload)


def _session_ended(client: str, payload: "Payload") -> None:
    from loomstack_mcp.hooks.endings import session_ended  # as above

    session_ended(client, payload)


def _turn_ended(client: str, payload: "Payload") -> "Payload | None":
    from loomstack_mcp.hooks.stops import turn_ended  # as above

    return turn_ended(client, payload)


_REPLIES: "dict[str, Callable[[str, Payload], Payload | None]]" = {
    "PreToolUse": _call_judged,
    "SessionStart": _session_started,
    "SubagentStart": _agent_started,
    "SubagentStop": _agent_ended,
    "Stop": _turn_ended,
    "SessionEnd": _session_ended,
}
"""What answers each event; whatever it needs, it imports itself."""
_USAGE = f"usage: loomstack-hook {{{'|'.join(CLIENTS)}}} {{{'|'.join(_REPLIES)}}}, with the client's JSON on stdin"


def _action(client: str, payload: "Payload") -> "Action":
    # Each client's own module, and not the other's.
    if client == "codex":
        from loomstack_mcp.core.clients import codex

        return codex.action(payload)
    from loomstack_mcp.core.clients import claude

    return claude.action(payload)


def _reply(action: "Action") -> "Payload | None":
    if not (action.paths or action.is_ours) or is_settled(action):
        return None
    from loomstack_mcp.hooks.judging import judged_action  # some 50 ms, for the few edits that may be held

    refused, missed = judged_action(action)
    if refused or not missed:
        return refused
    return remark(f"{_UNCHECKED} {'; '.join(dict.fromkeys(map(_told, missed)))}")


def _told(error: Exception) -> str:
    return f"{error.code}: {error}" if isinstance(error, LoomError) else f"internal: {type(error).__name__}"
