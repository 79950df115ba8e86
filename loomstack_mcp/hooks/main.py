"""`loomstack-hook CLIENT PreToolUse`: stop an edit of what another run holds, before it is made.

Most edits are told at a glance to be clear; what a closer look needs is imported only then.
"""

import json
import sys

from loomstack_mcp.core.clients.payload import remark
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import HOOK_BYTES_MAX

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.clients.payload import Action, Payload

CLIENTS = ("claude", "codex")
_UNCHECKED = "loomstack-hook did not check this edit."
_USAGE = f"usage: loomstack-hook {{{'|'.join(CLIENTS)}}} PreToolUse, with the client's JSON on stdin"


def main() -> None:
    """Print a reply for the client, or nothing where nothing stands in the way. The status is 0 but for wrong usage.

    An edit that could not be judged goes on: claims advise here, and later points decide.
    """
    if sys.argv[1:2] == ["git"]:
        from loomstack_mcp.hooks.git.main import git_hook  # what an edit's hook does without

        sys.exit(git_hook(sys.argv[2:]))
    if len(sys.argv) != 3 or sys.argv[1] not in CLIENTS or sys.argv[2] != "PreToolUse":
        print(_USAGE, file=sys.stderr)
        sys.exit(64)
    try:
        reply = _reply(_action(sys.argv[1], _payload()))
    except Exception as error:  # noqa: BLE001 the process's last handler: a traceback is no reply
        reply = remark(f"{_UNCHECKED} {_told(error)}")
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


def _reply(action: "Action") -> "Payload | None":
    from loomstack_mcp.glance import is_settled  # what some of git's hooks do without

    if not (action.paths or action.is_ours) or is_settled(action):
        return None
    from loomstack_mcp.hooks.judging import judged_action  # some 50 ms, for the few edits that may be held

    refused, missed = judged_action(action)
    if refused or not missed:
        return refused
    return remark(f"{_UNCHECKED} {'; '.join(dict.fromkeys(map(_told, missed)))}")


def _told(error: Exception) -> str:
    return f"{error.code}: {error}" if isinstance(error, LoomError) else f"internal: {type(error).__name__}"
