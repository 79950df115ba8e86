"""`python -m tests.house [CLONE…]`: print the figures; the status is 0 whatever they are."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests import house
from tests.house.costs import cost_lines, costs
from tests.house.report import shape_json, shape_lines, undocumented_lines, worst_lines
from tests.house.rooms import PLAN, plan_with_rooms
from tests.house.shape import Shape, shape
from tests.house.sources import sources

_ROOT = Path(__file__).parents[2]


def main() -> None:
    """Measure this project, then the checkouts that are named."""
    options = _options()
    if options.rooms:
        PLAN.write_text(plan_with_rooms(PLAN.read_text("utf-8")), encoding="utf-8")
        return
    shapes = {"this project": shape(sources(_ROOT))}
    try:
        shapes |= {path.resolve().name: shape(sources(path, without=options.without)) for path in options.clones}
    except ValueError as error:
        sys.exit(f"house: {error}")
    print("\n".join(_json(shapes, options) if options.json else _lines(shapes, options)))


def _lines(shapes: dict[str, Shape], options: argparse.Namespace) -> Iterator[str]:
    yield from shape_lines(shapes)
    if options.worst is not None:
        yield from ("", *worst_lines(shapes, options.worst))
    if options.undocumented:
        yield from ("", *undocumented_lines(shapes))
    if options.costs:
        yield from ("", *cost_lines(costs()))


def _json(shapes: dict[str, Shape], options: argparse.Namespace) -> Iterator[str]:
    told = {
        name: shape_json(one, worst=options.worst, undocumented=options.undocumented) for name, one in shapes.items()
    }
    entries = {name: asdict(cost) for name, cost in costs().items()} if options.costs else {}
    yield json.dumps({"shapes": told, "entry_points": entries}, indent=1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.house", description=house.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", nargs="*", metavar="CLONE", type=Path, help="the folder of another checkout")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave out the CLONEs' NAME/")
    parser.add_argument("--worst", type=int, metavar="N", help="list the functions above this complexity")
    parser.add_argument("--undocumented", action="store_true", help="list what is public and has no docstring")
    parser.add_argument("--no-costs", dest="costs", action="store_false", help="start no entry point; takes a second")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rooms", action="store_true", help="only write the rooms into ARCHITECTURE.md anew")
    return parser.parse_args()


if __name__ == "__main__":
    main()
