"""`loomstack-hook CLIENT PreToolUse`: stop an edit of what another run holds, before it is made."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.git.written import Writes
from loomstack_mcp.adapters.pauses import refuse_paused
from loomstack_mcp.adapters.settings import REPO_FILE, load_settings
from loomstack_mcp.adapters.system import current_folder, principal
from loomstack_mcp.core.claims import refused_edit
from loomstack_mcp.core.clients import claude, codex
from loomstack_mcp.core.clients.payload import Action, Payload, refusal, remark
from loomstack_mcp.core.errors import Invalid, LoomError, StoreUnavailable
from loomstack_mcp.core.limits import HOOK_BYTES_MAX
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.quick import Quick, open_quick

CLIENTS: Mapping[str, Callable[[Payload], Action]] = {"claude": claude.action, "codex": codex.action}
_UNCHECKED = "loomstack-hook did not check this edit."
_USAGE = f"usage: loomstack-hook {{{'|'.join(CLIENTS)}}} PreToolUse, with the client's JSON on stdin"


def main() -> None:
    """Print a reply for the client, or nothing where nothing stands in the way. The status is 0 but for wrong usage.

    An edit that could not be judged goes on: claims advise here, and later points decide.
    """
    if len(sys.argv) != 3 or sys.argv[1] not in CLIENTS or sys.argv[2] != "PreToolUse":
        print(_USAGE, file=sys.stderr)
        sys.exit(64)
    try:
        reply = _reply(CLIENTS[sys.argv[1]](_payload()))
    except Exception as error:  # noqa: BLE001 the process's last handler: a traceback is no reply
        reply = remark(f"{_UNCHECKED} {_told(error)}")
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


def _reply(action: Action) -> Payload | None:
    if not (action.paths or action.is_ours):
        return None
    caller = Caller(principal=principal(), session=action.session, agent=action.agent, folder=action.cwd)
    settings = load_settings({})
    with open_quick(settings) as quick:
        if quick is None:
            return None
        if action.is_ours:
            with suppress(StoreUnavailable):  # the server then knows less; that the store is not there it says itself
                quick.sightings.saw_call(caller, action.tool_use)
            return None
        return _judged(quick, caller, action, home=settings.home)


def _judged(quick: Quick, caller: Caller, action: Action, *, home: str) -> Payload | None:
    """Each file by the repositories that it lies in, wherever the session stands. One that is held refuses all."""
    writes = _writes(action)
    held: list[str] = []
    free: list[tuple[Checkout, list[str]]] = []
    for written in writes.found.values():
        try:
            checkout = _checkout(written.worktree)
            _refuse_paused(home, checkout, action.session)
            found, now_ms = quick.edits.blockers(caller, checkout, tuple(written.patterns))
        except (LoomError, OSError) as error:
            writes.missed.append(error)
            continue
        if found:
            held.append(refused_edit(found, now_ms=now_ms))
        free.append((checkout, [str(top) for top in written.tops]))
    if held:
        return refusal(" ".join(held))
    with suppress(StoreUnavailable):  # worth no wait, and no word
        for checkout, tops in free:
            quick.sightings.saw_edits(caller, checkout, tops)
    told = "; ".join(dict.fromkeys(map(_told, writes.missed)))
    return remark(f"{_UNCHECKED} {told}") if told else None


def _writes(action: Action) -> Writes:
    writes = Writes()
    for path in action.paths:
        try:
            writes.add(path if path.startswith("/") else str(_cwd(action) / path))
        except LoomError as error:
            writes.missed.append(error)
    return writes


def _cwd(action: Action) -> Path:
    """The folder that relative paths are meant from. Raises Invalid where it is gone."""
    cwd = Path(action.cwd) if action.cwd.startswith("/") else current_folder() / action.cwd
    if not cwd.is_dir():
        raise Invalid(f"{cwd} is gone, so that no path can be read from there; name files by their absolute paths")
    return cwd


def _checkout(worktree: Worktree) -> Checkout:
    """By the settings of the repository itself."""
    settings = load_settings({}, in_repo=worktree.on_trunk(REPO_FILE))
    return worktree.checkout(repo=settings.repo)


def _refuse_paused(home: str, checkout: Checkout, session: str) -> None:
    refuse_paused(home, lambda: checkout.identity, session)


def _told(error: Exception) -> str:
    return f"{error.code}: {error}" if isinstance(error, LoomError) else f"internal: {type(error).__name__}"
