"""A shell line as a step: read by the parser, with the files that it names held against claims before it runs."""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree, marked_top
from loomstack_mcp.adapters.git.written import Writes
from loomstack_mcp.adapters.policy.lines import command
from loomstack_mcp.adapters.policy.touched_paths import found_by_pattern
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.core.shell.effects import ShellReading
from loomstack_mcp.core.shell.targets import Write
from loomstack_mcp.edge.steps import Step, cwd_of, worktrees_above

_MATCHES_MAX = 200
"""Files that one pattern of a line may name, to be held against claims before it runs."""


def line_step(action: Action, here: Worktree | None, writes: Writes) -> Step:
    """What a line would do. What it writes and nobody can read from it is seen once it has run.

    From a folder in no repository it meets the rules of those that it writes to.
    """
    if here is None and writes.missed:
        return Step(writes=writes, met=lambda: iter(()))
    cwd = cwd_of(action)
    situation = command(here.root if here else cwd, cwd, action.command, point="pretool")
    if situation.reading:
        _add_all(writes, cwd, situation.reading, here)
    return Step(writes=writes, met=lambda: _met(action, cwd, here, situation, writes))


def _add_all(writes: Writes, cwd: Path, reading: ShellReading, here: Worktree | None) -> None:
    for write in reading.writes:
        _add(writes, cwd, write)
    for folder in reading.discarded:  # no rule minds that, but whoever edits there does
        if top := marked_top(Path(folder)) if folder else here and str(here.root):
            writes.add_folder(top)


def _met(
    action: Action, cwd: Path, here: Worktree | None, situation: Situation, writes: Writes
) -> Iterator[tuple[Worktree, Situation]]:
    """The line, as each repository sees it whose rules have a say."""
    if here:
        yield here, situation
        for above in worktrees_above(here, writes):
            yield above, command(above.root, cwd, action.command, point="pretool")
        return
    for written in writes.found.values():  # what else it writes is outside of none that it is in
        found = command(written.worktree.root, cwd, action.command, point="pretool")
        yield written.worktree, replace(found, outside=())


def _add(writes: Writes, cwd: Path, write: Write) -> None:
    """The files that a write of a line names, absolutely; of a pattern those that are there."""
    path = os.path.join(cwd, os.path.expanduser(write.path))  # noqa: PTH111, PTH118 `~nobody/x` stays as it is
    is_folder = os.path.isdir(path)  # noqa: PTH112 a name that is too long does not raise
    if write.path and write.glob and is_folder:
        for found in islice(found_by_pattern(cwd, write), _MATCHES_MAX):
            (writes.add_folder if os.path.isdir(found) else writes.add)(found)  # noqa: PTH112 as above
    elif write.path and write.is_folder_wide and not write.glob:
        writes.add_folder(path)
    elif write.path and not write.is_folder_wide and not is_folder:  # into a folder goes what another write names
        writes.add(path)
