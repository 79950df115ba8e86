"""The agents and skills of this package, as its files have them."""

from collections.abc import Iterator
from pathlib import Path

from loomstack_mcp.core.clients.files.definitions import (
    ClientDefinition,
    DefinitionClient,
    DefinitionKind,
    definition_path,
)

KINDS: tuple[tuple[DefinitionClient, DefinitionKind, str], ...] = (
    ("Claude Code", "agents", "claude_agents/agents"),
    ("Codex", "agents", "codex_agents/agents"),
    ("Claude Code", "skills", "claude_agents/skills"),
    ("Codex", "skills", "claude_agents/skills"),
)
"""What each client reads, and where it lies here: both read the same skills."""


def shipped_folder() -> Path:
    """Where what travels with the package lies: in it, or, where it was installed to be edited, beside it."""
    package = Path(__file__).parents[2]
    inside = package / "share"
    return inside if inside.is_dir() else package.parent


def shipped_definitions(version: str) -> tuple[ClientDefinition, ...]:
    """All of them, by client and kind, each sorted by name. `version` is that of this package."""
    top = shipped_folder()
    return tuple(each for client, kind, folder in KINDS for each in _in(top / folder, client, kind, version))


def _in(folder: Path, client: DefinitionClient, kind: DefinitionKind, version: str) -> Iterator[ClientDefinition]:
    for path in sorted(folder.glob(definition_path(client, kind, "*"))):
        name = path.parent.name if kind == "skills" else path.stem
        text = path.read_text(encoding="utf-8")
        yield ClientDefinition(client=client, kind=kind, name=name, text=text, version=version)
