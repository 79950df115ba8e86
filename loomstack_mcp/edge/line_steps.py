"""A shell line as a step: read by the parser, with the files that it names held against claims before it runs."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.git.written import Writes, Written
from loomstack_mcp.adapters.policy.lines import command
from loomstack_mcp.adapters.policy.touched_paths import found_by_pattern, touched
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.shell.git_writes import discards_edits
from loomstack_mcp.core.shell.targets import Write
from loomstack_mcp.edge.steps import Step, cwd_of, worktrees_above

_MATCHES_MAX = 200
"""Files that one pattern of a line may name, to be held against claims before it runs."""


def line_step(action: Action, here: Worktree | None, writes: Writes) -> Step:
    """What a line would do. What it writes and nobody can read from it is seen once it has run."""
    if here is None:
        return Step(writes=writes, met=lambda: iter(()))
    cwd = cwd_of(action)
    situation = command(here.root, cwd, action.command, point="pretool")
    for write in situation.reading.writes if situation.reading else ():
        for path in _files(cwd, write):
            writes.add(path)
        if write.path and write.is_folder_wide and not write.glob:
            _add_folder(writes, here, cwd, write.path)
    if situation.reading and any(words[0].name == "git" and discards_edits(words) for words in situation.reading.calls):
        _add_folder(writes, here, here.root, str(here.root))  # no rule minds that, but whoever edits here does
    met = [(here, situation)]
    met += [(each, command(each.root, cwd, action.command, point="pretool")) for each in worktrees_above(here, writes)]
    return Step(writes=writes, met=lambda: iter(met))


def _files(cwd: Path, write: Write) -> Iterator[str]:
    """The files that a write of a line names, absolutely; of a pattern those that are there."""
    path = os.path.join(cwd, os.path.expanduser(write.path))  # noqa: PTH111, PTH118 `~nobody/x` stays as it is
    is_folder = os.path.isdir(path)  # noqa: PTH112 a name that is too long does not raise
    if write.path and not write.is_folder_wide and not is_folder:  # into a folder goes what another write names
        yield path
    elif write.glob and is_folder:
        yield from islice(found_by_pattern(cwd, write), _MATCHES_MAX)


def _add_folder(writes: Writes, here: Worktree, cwd: Path, path: str) -> None:
    """All below a folder of this worktree may be written: it is held against claims as the folder."""
    found, _ = touched(here.root, cwd, [(path, True)])
    if found:
        known = writes.found.setdefault(here.common_dir, Written(worktree=here))
        known.tops[here.root] = None
        known.patterns.update({one.pattern: here.root for one in found})
