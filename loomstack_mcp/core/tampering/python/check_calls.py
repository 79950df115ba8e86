"""One Python call → the assertions that it makes, pytest's and unittest's forms alike."""

import ast
from collections.abc import Callable, Iterator

from loomstack_mcp.core.tampering.model import WEIGHTS, Assertion
from loomstack_mcp.core.tampering.python.assertions import asserted, asserted_close
from loomstack_mcp.core.tampering.python.conditions import conditions
from loomstack_mcp.core.tampering.python.names import Values, first_name, last_name
from loomstack_mcp.core.tampering.python.raising import RAISES, raising
from loomstack_mcp.core.tampering.python.spelling import spelling
from loomstack_mcp.core.tampering.python.tolerances import CLOSE_CALLS, tolerance_of

_BINARY: dict[str, Callable[[], ast.cmpop]] = {
    **dict.fromkeys(
        ("assertEqual", "assertEquals", "assertListEqual", "assertDictEqual", "assertSetEqual", "assertTupleEqual"),
        ast.Eq,
    ),
    **dict.fromkeys(("assertSequenceEqual", "assertMultiLineEqual", "assertCountEqual", "assert_equal"), ast.Eq),
    **dict.fromkeys(("assert_array_equal", "assert_frame_equal", "assert_series_equal", "assertHTMLEqual"), ast.Eq),
    **dict.fromkeys(("assertNotEqual", "assertNotEquals", "assert_not_equal"), ast.NotEq),
    "assertIs": ast.Is,
    "assertIsNot": ast.IsNot,
    "assertIn": ast.In,
    "assertNotIn": ast.NotIn,
    "assertGreater": ast.Gt,
    "assertGreaterEqual": ast.GtE,
    "assertLess": ast.Lt,
    "assertLessEqual": ast.LtE,
}
_AGAINST_NONE: dict[str, Callable[[], ast.cmpop]] = {"assertIsNone": ast.Is, "assertIsNotNone": ast.IsNot}
_TRUE = ("assertTrue", "assert_", "assert_true", "failUnless")
_FALSE = ("assertFalse", "assert_false", "failIf")
_ON_ONE = {
    "assertIsInstance": "type",
    "assertNotIsInstance": "type",
    "assertRegex": "in",
    "assertRegexpMatches": "in",
}
_SOUNDS_LIKE_CHECK = ("assert", "expect", "check_", "_check", "verify", "fnmatch_lines", "no_fnmatch_line", "re_match")


def called(call: ast.Call, values: Values) -> Iterator[Assertion]:
    """What a call checks, such as `self.assertEqual(a, b)`; nothing where it does not sound like a check."""
    name, line = last_name(call), call.lineno
    stated = _stated(name, call.args)
    if stated is not None:
        yield from conditions(stated, values, line)
    elif name in _ON_ONE and call.args:
        yield asserted(_ON_ONE[name], call.args, values, line)
    elif name in CLOSE_CALLS and len(call.args) >= 2:
        yield asserted_close(call.args[0], call.args[1], tolerance_of(call, values), values, line)
    elif name in RAISES:
        yield raising(call, values)
    elif name == "fail" and first_name(call) in ("self", "pytest", "cls"):
        yield Assertion(kind="fail", weight=WEIGHTS["fail"], sides=("fail",), line=line)
    elif name.startswith(_SOUNDS_LIKE_CHECK):
        yield Assertion(kind="call", weight=WEIGHTS["call"], sides=(spelling(call, values),), line=line)


def _stated(name: str, args: list[ast.expr]) -> ast.expr | None:
    """The condition that an assertion method states, as `assert` would have it."""
    if name in _BINARY and len(args) >= 2:
        return ast.Compare(left=args[0], ops=[_BINARY[name]()], comparators=[args[1]])
    if not args:
        return None
    if name in _TRUE:
        return args[0]
    if name in _FALSE:
        return ast.UnaryOp(op=ast.Not(), operand=args[0])
    if name in _AGAINST_NONE:
        return ast.Compare(left=args[0], ops=[_AGAINST_NONE[name]()], comparators=[ast.Constant(None)])
    return None
