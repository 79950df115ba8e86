"""Whom `init` sets up: all who work in a repository, or one person wherever they work."""

import os
from collections.abc import Mapping
from pathlib import Path

from loomstack_mcp.adapters.git.worktree import Worktree
from loomstack_mcp.adapters.install.journal import journal_of
from loomstack_mcp.core.clients.files.project import ClientPlaces
from loomstack_mcp.core.records import record


@record
class InstallScope:
    """Where the files of a set-up lie."""

    root: Path
    """What their paths are seen from."""
    places: ClientPlaces
    journal: Path
    """Where their texts from before us are kept."""
    worktree: Worktree | None = None
    """None in a person's own scope."""

    def shown_path(self, path: Path) -> str:
        """A path as a person reads it."""
        if self.worktree:
            return os.path.relpath(path, self.root)
        return f"~/{path.relative_to(self.root)}" if path.is_relative_to(self.root) else str(path)


def project_scope(worktree: Worktree, *, home: Path) -> InstallScope:
    """A worktree's. `home` is the folder of the store."""
    places = ClientPlaces(exclude=worktree.exclude)
    journal = journal_of(home, str(worktree.root))
    return InstallScope(root=worktree.root, places=places, journal=journal, worktree=worktree)


def user_scope(environment: Mapping[str, str], *, home: Path) -> InstallScope:
    """A person's own, where both clients look for it. `home` is the folder of the store."""
    person = Path.home()
    moved = environment.get("CLAUDE_CONFIG_DIR")
    claude = os.path.abspath(moved or person / ".claude")  # noqa: PTH100 a link stays one
    codex = os.path.abspath(environment.get("CODEX_HOME") or person / ".codex")  # noqa: PTH100
    places = ClientPlaces(
        claude=claude,
        codex=codex,
        skills=str(person / ".agents" / "skills"),
        servers=f"{claude}/.claude.json" if moved else str(person / ".claude.json"),
    )
    return InstallScope(root=person, places=places, journal=journal_of(home, f"{claude} {codex} {person}"))
