"""Shapes as tables for people and as JSON for programs."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from tests.house.bounds import FIGURES
from tests.house.shape import Shape

_NAME_WIDE, _WIDE = 34, 15
_MARKS = {True: " ", False: "✘"}


def shape_lines(shapes: Mapping[str, Shape]) -> Iterator[str]:
    """A line for each figure: its bound, then each checkout's value, marked where it lies outside."""
    yield "".join(["".ljust(_NAME_WIDE), "bound".rjust(_WIDE), *(f"{name:>{_WIDE}}  " for name in shapes)]).rstrip()
    for name, figure in FIGURES.items():
        cells = [
            f"{figure.value(one):>{_WIDE},.{figure.digits}f} {_MARKS[figure.holds(one)]}" for one in shapes.values()
        ]
        yield "".join([name.ljust(_NAME_WIDE), figure.bound().rjust(_WIDE), *cells]).rstrip()


def worst_lines(shapes: Mapping[str, Shape], complexity: int) -> Iterator[str]:
    """The functions above a complexity, checkout by checkout."""
    for name, one in shapes.items():
        found = one.above(complexity)
        yield f"{name}: {len(found)} of {len(one.functions):,} functions above {complexity}"
        yield from (f"{function.complexity:>6}  {function.at}" for function in found)


def undocumented_lines(shapes: Mapping[str, Shape]) -> Iterator[str]:
    """What is public and has no docstring, checkout by checkout."""
    for name, one in shapes.items():
        yield f"{name}: {len(one.undocumented)} of {len(one.public):,} public things without a docstring"
        yield from (f"        {thing}" for thing in one.undocumented)


def shape_json(shape: Shape, *, worst: int | None, undocumented: bool) -> dict[str, object]:
    """The figures by name, and the lists that were asked for."""
    body: dict[str, object] = {name: round(figure.value(shape), 2) for name, figure in FIGURES.items()}
    if worst is not None:
        body["worst"] = [asdict(function) for function in shape.above(worst)]
    if undocumented:
        body["undocumented"] = list(shape.undocumented)
    return body
