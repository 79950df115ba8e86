"""An agent's next step, seen where it would be made: what it writes, and whose rules it meets."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from loomstack_mcp.adapters.git.written import Writes
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.core.clients.payload import Action
from loomstack_mcp.core.errors import Invalid, LoomError
from loomstack_mcp.core.records import record

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from loomstack_mcp.core.policy.situation import Situation


@record
class Step:
    """What is about to be done."""

    writes: Writes
    """By the repositories that it writes to."""
    met: "Callable[[], Iterator[tuple[Worktree, Situation]]]"
    """Whose rules have a say, and about what: of the worktree that the agent stands in, else of those written to."""


def step_of(action: Action) -> Step:
    """What an action would do. What cannot be told of its files is among those that were missed."""
    writes = Writes()
    here = _worktree(action, writes)
    # By their names: no edit that is held needs what reads rules, and nothing but a shell line a parser.
    if action.kind == "command":
        step: Step = import_module("loomstack_mcp.edge.line_steps").line_step(action, here, writes)
        return step
    for path in action.paths:
        _add(writes, action, path)
    return Step(
        writes=writes,
        met=lambda: import_module("loomstack_mcp.edge.ruling").edit_situations(action, here, writes),
    )


def worktrees_above(here: Worktree, writes: Writes) -> Iterator[Worktree]:
    """Those written to whose submodule the agent stands in: their rules hold below, too."""
    for written in writes.found.values():
        if written.worktree.root in here.root.parents:
            yield written.worktree


def cwd_of(action: Action) -> Path:
    """The folder that relative paths are meant from. Raises Invalid where it is gone."""
    cwd = Path(action.cwd) if action.cwd.startswith("/") else current_folder() / action.cwd
    if not cwd.is_dir():
        raise Invalid(f"{cwd} is gone, so that no path can be read from there; name files by their absolute paths")
    return cwd


def _worktree(action: Action, writes: Writes) -> Worktree | None:
    """The one that the agent stands in, where there is one that can be read."""
    try:
        return worktree_at(cwd_of(action))
    except (LoomError, OSError) as error:
        # Files that are named whole are looked at where they are.
        if action.kind == "command" or not all(path.startswith("/") for path in action.paths):
            writes.missed.append(error)
        return None


def _add(writes: Writes, action: Action, path: str) -> None:
    try:
        name = path if path.startswith("/") else str(cwd_of(action) / path)
        if action.kind == "edit" or not os.path.isdir(name):  # noqa: PTH112 a name that is too long does not raise
            writes.add(name)
        elif import_module("loomstack_mcp.core.clients.arguments").takes_folders(action.tool):
            writes.add_folder(name)
    except LoomError as error:
        if not any(str(error) == str(other) for other in writes.missed):
            writes.missed.append(error)
