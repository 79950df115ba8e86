"""Shell lines that run: what really changed since one began, compared with what others hold and the rules allow."""

import time
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place
from loomstack_mcp.adapters.git.trunk import named_by
from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.steps import BegunLine
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.quick import Quick


def begin_line(quick: Quick, caller: Caller, action: Action, worktree: Worktree) -> None:
    """A line is about to run in a worktree."""
    began = BegunLine(
        folder=encodable(str(worktree.root)),
        began_at_ms=int(time.time() * SECOND_MS),
        head=head_of(worktree.place),
    )
    quick.guards.begin_line(caller, action.tool_use, began)


def head_of(place: Place) -> str:
    """What HEAD is, by its own file alone; "" where that does not say it."""
    head = place.git_dir / "HEAD"
    named = named_by(head)
    try:
        return (place.common_dir / named if named else Path(head)).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
