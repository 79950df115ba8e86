"""A new worktree that lacks what makes its sessions part of the team: told, and nothing is copied."""

import os
from collections.abc import Iterator, Sequence

from loomstack_mcp.adapters.git.layout import plain_layout
from loomstack_mcp.core.clients.files.own_names import COMMAND, NAME

_FILES = (".mcp.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json")
"""What `init` writes for everybody who works in a repository."""
_BYTES_MAX = 1_000_000


def missing_files(given: Sequence[str]) -> Iterator[str]:
    """What to say where git has made a worktree (githooks(5), post-checkout: the old head is zeros)."""
    here = plain_layout(os.getcwd())  # noqa: PTH109 pathlib costs milliseconds
    if not given or given[0].strip("0") or here is None or here[1] == here[2]:
        return
    main = os.path.dirname(here[2])  # noqa: PTH120
    missing = [name for name in _FILES if _has_ours(main, name) and not _has_ours(here[0], name)]
    if missing:
        yield f"loomstack: sessions in this worktree are not coordinated: it has no {', '.join(missing)} of ours."
        yield f"  A person runs `{COMMAND} init` in it, or commits those files, so that every worktree has them."


def _has_ours(top: str, name: str) -> bool:
    try:
        with open(os.path.join(top, name), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123
            return NAME in file.read(_BYTES_MAX)
    except OSError:
        return False
