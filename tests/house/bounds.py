"""What the code must reach, figure by figure; `tests/test_house.py` and the report read it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.house.shape import COMPLEX, Shape, percentile

FILE_LINES_MAX = 350
COMPLEXITY_MAX = 20
GIT_MAX: Mapping[str, int] = {
    "loomstack-mcp serve, initialize": 1,
    "loomstack-hook claude, Edit": 0,
    "loomstack-hook codex, apply_patch": 0,
    "loomstack-hook claude, a free Edit": 0,
    "loomstack-hook codex, a free apply_patch": 0,
    "loomstack-hook claude, a file's first Edit": 0,
    "loomstack-hook claude, a call of ours": 0,
    "loomstack-hook claude, SessionStart": 4,
    "loomstack-hook claude, Stop": 4,
    "loomstack-hook claude, SessionEnd": 0,
    "loomstack-hook claude, a prompt": 0,
    "loomstack-hook git, prepare-commit-msg": 0,
    "loomstack-hook git, post-commit": 2,
    "loomstack-hook git, post-checkout": 0,
    "loomstack-hook git, pre-commit": 12,
    "loomstack-mcp runs": 2,
    "loomstack-mcp gate --base --head": 15,
}
"""The git processes that an entry point may start."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the report, and the bound that this project holds there."""

    value: Callable[[Shape], float]
    most: float | None = None
    least: float | None = None
    digits: int = 0

    def holds(self, shape: Shape) -> bool:
        """Whether the value lies within the bound, the bound itself included."""
        value = self.value(shape)
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def bound(self) -> str:
        """The bound in words of the report; "" for none."""
        return next(
            (f"{sign} {bound:.{self.digits}f}" for sign, bound in (("≤", self.most), ("≥", self.least)) if bound), ""
        )


def _function_lines(shape: Shape) -> list[int]:
    return [function.lines for function in shape.functions]


FIGURES: Mapping[str, Figure] = {
    "modules": Figure(value=lambda shape: len(shape.module_lines)),
    "module lines, median": Figure(value=lambda shape: percentile(shape.module_lines, 50), most=90),
    "module lines, p90": Figure(value=lambda shape: percentile(shape.module_lines, 90), most=200),
    "module lines, max": Figure(value=lambda shape: max(shape.module_lines), most=FILE_LINES_MAX),
    "functions": Figure(value=lambda shape: len(shape.functions)),
    "function lines, median": Figure(value=lambda shape: percentile(_function_lines(shape), 50), most=8),
    "function lines, p95": Figure(value=lambda shape: percentile(_function_lines(shape), 95), most=25),
    "function lines, max": Figure(value=lambda shape: max(_function_lines(shape))),
    f"complexity above {COMPLEX}, functions": Figure(value=lambda shape: len(shape.above(COMPLEX))),
    f"complexity above {COMPLEX}, in 1,000": Figure(value=lambda shape: shape.complex_per_1000, most=25, digits=1),
    "complexity, max": Figure(
        value=lambda shape: max(function.complexity for function in shape.functions), most=COMPLEXITY_MAX
    ),
    "public things": Figure(value=lambda shape: len(shape.public)),
    "public with a docstring, %": Figure(value=lambda shape: 100 * shape.documented, least=90, digits=1),
    "lines of code": Figure(value=lambda shape: shape.code_lines),
    "lines of tests": Figure(value=lambda shape: shape.test_lines),
    "tests : code": Figure(value=lambda shape: shape.tests_to_code, least=0.8, digits=2),
}
