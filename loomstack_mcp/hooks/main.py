"""`loomstack-hook CLIENT EVENT`: what a client's session is told, and held to, as it goes.

Most edits are told at a glance to be clear; what a closer look needs is imported only then.
"""

import gc
import json
import os
import sys

from loomstack_mcp.core.clients.payload import advice, remark, text
from loomstack_mcp.core.errors import Invalid, error_text
from loomstack_mcp.core.limits import HOOK_BYTES_MAX

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from loomstack_mcp.core.clients.payload import Action, Payload

CLIENTS = ("claude", "codex")
_UNCHECKED = "loomstack-hook did not check this step."
_UNSEEN = "loomstack-hook did not see to this {event}."


def main() -> None:
    """Print a reply for the client, or nothing where nothing is to be said. The status is 0 but for wrong usage.

    An edit that could not be judged goes on: claims advise here, and later points decide.
    """
    if sys.argv[1:2] == ["git"]:
        from loomstack_mcp.hooks.git.main import git_hook  # what an edit's hook does without

        _end(git_hook(sys.argv[2:]))
    if len(sys.argv) != 3 or sys.argv[1] not in CLIENTS or sys.argv[2] not in _REPLIES:
        print(_USAGE, file=sys.stderr)
        sys.exit(64)
    client, event = sys.argv[1:]
    gc.disable()  # which looks for garbage 3 ms long, in a process that ends soon
    try:
        reply = _REPLIES[event](client, _payload())
    except Exception as error:  # noqa: BLE001 the process's last handler: a traceback is no reply
        reply = (
            _unchecked(error) if event == "PreToolUse" else remark(f"{_UNSEEN.format(event=event)} {error_text(error)}")
        )
    if reply:
        print(json.dumps(reply, ensure_ascii=True))
    _end(0)


def _end(status: int) -> "NoReturn":
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # to free each object at its end costs a hook that looked closer 20 ms


def _payload() -> "Payload":
    source = sys.stdin.buffer.read(HOOK_BYTES_MAX + 1)
    try:
        payload = json.loads(source) if len(source) <= HOOK_BYTES_MAX else None
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Invalid(f"stdin held no JSON object of at most {HOOK_BYTES_MAX} bytes; the client sends one")
    return payload


def _before(client: str, payload: "Payload") -> "Payload | None":
    from loomstack_mcp.glance import is_settled  # what some of git's hooks do without

    action = _action(client, payload)
    if is_settled(action):
        return None
    from loomstack_mcp.edge.guarding import judged_action  # some 50 ms, for the steps that are not clear at a glance

    return judged_action(action, ends_here=True).reply


def _after(client: str, payload: "Payload") -> "Payload | None":
    """Of a shell line what it changed is told; every other step was judged before it was made."""
    from loomstack_mcp.glance import has_line  # as above

    event = "PostToolUseFailure" if text(payload, "hook_event_name") == "PostToolUseFailure" else "PostToolUse"
    action = _action(client, payload)
    if action.kind == "command" and has_line(action):
        from loomstack_mcp.edge.lines import after_line  # git and the rules, for the lines that may have written

        if said := after_line(action):
            return advice(said, event=event)
    return _alerts(action.session, action.agent, event, folder=action.cwd)


def _prompted(client: str, payload: "Payload") -> "Payload | None":
    session = text(payload, "session_id")
    named = f"{client}:{session}" if session else ""
    return _alerts(named, "", "UserPromptSubmit", folder=text(payload, "cwd"))


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
    "PreToolUse": _before,
    "PostToolUse": _after,
    "PostToolUseFailure": _after,
    "UserPromptSubmit": _prompted,
    "SessionStart": _session_started,
    "SubagentStart": _agent_started,
    "SubagentStop": _agent_ended,
    "Stop": _turn_ended,
    "SessionEnd": _session_ended,
}
"""What answers each event; whatever it needs, it imports itself."""
_USAGE = f"usage: loomstack-hook {{{'|'.join(CLIENTS)}}} {{{'|'.join(_REPLIES)}}}, with the client's JSON on stdin"


def _action(client: str, payload: "Payload") -> "Action":
    if not text(payload, "tool_name"):
        raise Invalid("the client named no tool, so that nobody can tell what this step does")
    # Each client's own module, and not the other's.
    if client == "codex":
        from loomstack_mcp.core.clients import codex

        return codex.action(payload)
    from loomstack_mcp.core.clients import claude

    return claude.action(payload)


def _unchecked(error: Exception) -> "Payload":
    try:
        from loomstack_mcp.edge.guarding import unchecked_reply  # settings, for what could not be judged

        return unchecked_reply(error)
    except Exception:  # noqa: BLE001 what cannot even be imported
        return remark(f"{_UNCHECKED} {error_text(error)}")


def _alerts(session: str, agent: str, event: str, *, folder: str) -> "Payload | None":
    from loomstack_mcp.glance import is_unalerted  # as above

    if is_unalerted(session, agent):
        return None
    from loomstack_mcp.edge.alerts import told_alerts  # some 40 ms, for the few that have something to hear

    return told_alerts(session, agent, event, folder=folder)
