"""Standpoints: the worktree that a call is answered for, and what keeps the answer from being for the one meant."""

import os

from loomstack_mcp.core.errors import LoomError, NotFound
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.here import Here

_KEPT_MAX = 20


@record
class Standpoint:
    """Where a caller is answered for."""

    seen: Here
    unchecked: tuple[str, ...] = ()
    """Why that is not the worktree that was meant."""
    is_meant: bool = True
    """False where a worktree was named that is not looked at, so that nothing of the answer would be for it."""


class Standpoints:
    """The repository that the process stands in, seen from where each caller stands."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._moved: dict[tuple[str, str], Here] = {}

    def of(self, caller: Caller, worktree: str = "") -> Standpoint:
        """The worktree that the caller names, as seen from where it is, else the one that it is in, else our own."""
        if self._here.clone is None or not (worktree or caller.folder):
            return Standpoint(seen=self._here)
        try:
            return Standpoint(seen=self._from(os.path.join(caller.folder, worktree)))  # noqa: PTH118 either may be ""
        except LoomError as error:
            if worktree:
                return Standpoint(seen=self._here, unchecked=(f"not looked at: {error}",), is_meant=False)
            if isinstance(error, NotFound):  # a folder in which nothing could land
                return Standpoint(seen=self._here)
            return Standpoint(seen=self._here, unchecked=(f"where you stand was not looked at: {error}",))

    def _from(self, folder: str) -> Here:
        moved = self._here.moved_to(folder)
        if moved.worktree == self._here.worktree and moved.folder == self._here.folder:
            return self._here
        # Kept for the rules that it has loaded; where the folder leads is asked each time.
        if len(self._moved) >= _KEPT_MAX:
            self._moved.clear()
        return self._moved.setdefault((str(moved.folder), str(moved.root)), moved)
