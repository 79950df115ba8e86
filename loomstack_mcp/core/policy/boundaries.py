"""Imports that cross a boundary: from a lower layer to an upper one, between independent parts, or forbidden."""

from collections.abc import Callable, Iterator, Sequence

from loomstack_mcp.core.policy.rules import Boundaries
from loomstack_mcp.core.policy.violations import Violation
from loomstack_mcp.core.records import record

Covers = Callable[[Sequence[str], str], str]
"""Which of the patterns covers a path, the first of them; "" for none."""
_Key = tuple[str, ...]


@record
class Edge:
    """One import in one file."""

    source_path: str
    line: int
    target: str = ""
    """The path in the repository, also where no file is there (yet); "" where it leads elsewhere."""
    package: str = ""
    """The name as it is written, `requests.adapters`; "" where the import is by relative path."""
    moved_to: str = ""
    """Of an edge before the change: where its file is now, if it moved."""


def crossings(
    boundaries: Boundaries, edges: Sequence[Edge], *, covers: Covers, old: Sequence[Edge] = ()
) -> tuple[Violation, ...]:
    """The imports that cross a boundary; with `only_new`, those that did not cross it in the same way before.

    `old` are the edges of the same files before the change, under their old paths: a file that moves takes
    its crossings along, but what was no crossing in its old layer is new. Each crossing of a file is told
    once, with the first line of it. In layers the first is the top: it may import all below it.
    """
    known = set()
    for edge in old if boundaries.only_new else ():
        known |= {(edge.moved_to or edge.source_path, key) for _, key in _crossed(boundaries, edge, covers)}
    found: dict[tuple[str, _Key], Violation] = {}
    for edge in edges:
        for text, key in _crossed(boundaries, edge, covers):
            if (edge.source_path, key) not in known:
                told = Violation(text=text, path=edge.source_path, line=edge.line)
                found.setdefault((edge.source_path, key), told)
    return tuple(found.values())


def _crossed(boundaries: Boundaries, edge: Edge, covers: Covers) -> Iterator[tuple[str, _Key]]:
    """What is wrong with an import, in words, and as a key that stays the same while it is the same wrong."""
    if edge.target and boundaries.layers:
        yield from _upwards(boundaries, edge, covers)
    if edge.target and boundaries.independent:
        yield from _sideways(boundaries, edge, covers)
    yield from _forbidden(boundaries, edge, covers)


def _upwards(boundaries: Boundaries, edge: Edge, covers: Covers) -> Iterator[tuple[str, _Key]]:
    here, there = (_layer(boundaries, path, covers) for path in (edge.source_path, edge.target))
    if 0 <= there < here:
        yield (
            f"imports {_shown(edge)}, a layer above (layer {here + 1} imports layer {there + 1})",
            ("layers", str(here), str(there), edge.target, edge.package),
        )


def _sideways(boundaries: Boundaries, edge: Edge, covers: Covers) -> Iterator[tuple[str, _Key]]:
    one, other = (covers(boundaries.independent, path) for path in (edge.source_path, edge.target))
    if one and other and one != other:
        yield (
            f"imports {_shown(edge)}: {one} and {other} are independent",
            ("independent", one, other, edge.target, edge.package),
        )


def _forbidden(boundaries: Boundaries, edge: Edge, covers: Covers) -> Iterator[tuple[str, _Key]]:
    for number, forbid in enumerate(boundaries.forbid):
        if (one := covers(forbid.sources, edge.source_path)) and (other := _named(forbid.targets, edge, covers)):
            yield (
                f"imports {_shown(edge)}: {one} may not import {other}",
                ("forbid", str(number), edge.target, edge.package),
            )


def _shown(edge: Edge) -> str:
    return edge.package or edge.target


def _layer(boundaries: Boundaries, path: str, covers: Covers) -> int:
    """From 0, the top; -1 for a path in no layer."""
    return next((number for number, layer in enumerate(boundaries.layers) if covers(layer, path)), -1)


def _named(targets: Sequence[str], edge: Edge, covers: Covers) -> str:
    """The first of the targets that is the imported package, one that holds it, or a pattern over its path."""
    for name in targets:
        if edge.package == name or edge.package.startswith((f"{name}.", f"{name}/")):
            return name
    return covers(targets, edge.target) if edge.target else ""
