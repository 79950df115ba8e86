"""Two texts as the change between them, by the standard library's own comparison."""

import difflib
from collections.abc import Sequence
from hashlib import sha1

from loomstack_mcp.core.changes.hunks import FileChange
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.patches import file_changes


def edited(path: str, before: Sequence[str], after: Sequence[str], *, lines: Lines) -> FileChange:
    """What git would say of it: the entry of `--raw -z` and the patch of `-U0`, read by our own reader."""
    names = [_blob(before), _blob(after)]
    status = "M" if before else "A"
    patch = [f"diff --git a/{path} b/{path}", f"index {names[0][:7]}..{names[1][:7]}"]
    patch += difflib.unified_diff(before, after, "a", "b", lineterm="", n=0)
    raw = [f":100644 100644 {names[0]} {names[1]} {status}", path]
    [found] = file_changes(raw, "\n".join(patch).encode(), lines=lines)
    return found


def _blob(text: Sequence[str]) -> str:
    return sha1("\n".join(text).encode(), usedforsecurity=False).hexdigest() if text else "0" * 40
