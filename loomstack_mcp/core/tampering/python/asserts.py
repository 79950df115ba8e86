"""One Python condition or assertion call → the assertions that it makes, pytest's and unittest's forms alike."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from loomstack_mcp.core.tampering.model import APPROX_DEFAULT, BROAD_RAISES, MATCH_BONUS, WEIGHTS, Assertion, digest
from loomstack_mcp.core.tampering.python.names import dotted, filled, is_plain, last_name, spelled, truth

Values = Mapping[str, ast.expr]

RAISES = {
    "raises",
    "assertRaises",
    "assertRaisesRegex",
    "assertRaisesRegexp",
    "RaisesGroup",
    "RaisesExc",
    "warns",
    "assertWarns",
    "assertWarnsRegex",
    "deprecated_call",
    "assert_raises",
    "raises_regexp",
}
_BROAD = {"Exception", "BaseException", "Warning"}
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
_ON_ONE = {
    "assertIsInstance": "type",
    "assertNotIsInstance": "type",
    "assertRegex": "in",
    "assertRegexpMatches": "in",
}
_CLOSE = {"assertAlmostEqual", "assertAlmostEquals", "assert_allclose", "assert_almost_equal", "isclose", "allclose"}
_TOLERANCES = {"rel", "abs", "delta", "rel_tol", "abs_tol", "rtol", "atol", "tol"}
_SOUNDS_LIKE_CHECK = ("assert", "expect", "check_", "_check", "verify", "fnmatch_lines", "no_fnmatch_line", "re_match")


def conditions(test: ast.expr, values: Values, line: int) -> Iterator[Assertion]:
    """What `assert test` checks: the parts of an `and` one by one; a dead one where it always holds."""
    if truth(test) is True:
        yield from (_dead(one, "it always holds") for one in _meant(test, values, line))
        return
    match test:
        case ast.BoolOp(op=ast.And(), values=parts):
            for part in parts:
                yield from conditions(part, values, line)
        case ast.NamedExpr(value=value):
            yield from conditions(value, values, line)
        case ast.IfExp(body=first, orelse=second):
            for part in (first, second):
                yield from (replace(one, guarded=True) for one in conditions(part, values, line))
        case ast.Compare(left=left, ops=[_, _, *_] as ops, comparators=rest):
            for first, op, second in zip([left, *rest], ops, rest, strict=False):
                yield from conditions(ast.Compare(left=first, ops=[op], comparators=[second]), values, line)
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner)]):
            yield from conditions(inner, values, line)
        case _:
            yield _condition(test, values, line)


def called(call: ast.Call, values: Values) -> Iterator[Assertion]:
    """What a call checks, such as `self.assertEqual(a, b)`; nothing where it does not sound like a check."""
    name, line = last_name(call), call.lineno
    stated = _stated(name, call.args)
    if stated is not None:
        yield from conditions(stated, values, line)
    elif name in _ON_ONE and call.args:
        yield _one(_ON_ONE[name], call.args, values, line)
    elif name in _CLOSE and len(call.args) >= 2:
        yield _close(call.args[0], call.args[1], _tolerance(call, values), values, line)
    elif name in RAISES:
        yield raising(call, values)
    elif name == "fail" and dotted(call).split(".")[0] in ("self", "pytest", "cls"):
        yield Assertion(kind="fail", weight=WEIGHTS["fail"], sides=("fail",), line=line)
    elif name.startswith(_SOUNDS_LIKE_CHECK):
        yield Assertion(kind="call", weight=WEIGHTS["call"], sides=(spelled(call, values),), line=line)


def _stated(name: str, args: list[ast.expr]) -> ast.expr | None:
    """The condition that an assertion method states, as `assert` would have it."""
    if name in _BINARY and len(args) >= 2:
        return ast.Compare(left=args[0], ops=[_BINARY[name]()], comparators=[args[1]])
    if name in ("assertTrue", "assert_", "assert_true", "failUnless") and args:
        return args[0]
    if name in ("assertFalse", "assert_false", "failIf") and args:
        return ast.UnaryOp(op=ast.Not(), operand=args[0])
    if name in ("assertIsNone", "assertIsNotNone") and args:
        op = ast.Is() if name == "assertIsNone" else ast.IsNot()
        return ast.Compare(left=args[0], ops=[op], comparators=[ast.Constant(None)])
    return None


def raising(call: ast.Call, values: Values, body: str = "") -> Assertion:
    """`pytest.raises(E, match=…)` and its like; `body` is what is to raise."""
    exceptions = call.args[0].elts if call.args and isinstance(call.args[0], ast.Tuple) else call.args[:1]
    names = sorted(dotted(one).removeprefix("builtins.") or spelled(one, values) for one in exceptions)
    if last_name(call) == "deprecated_call":
        names = ["DeprecationWarning"]
    weight = BROAD_RAISES if _BROAD & set(names) or (not names and not call.keywords) else WEIGHTS["raises"]
    pattern = next((one.value for one in call.keywords if one.arg in ("match", "expected_regex")), None)
    if "egex" in last_name(call) and len(call.args) > 1:
        pattern = call.args[1]
    if not body and len(call.args) > 1 and pattern is None:
        body = f"{spelled(call.args[1], values)}({', '.join(spelled(one, values) for one in call.args[2:])})"
    told = digest(f"{names} {spelled(pattern, values) if pattern else ''}")
    return Assertion(
        kind="raises",
        weight=weight + (MATCH_BONUS if pattern else 0),
        sides=(body,),
        expected=told,
        line=call.lineno,
    )


def _condition(test: ast.expr, values: Values, line: int) -> Assertion:
    match _stands_for(test, values):
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _negated(_stands_for(operand, values), values, line)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _comparison(left, op, right, values, line)
        case ast.BoolOp(op=ast.Or(), values=[_, *_] as parts):
            inner = [next(conditions(part, values, line)) for part in parts]
            weight = min(WEIGHTS["in"], *(one.weight for one in inner))
            told = digest(" or ".join(spelled(part, values) for part in parts))
            return Assertion(kind="in", weight=weight, sides=inner[0].sides, expected=told, line=line)
        case ast.Call(args=args) as call if args:
            return _condition_call(call, args, values, line)
        case ast.Await(value=value):
            return _condition(value, values, line)
    return _truthy(test, values, line)


def _stands_for(node: ast.expr, values: Values) -> ast.expr:
    """A name for a comparison is that comparison."""
    behind = values.get(node.id) if isinstance(node, ast.Name) else None
    return behind if isinstance(behind, ast.Compare) else node


def _condition_call(call: ast.Call, args: list[ast.expr], values: Values, line: int) -> Assertion:
    name = last_name(call)
    if name in ("isinstance", "issubclass"):
        return _one("type", args, values, line)
    if name in _CLOSE and len(args) >= 2:
        return _close(args[0], args[1], _tolerance(call, values), values, line)
    if name in ("array_equal", "equals") and isinstance(call.func, ast.Attribute):
        both = args if len(args) > 1 else [call.func.value, args[0]]
        return _comparison(both[0], ast.Eq(), both[1], values, line)
    if name in ("startswith", "endswith", "issubset", "issuperset") and isinstance(call.func, ast.Attribute):
        return _one("in", [call.func.value, args[0]], values, line)
    if name in ("match", "search", "fullmatch") and len(args) >= 2 and isinstance(call.func, ast.Attribute):
        return _one("in", [args[1], args[0]], values, line)
    if name == "any" and isinstance(args[0], ast.GeneratorExp | ast.ListComp):
        return _one("in", [args[0].generators[0].iter, args[0].elt], values, line)
    return _truthy(call, values, line)


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, values: Values, line: int) -> Assertion:
    left, right = _value(left, values), _value(right, values)
    if is_plain(left) and not is_plain(right) and isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        left, right = right, left
    match op, right:
        case ast.IsNot() | ast.NotEq(), ast.Constant(value=None):
            return _one("truthy", [left], values, line)
        case ast.Eq() | ast.Is() | ast.NotEq() | ast.IsNot(), ast.Constant(value=True | False as wanted):
            return _truth(left, (wanted is True) == isinstance(op, ast.Eq | ast.Is), values, line)
        case ast.Eq() | ast.Is(), _ if isinstance(left, ast.Call) and last_name(left) == "type" and left.args:
            return _one("type", [left.args[0], right], values, line)
        case ast.Eq() | ast.Is(), _:
            return _equal(left, right, values, line)
        case ast.NotEq() | ast.IsNot(), _:
            return _one("ne", [left, right], values, line)
        case ast.In() | ast.NotIn(), _:
            container, item = (left, right) if is_plain(right) else (right, left)
            return _one("in" if isinstance(op, ast.In) else "ne", [container, item], values, line)
        case ast.Lt() | ast.LtE(), ast.Constant(value=int() | float() as bound) if last_name(left) == "abs":
            match left:
                case ast.Call(args=[ast.BinOp(left=first, op=ast.Sub(), right=second)]):
                    return _close(first, second, float(bound), values, line)
    told = digest(f"{type(op).__name__} {spelled(right, values)}")
    return Assertion(kind="order", weight=WEIGHTS["order"], sides=(spelled(left, values),), expected=told, line=line)


def _truth(left: ast.expr, holds: bool, values: Values, line: int) -> Assertion:
    stated = _stands_for(left, values)
    if isinstance(stated, ast.Compare):
        return _condition(stated, values, line) if holds else _negated(stated, values, line)
    return _one("truthy" if holds else "falsy", [left], values, line)


def _value(node: ast.expr, values: Values) -> ast.expr:
    """A name that stands for a plain value is that value."""
    behind = values.get(node.id) if isinstance(node, ast.Name) else None
    return behind if behind is not None and is_plain(behind) else node


def _equal(left: ast.expr, right: ast.expr, values: Values, line: int) -> Assertion:
    for one, other in ((left, right), (right, left)):
        if isinstance(other, ast.Call) and last_name(other) == "approx" and other.args:
            return _close(one, other.args[0], _tolerance(other, values), values, line)
        match one:
            case ast.Call(func=ast.Name(id="round"), args=[rounded, *digits]):
                places = digits[0].value if digits and isinstance(digits[0], ast.Constant) else 0
                tolerance = 0.5 * 10.0**-places if isinstance(places, int) and abs(places) < 50 else 0.0
                return _close(rounded, other, tolerance, values, line)
    empty = is_plain(right) and truth(right) is False
    aliases = spelled(left, _aliases(values)) == spelled(right, _aliases(values))
    found = _one("eq", [left, right], values, line, empty=empty)
    return _dead(found, "it compares a thing with itself") if aliases and not _calls(left) else found


def _negated(operand: ast.expr, values: Values, line: int) -> Assertion:
    match operand:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _condition(inner, values, line)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPPOSITES:
            return _comparison(left, _OPPOSITES[type(op)](), right, values, line)
    return _one("falsy", [operand], values, line)


_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _truthy(test: ast.expr, values: Values, line: int) -> Assertion:
    found = _one("truthy", [test], values, line)
    behind = values.get(test.id) if isinstance(test, ast.Name) else None
    always = behind is not None and isinstance(behind, ast.Constant) and bool(behind.value)
    return _dead(found, "it always holds") if always else found


def _one(kind: str, args: list[ast.expr], values: Values, line: int, *, empty: bool = False) -> Assertion:
    subject, *rest = args[:2]
    texts = [spelled(one, values) for one in rest]
    plain = not rest or is_plain(rest[0]) or kind != "eq"
    return Assertion(
        kind=kind,
        weight=WEIGHTS[kind],
        sides=(spelled(subject, values),) if plain else (spelled(subject, values), *texts),
        expected=digest(texts[0]) if plain and texts else "",
        empty=empty,
        line=line,
    )


def _close(left: ast.expr, right: ast.expr, tolerance: float, values: Values, line: int) -> Assertion:
    if is_plain(left) and not is_plain(right):
        left, right = right, left
    found = _one("eq", [left, right], values, line)
    return Assertion(
        kind="approx",
        weight=WEIGHTS["approx"],
        sides=found.sides,
        expected=found.expected,
        tolerance=tolerance,
        line=line,
    )


def _tolerance(call: ast.Call, values: Values) -> float:
    """The widest that is given; the usual one where none is, or where it is not a plain number."""
    given = [_number(filled(one.value, values)) for one in call.keywords if one.arg in _TOLERANCES]
    name = last_name(call)
    if name == "approx":
        given += [_number(filled(one, values)) for one in call.args[1:3]]
    if name.startswith(("assertAlmost", "assert_almost")):
        places = [one.value for one in call.keywords if one.arg in ("places", "decimal")] + call.args[2:3]
        given += [0.5 * 10.0 ** -min(max(_number(filled(one, values)), -50), 50) for one in places] or (
            [] if given else [5e-8]
        )
    return max((one for one in given), default=APPROX_DEFAULT)


def _number(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.BinOp(left=left, op=op, right=right):
            first, second = _number(left), _number(right)
            match op:
                case ast.Mult():
                    return first * second
                case ast.Div() if second:
                    return first / second
                case ast.Pow() if abs(second) <= 50 and 0 < first <= 1_000:
                    return float(first**second)
    return 0.0


def _meant(test: ast.expr, values: Values, line: int) -> Iterator[Assertion]:
    """Of an assertion that always holds, what it would have checked: the parts that are not constant."""
    parts = test.values if isinstance(test, ast.BoolOp) else test.elts[:1] if isinstance(test, ast.Tuple) else [test]
    meant = [part for part in parts if truth(part) is None] or parts[:1]
    yield from (_condition(part, values, line) for part in meant)


def _dead(found: Assertion, why: str) -> Assertion:
    return Assertion(kind=found.kind, weight=0, sides=found.sides, expected=found.expected, line=found.line, dead=why)


def _aliases(values: Values) -> dict[str, ast.expr]:
    return {name: value for name, value in values.items() if isinstance(value, ast.Name | ast.Attribute)}


def _calls(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))
