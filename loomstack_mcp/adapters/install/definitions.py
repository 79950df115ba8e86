"""The agents and skills that lie where a client looks: which are ours, which are a person's, which are old."""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.install.scopes import InstallScope
from loomstack_mcp.adapters.install.shipped import KINDS, shipped_definitions
from loomstack_mcp.core.clients.files.client_file import ClientFile
from loomstack_mcp.core.clients.files.definitions import (
    ClientDefinition,
    DefinitionState,
    definition_file,
    definition_folder,
    definition_path,
    definition_state,
)
from loomstack_mcp.core.clients.files.project import ClientPlaces
from loomstack_mcp.core.records import record

_BYTES_MAX = 200_000
_FILES_MAX = 2_000
OURS: tuple[DefinitionState, ...] = ("current", "stale", "newer")
"""Whoever changes such a file makes it their own."""


@record
class FoundDefinition:
    """A definition, and what lies in its place."""

    definition: ClientDefinition
    path: str
    """As the places have it: from the top of a worktree, or absolute."""
    state: DefinitionState

    @property
    def is_ours(self) -> bool:
        """Whether we wrote it, changed since or not."""
        return self.state not in ("absent", "foreign")

    @property
    def file(self) -> ClientFile:
        """It as a file to write, or to take away."""
        return definition_file(self.path, self.definition)


def found_definitions(scope: InstallScope, version: str) -> tuple[FoundDefinition, ...]:
    """Each definition of this package, which is of that version, and those of other packages that nobody changed."""
    root, places, shipped = scope.root, scope.places, shipped_definitions(version)
    return tuple(_found(root, places, each) for each in (*shipped, *_retired(root, places, shipped, version)))


def each_file_once(scope: InstallScope, found: Sequence[FoundDefinition]) -> tuple[FoundDefinition, ...]:
    """Those among them that are files of their own: `.agents/skills` may be a link to `.claude/skills`."""
    once = {os.path.realpath(scope.root / each.path): each for each in reversed(found)}
    return tuple(each for each in found if once[os.path.realpath(scope.root / each.path)] is each)


def definition_text(path: Path) -> str | None:
    """The text of a file, None where there is none; "" for what nobody would read as a definition."""
    if not os.path.lexists(path):
        return None
    try:
        # A link to a device never ends, and a pipe never begins.
        if path.is_file():
            with path.open("rb") as file:
                return file.read(_BYTES_MAX).decode("utf-8", "surrogateescape")
    except OSError:
        pass
    return ""


def _found(root: Path, places: ClientPlaces, definition: ClientDefinition) -> FoundDefinition:
    folder = definition_folder(places, definition.client, definition.kind)
    path = f"{folder}/{definition_path(definition.client, definition.kind, definition.name)}"
    state = definition_state(definition, definition_text(root / path))
    if _is_anothers(root / path, has_folder=definition.kind == "skills"):
        state = "foreign"
    return FoundDefinition(definition=definition, path=path, state=state)


def _is_anothers(path: Path, *, has_folder: bool) -> bool:
    """Whether somebody put a link there, or a file instead of its folder: what a link leads to is another's."""
    folder = path.parent if has_folder else path
    return path.is_symlink() or folder.is_symlink() or (has_folder and folder.exists() and not folder.is_dir())


def _retired(
    root: Path, places: ClientPlaces, shipped: Sequence[ClientDefinition], version: str
) -> Iterator[ClientDefinition]:
    """Those that other packages wrote, and this one has not."""
    known = {(each.client, each.kind, each.name) for each in shipped}
    for client, kind, _ in KINDS:
        folder = root / definition_folder(places, client, kind)
        for path in islice(folder.glob(definition_path(client, kind, "*")), _FILES_MAX):
            name = path.parent.name if kind == "skills" else path.stem
            if (client, kind, name) not in known:
                bare = ClientDefinition(client=client, kind=kind, name=name, text="", version=version)
                if definition_state(bare, definition_text(path)) in OURS:
                    yield bare
