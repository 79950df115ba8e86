"""An edit whose new text takes back what landed on purpose, told once before it is written."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.core.changes.conflicts import conflict_advice, conflict_words
from loomstack_mcp.core.changes.hunks import FileChange
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.patches import file_changes
from loomstack_mcp.core.clients.new_texts import new_text
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.limits import CHARS_PER_TOKEN, DAY_MS, HOOK_REPLY_TOKENS_MAX
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.texts import quoted
from loomstack_mcp.edge.bearings import Stand
from loomstack_mcp.quick import Quick

_TEXT_BYTES_MAX = 300_000
"""A larger file is compared when it lands."""
_BLOBS = ("1" * 40, "2" * 40)
_INTENT_CHARS_MAX = 120
_LANDINGS_MAX = 500
"""The last changes of a file; older ones are compared when it lands."""


def undoing_words(quick: Quick, caller: Caller, action: Action, stand: Stand, path: str, inside: str) -> str:
    """What an agent is told of an edit of a file, `inside` its worktree, that takes back a change made on purpose.

    "" where nothing does, where it was told so before, and where it cannot be compared here: landing compares it.
    """
    after = new_text(action.tool, action.arguments, path, _text(stand.worktree.root / inside))
    if after is None or len(after) > _TEXT_BYTES_MAX:
        return ""
    with Repository(stand.worktree.place) as repo:
        target = repo.trunk
        before = repo.file(target, inside).decode("utf-8", "replace") if target else ""
        landings = list(_landings(repo, target, inside)) if before else []
    undoings = quick.undoings
    file = _change(inside, before, after, undoings.key(stand.checkout))
    if not before or file is None:
        return ""
    window_ms = stand.settings.window_days * DAY_MS
    found, now_ms = undoings.undone_by(caller, stand.checkout, file, landings, window_ms=window_ms, target=target)
    for one in found:
        if quick.guards.tell_once(caller, str(stand.worktree.root), f"told undo {one.sha} {inside}"):
            why = f" It was meant: {quoted(one.intent, chars_max=_INTENT_CHARS_MAX)}." if one.intent else ""
            told = f"This edit {conflict_words(one, now_ms=now_ms)}.{why} {conflict_advice(one, target=target)}"
            most = HOOK_REPLY_TOKENS_MAX * CHARS_PER_TOKEN - len(_AGAIN)
            return f"{told[:most]}{_AGAIN}"
    return ""


def _landings(repo: Repository, target: str, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    ran = repo.run(
        "rev-list",
        "--topo-order",
        "--reverse",
        "--parents",
        f"-n{_LANDINGS_MAX}",
        target,
        "--",
        f":(top,literal){path}",
    )
    for line in ran.text.splitlines():
        sha, *parents = line.split()
        yield sha, tuple(parents)


_AGAIN = " The same edit goes through if you make it again; landing will stop it."


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[: _TEXT_BYTES_MAX + 1].decode("utf-8", "replace")
    except OSError:
        return ""


def _change(path: str, before: str, after: str, key: bytes) -> FileChange | None:
    """What an edit makes of the trunk's text, as git would print it."""
    printed = "\n".join(_printed(path, before, after)).encode("utf-8", "surrogatepass")
    raw = [f":100644 100644 {_BLOBS[0]} {_BLOBS[1]} M", path]
    return next(iter(file_changes(raw, printed, lines=Lines(key))), None)


def _printed(path: str, before: str, after: str) -> Iterator[str]:
    yield f"diff --git a/{path} b/{path}"
    yield f"index {_BLOBS[0]}..{_BLOBS[1]} 100644"
    yield from difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{path}", f"b/{path}", n=0, lineterm="")
    yield ""
