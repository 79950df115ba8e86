"""`loomstack-hook CLIENT PreToolUse`: stop an edit of what another run holds, before it is made."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.settings import REPO_FILE, load_settings
from loomstack_mcp.adapters.system import current_folder, principal
from loomstack_mcp.core.claims import refused_edit
from loomstack_mcp.core.clients import claude, codex
from loomstack_mcp.core.clients.payload import Action, Payload, refusal, remark
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.limits import HOOK_BYTES_MAX
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.quick import edit_service

CLIENTS: Mapping[str, Callable[[Payload], Action]] = {"claude": claude.action, "codex": codex.action}
_USAGE = f"usage: loomstack-hook {{{'|'.join(CLIENTS)}}} PreToolUse, with the client's JSON on stdin"


def main() -> None:
    """Print a reply for the client, or nothing where nothing stands in the way. The status is 0 but for wrong usage.

    An edit that could not be judged goes on: claims advise here, and later points decide.
    """
    if len(sys.argv) != 3 or sys.argv[1] not in CLIENTS or sys.argv[2] != "PreToolUse":
        print(_USAGE, file=sys.stderr)
        sys.exit(64)
    try:
        reply = _judged(CLIENTS[sys.argv[1]](_payload()))
    except LoomError as error:
        reply = remark(f"loomstack-hook did not check this edit. {error.code}: {error}")
    except Exception as error:  # noqa: BLE001 the process's last handler: a traceback is no reply
        reply = remark(f"loomstack-hook did not check this edit. internal: {type(error).__name__}")
    if reply:
        print(json.dumps(reply, ensure_ascii=True))


def _payload() -> Payload:
    source = sys.stdin.buffer.read(HOOK_BYTES_MAX + 1)
    try:
        payload = json.loads(source) if len(source) <= HOOK_BYTES_MAX else None
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise Invalid(f"stdin held no JSON object of at most {HOOK_BYTES_MAX} bytes; the client sends one")
    return payload


def _judged(action: Action) -> Payload | None:
    cwd = Path(action.cwd) if action.cwd else current_folder()
    worktree = worktree_at(cwd) if action.paths else None
    if worktree is None:
        return None
    settings = load_settings({}, in_repo=worktree.on_trunk(REPO_FILE))
    patterns = [pattern for path in action.paths if (pattern := _within(worktree, cwd, path))]
    checkout = worktree.checkout(repo=settings.repo)
    refuse_paused(settings.home, lambda: checkout.identity, action.session)
    caller = Caller(principal=principal(), session=action.session, certain=False)
    with edit_service(settings) as edits:
        if edits is None or not patterns:
            return None
        found, now_ms = edits.blockers(caller, checkout, patterns)
    return refusal(refused_edit(found, now_ms=now_ms)) if found else None


def _within(worktree: Worktree, cwd: Path, path: str) -> str:
    """The pattern of a file inside the worktree; "" for one outside, which no run can claim."""
    file = cwd / path
    try:
        # Links on the way are resolved, for they lead to the file that is written; a link at the end is replaced.
        return worktree.claimed(str(Path(os.path.realpath(file.parent)) / file.name))
    except Invalid:
        return ""
