"""The facts before an agent acts that need no parser: of an edit, of another server's tool, of a deployment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loomstack_mcp.adapters.policy.touched_paths import FolderLooks, touched
from loomstack_mcp.core.policy.digests import UNKEPT, UNSAID, bound, lines_shown
from loomstack_mcp.core.policy.rules import ActionKind, Point
from loomstack_mcp.core.policy.situation import Situation, Touched


def edit(
    root: Path, cwd: Path, paths: Sequence[str], *, point: Point, wide: Sequence[str] = (), content: str = ""
) -> Situation:
    """An edit of these files, as a client names them, and of all below the `wide` ones.

    `content` is what will stand there, in the client's own form: an approval holds for that alone.
    """
    found, outside = touched(root, cwd, [*((path, False) for path in paths), *((path, True) for path in wide)])
    named = found if paths or wide else None
    before = replace(early_situation(point, frozenset({"edit"}), named, outside), looks=FolderLooks(root))
    listed = [f"edit {path}" for path in (*paths, *(f"{path}/**" for path in wide))]
    return bound(before, content, shown=(*listed, UNKEPT if content else UNSAID))


def tool(name: str, *, point: Point, content: str = "") -> Situation:
    """A call of another server's tool; `content` are its arguments, in the client's own form."""
    before = replace(early_situation(point, frozenset({"tool"}), (), ()), tool=name)
    return bound(before, content, shown=(f"call {name}", *(lines_shown(content) or [UNSAID])))


def deploy(environment: str, *, point: Point, commit: str = "") -> Situation:
    """A deployment of a commit; where it goes is None when it was not said."""
    before = replace(early_situation(point, frozenset({"deploy"}), None, ()), environment=environment or None)
    return bound(before, commit, shown=(f"deploy {commit[:12]} to {environment or 'nobody said where'}",))


def early_situation(
    point: Point,
    actions: frozenset[ActionKind],
    found: tuple[Touched, ...] | None,
    outside: tuple[str, ...],
) -> Situation:
    """An action whose files nobody read."""
    return Situation(point=point, actions=actions, now_ms=0, touched=found, outside=outside)
