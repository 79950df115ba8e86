"""Where git runs a hook of its own: by the folder that it starts it in."""

import os
from pathlib import Path

from loomstack_mcp.adapters.git.discovery import Place, place_at
from loomstack_mcp.adapters.system import current_folder
from loomstack_mcp.core.errors import NotFound


def hooked_place() -> tuple[Path, Place]:
    """The top of the worktree that git works in, and what git has of it.

    Raises NotFound where its variables name another repository than the files do.
    """
    place = place_at(current_folder())
    named = os.environ.get("GIT_DIR")
    if place.root is None or (named and os.path.realpath(named) != str(place.git_dir)):
        raise NotFound(f"{named or place.git_dir} has its worktree elsewhere than git usually has it; not looked at")
    return place.root, place
