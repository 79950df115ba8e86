"""What a comparison of two Python expressions asserts, and what one asserts that must not hold."""

import ast

from loomstack_mcp.core.tampering.model import WEIGHTS, Assertion, digest
from loomstack_mcp.core.tampering.python.assertions import (
    asserted,
    asserted_close,
    asserted_true,
    comparison_behind,
    dead,
    value_behind,
)
from loomstack_mcp.core.tampering.python.names import Values, last_name
from loomstack_mcp.core.tampering.python.spelling import is_plain, spelling
from loomstack_mcp.core.tampering.python.tolerances import tolerance_of, tolerance_of_rounding
from loomstack_mcp.core.tampering.python.truth import has_call, truth

_SYMMETRIC = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
# Not `<` and `>=`: of what is not a number, or NaN, neither may hold.


def compared(left: ast.expr, op: ast.cmpop, right: ast.expr, values: Values, line: int) -> Assertion:
    """What `assert left op right` checks, the plain value on the right if one side is plain."""
    left, right = _plain_value(left, values), _plain_value(right, values)
    if isinstance(op, _SYMMETRIC) and is_plain(left) and not is_plain(right):
        left, right = right, left
    match op:
        case ast.Eq() | ast.Is():
            return _same(left, right, values, line)
        case ast.NotEq() | ast.IsNot():
            return _different(left, right, values, line)
        case ast.In() | ast.NotIn():
            container, item = (left, right) if is_plain(right) else (right, left)
            return asserted("in" if isinstance(op, ast.In) else "ne", [container, item], values, line)
        case ast.Lt() | ast.LtE():
            distance = _distance(left, right, values, line)
            if distance is not None:
                return distance
    told = digest(f"{type(op).__name__} {spelling(right, values)}")
    return Assertion(kind="order", weight=WEIGHTS["order"], sides=(spelling(left, values),), expected=told, line=line)


def refuted(operand: ast.expr, values: Values, line: int) -> Assertion:
    """What `assert not operand` checks."""
    match operand:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPPOSITES:
            return compared(left, _OPPOSITES[type(op)](), right, values, line)
    return asserted("falsy", [operand], values, line)


def _plain_value(node: ast.expr, values: Values) -> ast.expr:
    """A name that stands for a plain value is that value."""
    behind = value_behind(node, values)
    return behind if behind is not None and is_plain(behind) else node


def _same(left: ast.expr, right: ast.expr, values: Values, line: int) -> Assertion:
    match right:
        case ast.Constant(value=True | False as wanted):
            return _true_or_not(left, wanted is True, values, line)
    match left:
        case ast.Call(args=[subject, *_]) if last_name(left) == "type":
            return asserted("type", [subject, right], values, line)
    return _equal(left, right, values, line)


def _different(left: ast.expr, right: ast.expr, values: Values, line: int) -> Assertion:
    match right:
        case ast.Constant(value=None):
            return asserted("truthy", [left], values, line)
        case ast.Constant(value=True | False as unwanted):
            return _true_or_not(left, unwanted is not True, values, line)
    return asserted("ne", [left, right], values, line)


def _true_or_not(left: ast.expr, holds: bool, values: Values, line: int) -> Assertion:
    """`left is True` and its like; of a name for a comparison that is what the comparison says."""
    match comparison_behind(left, values):
        case ast.Compare(left=first, ops=[op], comparators=[second]) if holds:
            return compared(first, op, second, values, line)
        case ast.Compare() as chain if holds:
            return asserted_true(chain, values, line)
        case ast.Compare() as comparison:
            return refuted(comparison, values, line)
    return asserted("truthy" if holds else "falsy", [left], values, line)


def _distance(left: ast.expr, right: ast.expr, values: Values, line: int) -> Assertion | None:
    """Of `abs(a - b) < 0.1` that the two are close; None for anything else."""
    match left, right:
        case ast.Call(args=[ast.BinOp(left=first, op=ast.Sub(), right=second)]), ast.Constant(
            value=int() | float() as bound
        ) if last_name(left) == "abs":
            return asserted_close(first, second, float(bound), values, line)
    return None


def _equal(left: ast.expr, right: ast.expr, values: Values, line: int) -> Assertion:
    for one, other in ((left, right), (right, left)):
        close = _nearly_equal(one, other, values, line)
        if close is not None:
            return close
    empty = is_plain(right) and truth(right) is False
    found = asserted("eq", [left, right], values, line, empty=empty)
    aliases = {name: value for name, value in values.items() if isinstance(value, ast.Name | ast.Attribute)}
    itself = spelling(left, aliases) == spelling(right, aliases)
    return dead(found, "it compares a thing with itself") if itself and not has_call(left) else found


def _nearly_equal(one: ast.expr, other: ast.expr, values: Values, line: int) -> Assertion | None:
    """Of `one == approx(other)` and `round(one) == other` that the two are close; None for anything else."""
    match other:
        case ast.Call(args=[expected, *_]) if last_name(other) == "approx":
            return asserted_close(one, expected, tolerance_of(other, values), values, line)
    match one:
        case ast.Call(func=ast.Name(id="round"), args=[rounded, *digits]):
            return asserted_close(rounded, other, tolerance_of_rounding(digits), values, line)
    return None
