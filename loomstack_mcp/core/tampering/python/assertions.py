"""Single assertions made of Python expressions."""

import ast
from collections.abc import Sequence

from loomstack_mcp.core.tampering.model import WEIGHTS, Assertion, digest
from loomstack_mcp.core.tampering.python.names import Values
from loomstack_mcp.core.tampering.python.spelling import is_plain, spelling


def asserted(kind: str, operands: Sequence[ast.expr], values: Values, line: int, *, empty: bool = False) -> Assertion:
    """That the first operand is what the second says, as the kind has it; without a second one that it is true or not.

    An equality of two things of which neither is plain has two sides, so that they may change places.
    """
    subject, *rest = operands[:2]
    texts = [spelling(one, values) for one in rest]
    plain = not rest or is_plain(rest[0]) or kind != "eq"
    return Assertion(
        kind=kind,
        weight=WEIGHTS[kind],
        sides=(spelling(subject, values),) if plain else (spelling(subject, values), *texts),
        expected=digest(texts[0]) if plain and texts else "",
        empty=empty,
        line=line,
    )


def asserted_close(left: ast.expr, right: ast.expr, tolerance: float, values: Values, line: int) -> Assertion:
    """That the two differ by no more than the tolerance."""
    if is_plain(left) and not is_plain(right):
        left, right = right, left
    exact = asserted("eq", [left, right], values, line)
    return Assertion(
        kind="approx",
        weight=WEIGHTS["approx"],
        sides=exact.sides,
        expected=exact.expected,
        tolerance=tolerance,
        line=line,
    )


def asserted_true(test: ast.expr, values: Values, line: int) -> Assertion:
    """That the expression is true; dead where its name stands for a constant that is."""
    found = asserted("truthy", [test], values, line)
    behind = value_behind(test, values)
    always = isinstance(behind, ast.Constant) and bool(behind.value)
    return dead(found, "it always holds") if always else found


def dead(assertion: Assertion, why: str) -> Assertion:
    """The same, which can never fail."""
    return Assertion(
        kind=assertion.kind,
        weight=0,
        sides=assertion.sides,
        expected=assertion.expected,
        line=assertion.line,
        dead=why,
    )


def value_behind(node: ast.expr, values: Values) -> ast.expr | None:
    """What a name stands for; None where it is no name, or a name for nothing that is known."""
    return values.get(node.id) if isinstance(node, ast.Name) else None


def comparison_behind(node: ast.expr, values: Values) -> ast.expr:
    """A name for a comparison is that comparison; anything else is itself."""
    behind = value_behind(node, values)
    return behind if isinstance(behind, ast.Compare) else node
