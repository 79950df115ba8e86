"""What each entry point costs: the git processes it starts, the modules it loads."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.house.bounds import GIT_MAX
from tests.house.entries import ENTRIES
from tests.house.scene import SMALL, scene


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one entry point."""

    git: int
    """Processes at the first start in a repository."""
    git_different: int
    """Those among them that were called in different ways."""
    git_again: int
    """Processes at the second start, when whatever is kept has been kept."""
    modules: int
    ours: int
    """The modules of this package among them."""


def costs() -> dict[str, Cost]:
    """Each entry point, really started twice in a small scene."""
    with tempfile.TemporaryDirectory(prefix="loomstack-house-") as home:
        place = scene(Path(home), SMALL)
        first = {name: start(place) for name, start in ENTRIES.items()}
        again = {name: start(place) for name, start in ENTRIES.items()}
    return {
        name: Cost(
            git=len(one.git),
            git_different=len(one.questions),
            git_again=len(again[name].git),
            modules=len(one.modules),
            ours=len(one.ours),
        )
        for name, one in first.items()
    }


def cost_lines(found: Mapping[str, Cost]) -> list[str]:
    """A table, a line each; the bound is that of the first start's git processes."""
    wide = max(map(len, found))
    lines = ["  ".join(["entry point".ljust(wide), "bound", *Cost.__dataclass_fields__])]
    for name, cost in found.items():
        bound = f"≤ {GIT_MAX[name]}" if name in GIT_MAX else ""
        cells = [str(value).rjust(len(head)) for head, value in asdict(cost).items()]
        lines.append("  ".join([name.ljust(wide), bound.rjust(len("bound")), *cells]))
    return lines
