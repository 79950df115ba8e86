"""Where rules lie, in few modules: what a hook looks at to know that nobody wrote to them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.user import RULES_FOLDER
from loomstack_mcp.core.people import PEOPLE_FILE

FOLDER = RULES_FOLDER
BUILTIN_FILE = Path(__file__).parent.parent.parent / "policy_builtin.yaml"


def deciding_paths(root: Path, home: str) -> Iterator[str]:
    """The built-in rules, who is who, and the folders of the worktree's and the organisation's rules, there or not."""
    yield str(BUILTIN_FILE)
    yield f"{root}/{PEOPLE_FILE}"
    for folder in (f"{root}/{FOLDER}", f"{home}/{FOLDER}"):
        yield folder
        with suppress(OSError):
            yield from sorted(entry.path for entry in os.scandir(folder))
