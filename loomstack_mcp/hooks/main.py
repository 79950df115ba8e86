"""`loomstack-hook CLIENT EVENT`: stop a step that another run or a rule forbids, and tell what a shell line changed.

Most edits are told at a glance to be clear; what a closer look needs is imported only then.
"""

import json
import sys

from loomstack_mcp.core.clients.payload import advice, remark
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import HOOK_BYTES_MAX
from loomstack_mcp.glance import has_line, is_settled

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.clients.payload import Action, Payload

CLIENTS = ("claude", "codex")
_UNCHECKED = "loomstack-hook did not check this step."
_USAGE = f"usage: loomstack-hook {{{'|'.join(CLIENTS)}}} {{PreToolUse|PostToolUse}}, with the client's JSON on stdin"


def main() -> None:
    """Print a reply for the client, or nothing where nothing stands in the way. The status is 0 but for wrong usage.

    An edit that could not be judged goes on: claims advise here, and later points decide.
    """
    if len(sys.argv) != 3 or sys.argv[1] not in CLIENTS or sys.argv[2] not in _REPLIES:
        print(_USAGE, file=sys.stderr)
        sys.exit(64)
    try:
        reply = _REPLIES[sys.argv[2]](_action(sys.argv[1], _payload()))
    except Exception as error:  # noqa: BLE001 the process's last handler: a traceback is no reply
        reply = _unchecked(error)
    if reply:
        print(json.dumps(reply, ensure_ascii=True))


def _payload() -> "Payload":
    source = sys.stdin.buffer.read(HOOK_BYTES_MAX + 1)
    try:
        payload = json.loads(source) if len(source) <= HOOK_BYTES_MAX else None
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Invalid(f"stdin held no JSON object of at most {HOOK_BYTES_MAX} bytes; the client sends one")
    return payload


def _action(client: str, payload: "Payload") -> "Action":
    # Each client's own module, and not the other's.
    if client == "codex":
        from loomstack_mcp.core.clients import codex

        return codex.action(payload)
    from loomstack_mcp.core.clients import claude

    return claude.action(payload)


def _before(action: "Action") -> "Payload | None":
    if is_settled(action):
        return None
    from loomstack_mcp.edge.guarding import (
        judged_action,
    )  # some 50 ms, for the few steps that are not clear at a glance

    return judged_action(action).reply


def _after(action: "Action") -> "Payload | None":
    """Of a shell line what it changed is told; every other step was judged before it was made."""
    if action.kind != "command" or not has_line(action):
        return None
    from loomstack_mcp.edge.lines import after_line  # git and the rules, for the lines that may have written

    said = after_line(action)
    return advice(said, event="PostToolUse") if said else None


_REPLIES = {"PreToolUse": _before, "PostToolUse": _after}


def _unchecked(error: Exception) -> "Payload":
    try:
        from loomstack_mcp.edge.guarding import unchecked_reply  # settings, for what could not be judged

        return unchecked_reply(error)
    except Exception:  # noqa: BLE001 what cannot even be imported
        return remark(f"{_UNCHECKED} {_told(error)}")


def _told(error: Exception) -> str:
    return f"{error.code}: {error}" if isinstance(error, LoomError) else f"internal: {type(error).__name__}"
