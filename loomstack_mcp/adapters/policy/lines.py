"""The facts before an agent runs a shell line: a command, and an edit of what it writes."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from loomstack_mcp.adapters.parse.shell.script import parsed_line
from loomstack_mcp.adapters.policy.early import early_situation
from loomstack_mcp.adapters.policy.touched_paths import FolderLooks, takes_all, touched
from loomstack_mcp.core.policy.digests import bound
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.shell.effects import shell_reading


def command(root: Path, cwd: Path, line: str, *, point: Point) -> Situation:
    """A shell line: a command, and an edit of what it writes."""
    parse = partial(parsed_line, home=str(Path.home()))
    reading = shell_reading(parse(line), cwd=str(cwd), parse=parse)
    writes = [write for write in reading.writes if not (write.is_into and os.path.isdir(cwd / write.path))]  # noqa: PTH112 a NUL does not raise
    names = [(write.path, write.is_folder_wide) for write in writes]
    whole = [("", True)] if any(takes_all(root, cwd, write) for write in reading.writes) else []
    found, outside = touched(root, cwd, [*names, *whole])
    actions: frozenset[ActionKind] = frozenset({"command", "edit"} if found or outside else {"command"})
    before = replace(early_situation(point, actions, found, outside), reading=reading, looks=FolderLooks(root))
    return bound(before, line, str(cwd), shown=(*line.splitlines(), f"in {cwd}"))
