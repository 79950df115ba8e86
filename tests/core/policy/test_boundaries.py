"""Which imports cross a boundary, as pure decisions over edges."""

from collections.abc import Sequence

import pytest

from loomstack_mcp.core.policy.boundaries import Edge, crossings
from loomstack_mcp.core.policy.rules import Boundaries, Forbid
from loomstack_mcp.core.policy.violations import Violation

LAYERED = Boundaries(layers=(("/src/api/**", "/web/api/**"), ("/src/services/**",), ("/src/domain/**", "/old/**")))


def covers(patterns: Sequence[str], path: str) -> str:
    """A stand-in: `/folder/**` covers what is below it, a bare name a folder or file of that name."""
    for pattern in patterns:
        below = pattern.startswith("/") and path.startswith(pattern[1:].removesuffix("**"))
        if below or pattern in path.split("/"):
            return pattern
    return ""


def edge(source: str, target: str = "", *, package: str = "", line: int = 1, moved_to: str = "") -> Edge:
    return Edge(source_path=source, line=line, target=target, package=package, moved_to=moved_to)


def told(boundaries: Boundaries, *edges: Edge, old: Sequence[Edge] = ()) -> list[tuple[str, int]]:
    return [(found.path, found.line) for found in crossings(boundaries, edges, covers=covers, old=old)]


def test_a_lower_layer_may_not_import_an_upper_one() -> None:
    up = edge("src/domain/m.py", "src/api/h.py", package="src.api.h", line=7)

    assert crossings(LAYERED, [up], covers=covers) == (
        Violation(text="imports src.api.h, a layer above (layer 3 imports layer 1)", path="src/domain/m.py", line=7),
    )


@pytest.mark.parametrize(
    "fine",
    [
        edge("src/api/h.py", "src/domain/m.py"),
        edge("src/domain/m.py", "src/domain/n.py"),
        edge("src/domain/m.py", "tools/x.py"),
        edge("tools/x.py", "src/api/h.py"),
        edge("src/domain/m.py", package="src.api.h"),
    ],
)
def test_downwards_within_a_layer_and_outside_of_the_layers_all_is_fine(fine: Edge) -> None:
    assert told(LAYERED, fine) == []


def test_independent_parts_import_neither_way_but_themselves() -> None:
    apart = Boundaries(independent=("/src/billing/**", "/src/shipping/**"))
    there = edge("src/billing/a.py", "src/shipping/b.py", line=1)
    back = edge("src/shipping/b.py", "src/billing/a.py", line=2)
    own = edge("src/billing/a.py", "src/billing/c.py", line=3)

    assert told(apart, there, back, own) == [("src/billing/a.py", 1), ("src/shipping/b.py", 2)]


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [("requests", True), ("requests.adapters", True), ("requests_oauth", False), ("@aws/s3", True), ("other", False)],
)
def test_a_forbidden_package_is_it_and_what_is_in_it(package: str, forbidden: bool) -> None:
    rule = Boundaries(forbid=(Forbid(sources=("/src/domain/**",), targets=("requests", "@aws")),))

    assert bool(told(rule, edge("src/domain/m.py", package=package))) == forbidden


def test_a_forbidden_path_is_forbidden_from_there_alone() -> None:
    rule = Boundaries(forbid=(Forbid(sources=("/src/**",), targets=("/legacy/**",)),))

    assert told(rule, edge("src/a.py", "legacy/b.py"), edge("tools/a.py", "legacy/b.py")) == [("src/a.py", 1)]


def test_a_crossing_is_told_once_a_file_with_its_first_line() -> None:
    edges = [edge("src/domain/m.py", "src/api/h.py", line=line) for line in (3, 9)]

    assert told(LAYERED, *edges) == [("src/domain/m.py", 3)]


def test_what_crossed_before_is_not_held_against_a_change() -> None:
    crossing = edge("src/domain/m.py", "src/api/h.py")

    assert told(LAYERED, crossing, old=[crossing]) == []
    assert told(Boundaries(layers=LAYERED.layers, only_new=False), crossing, old=[crossing]) == [("src/domain/m.py", 1)]


def test_an_old_crossing_of_one_file_does_not_excuse_another() -> None:
    old = edge("src/domain/m.py", "src/api/h.py")

    assert told(LAYERED, edge("src/domain/n.py", "src/api/h.py"), old=[old]) == [("src/domain/n.py", 1)]


def test_a_file_that_moves_to_a_lower_layer_brings_new_crossings() -> None:
    old = edge("src/api/m.py", "src/api/h.py", moved_to="src/domain/m.py")

    assert told(LAYERED, edge("src/domain/m.py", "src/api/h.py"), old=[old]) == [("src/domain/m.py", 1)]


def test_a_file_that_moves_within_its_layer_takes_its_crossings_along() -> None:
    old = edge("old/m.py", "src/api/h.py", moved_to="src/domain/m.py")

    assert told(LAYERED, edge("src/domain/m.py", "src/api/h.py"), old=[old]) == []
