"""How far a value may be from the expected one, as `approx`, `assertAlmostEqual` and their like are told."""

import ast

from loomstack_mcp.core.tampering.model import APPROX_DEFAULT
from loomstack_mcp.core.tampering.python.names import Values, last_name
from loomstack_mcp.core.tampering.python.spelling import filled

CLOSE_CALLS = {
    "assertAlmostEqual",
    "assertAlmostEquals",
    "assert_allclose",
    "assert_almost_equal",
    "isclose",
    "allclose",
}
_TOLERANCES = {"rel", "abs", "delta", "rel_tol", "abs_tol", "rtol", "atol", "tol"}
_PLACES_MAX = 50
"""Digits and exponents beyond these are not computed: `10.0**309` raises OverflowError."""
_BASE_MAX = 1_000
_SEVEN_PLACES = 5e-8
"""What `assertAlmostEqual` allows when nothing is said: the difference, rounded to 7 places, is 0."""


def tolerance_of(call: ast.Call, values: Values) -> float:
    """The widest that is given; the usual one where none is, or where it is not a plain number."""
    widths = [_number(filled(one.value, values)) for one in call.keywords if one.arg in _TOLERANCES]
    name = last_name(call)
    if name == "approx":
        widths += [_number(filled(one, values)) for one in call.args[1:3]]
    if name.startswith(("assertAlmost", "assert_almost")):
        widths += _widths_of_places(call, values) or ([] if widths else [_SEVEN_PLACES])
    return max(widths, default=APPROX_DEFAULT)


def tolerance_of_rounding(digits: list[ast.expr]) -> float:
    """Half of the last digit that `round(x, digits)` keeps; 0 where that is not a plain number."""
    places = digits[0].value if digits and isinstance(digits[0], ast.Constant) else 0
    return 0.5 * 10.0**-places if isinstance(places, int) and abs(places) < _PLACES_MAX else 0.0


def _widths_of_places(call: ast.Call, values: Values) -> list[float]:
    places = [one.value for one in call.keywords if one.arg in ("places", "decimal")] + call.args[2:3]
    numbers = [_number(filled(one, values)) for one in places]
    return [0.5 * 10.0 ** -min(max(number, -_PLACES_MAX), _PLACES_MAX) for number in numbers]


def _number(node: ast.expr) -> float:
    """What an expression of numbers comes to; 0 where it is none."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _computed(_number(left), op, _number(right))
    return 0.0


def _computed(first: float, op: ast.operator, second: float) -> float:
    match op:
        case ast.Mult():
            return first * second
        case ast.Div() if second:
            return first / second
        case ast.Pow() if abs(second) <= _PLACES_MAX and 0 < first <= _BASE_MAX:
            return float(first**second)
    return 0.0
