"""The facts before an agent runs a shell line: a command, and an edit of what it writes."""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from loomstack_mcp.adapters.parse.shell.script import parsed_line
from loomstack_mcp.adapters.policy.early import early_situation
from loomstack_mcp.adapters.policy.touched_paths import FolderLooks, found_by_pattern, takes_all, touched
from loomstack_mcp.core.policy.digests import bound, lines_shown
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.shell.effects import ShellReading, shell_reading
from loomstack_mcp.core.shell.targets import Write


def command(root: Path, cwd: Path, line: str, *, point: Point) -> Situation:
    """A shell line: a command, and an edit of what it writes.

    Before it runs (`pretool`) only what it names counts: what else it writes, anywhere or in all of the repository
    (`touch $FILE`, `git checkout .`), is seen once it has run. What is deleted is gone then: `rm -rf .` names all.
    """
    parse = partial(parsed_line, home=str(Path.home()))
    reading = shell_reading(parse(line), cwd=str(cwd), parse=parse)
    writes = [write for write in reading.writes if not (write.is_into and os.path.isdir(cwd / write.path))]  # noqa: PTH112 a NUL does not raise
    names = [(write.path, write.is_folder_wide) for write in writes]
    if point == "pretool":
        is_gone = _deletes(reading)
        names = [name for write in writes for name in _named(root, cwd, write, with_top=is_gone)]
    whole = [("", True)] if any(takes_all(root, cwd, write) for write in reading.writes) else []
    found, outside = touched(root, cwd, [*names, *whole])
    is_edit = found or outside or (point == "pretool" and any(not write.path for write in writes))
    actions: frozenset[ActionKind] = frozenset({"command", "edit"} if is_edit else {"command"})
    before = replace(early_situation(point, actions, found, outside), reading=reading, looks=FolderLooks(root))
    return bound(before, line, str(cwd), shown=(*lines_shown(line), f"in {cwd}"))


def _deletes(reading: ShellReading) -> bool:
    return any(call[0].text.rpartition("/")[2] == "rm" for call in reading.calls if call)


def _named(root: Path, cwd: Path, write: Write, *, with_top: bool) -> Iterator[tuple[str, bool]]:
    """What a write names for certain, each with whether all below it is meant; of the top folder what is there.

    Below another folder files to come may be meant as well: `policies/$NAME`.
    """
    is_top = write.is_folder_wide and os.path.realpath(cwd / os.path.expanduser(write.path)) == os.path.realpath(root)  # noqa: PTH111 as above
    if write.path and (not is_top or (with_top and not write.glob)):
        yield write.path, write.is_folder_wide
    elif write.path and write.glob:
        yield from ((path, os.path.isdir(path)) for path in found_by_pattern(cwd, write))  # noqa: PTH112 as above
