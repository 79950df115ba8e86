"""Where rules lie, in few modules: what a hook looks at to know that nobody wrote to them."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loomstack_mcp.adapters.user import ASKED_FILE, RULES_FOLDER
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.people import PEOPLE_FILE

FOLDER = RULES_FOLDER
LAYER_FILE = "layer.json"
"""The copy of a hub's rules, in the folder of the organisation's."""
BUILTIN_FILE = Path(__file__).parent.parent.parent / "policy_builtin.yaml"


def deciding_paths(root: Path, home: str) -> Iterator[str]:
    """The built-in rules, who is who, and the folders of the worktree's and the organisation's rules, there or not."""
    yield str(BUILTIN_FILE)
    yield f"{root}/{PEOPLE_FILE}"
    for folder in (f"{root}/{FOLDER}", f"{home}/{FOLDER}"):
        yield folder
        with suppress(OSError):
            yield from sorted(entry.path for entry in os.scandir(folder))


def asked_ago_ms(home: str) -> int | None:
    """How long ago the hub was asked last; None where it never was.

    A mark of tomorrow is as old as one of yesterday: else a clock that went back would keep the rules as they are.
    """
    try:
        return abs(round((time.time() - (Path(home) / ASKED_FILE).stat().st_mtime) * SECOND_MS))
    except OSError:
        return None


def has_layer(home: str) -> bool:
    """Whether there is a copy, whoever wrote it."""
    return (Path(home) / FOLDER / LAYER_FILE).exists()
