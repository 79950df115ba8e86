"""The facts before an agent acts that need no parser: of an edit, of another server's tool, of a deployment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.policy.touched_paths import FolderLooks, touched
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation, Touched


def edit(root: Path, cwd: Path, paths: Sequence[str], *, point: Point, wide: Sequence[str] = ()) -> Situation:
    """An edit of these files, as a client names them, and of all below the `wide` ones."""
    found, outside = touched(root, cwd, [*((path, False) for path in paths), *((path, True) for path in wide)])
    named = found if paths or wide else None
    return replace(early_situation(point, frozenset({"edit"}), named, outside), looks=FolderLooks(root))


def tool(name: str, *, point: Point) -> Situation:
    """A call of another server's tool."""
    return replace(early_situation(point, frozenset({"tool"}), (), ()), tool=name)


def deploy(environment: str, *, point: Point) -> Situation:
    """A deployment; where it goes is None when it was not said."""
    return replace(early_situation(point, frozenset({"deploy"}), None, ()), environment=environment or None)


def early_situation(
    point: Point,
    actions: frozenset[ActionKind],
    found: tuple[Touched, ...] | None,
    outside: tuple[str, ...],
) -> Situation:
    """An action whose files nobody read."""
    return Situation(point=point, actions=actions, now_ms=0, touched=found, outside=outside)
