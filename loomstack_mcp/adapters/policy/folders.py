"""Where rules lie, in few modules: what a hook looks at to know that nobody wrote to them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER = "policies"
BUILTIN_FILE = Path(__file__).parent.parent.parent / "policy_builtin.yaml"


def deciding_paths(root: Path, home: str) -> Iterator[str]:
    """The built-in rules, and the folders of the worktree's and the organisation's with all in them, there or not."""
    yield str(BUILTIN_FILE)
    for folder in (f"{root}/{FOLDER}", f"{home}/{FOLDER}"):
        yield folder
        with suppress(OSError):
            yield from sorted(entry.path for entry in os.scandir(folder))
