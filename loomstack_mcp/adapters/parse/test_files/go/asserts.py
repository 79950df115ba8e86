"""What one condition or call of a Go test asserts: `if got != want`, and testify's functions."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import line_of, text_of
from loomstack_mcp.adapters.parse.test_files.asserting import NodeScope, assertion, kinds_by_name
from loomstack_mcp.adapters.parse.test_files.go.syntax import arguments_of
from loomstack_mcp.adapters.parse.test_files.spelling import spelled
from loomstack_mcp.core.tampering.model import BROAD_RAISES, MATCH_BONUS, WEIGHTS, Assertion

NEVER = "its condition is never true"

_NAMES = {
    "eq": "Equal EqualValues Exactly Same JSONEq YAMLEq ElementsMatch Len Empty Zero Nil DeepEqual",
    "raises": "ErrorIs ErrorAs ErrorContains EqualError Panics PanicsWithValue PanicsWithError Error",
    "approx": "InDelta InEpsilon InDeltaSlice",
    "in": "Contains Subset Regexp HasPrefix HasSuffix",
    "ne": "NotEqual NotContains NotSame NotRegexp",
    "type": "IsType Implements",
    "order": "Greater GreaterOrEqual Less LessOrEqual Positive Negative WithinDuration",
    "truthy": "NotNil NotEmpty NotZero True",
    "falsy": "False",
}
_KINDS = kinds_by_name(_NAMES)
_EXPECTED_FIRST = {
    *("Equal", "EqualValues", "Exactly", "Same", "NotEqual", "JSONEq", "YAMLEq"),
    *("InDelta", "InEpsilon", "IsType"),
}
"""Testify's functions that take what is expected before what is found."""
_EXPECTED = {
    "Nil": "nil",
    "Empty": '""',
    "Zero": '""',
    **dict.fromkeys(("True", "False", "NotNil", "NotEmpty", "NotZero", "Error"), ""),
}
"""What a name says itself of the value; the argument after the subject is then a message."""
_WEIGHTS = {"Error": BROAD_RAISES, **dict.fromkeys(("EqualError", "ErrorContains"), WEIGHTS["raises"] + MATCH_BONUS)}
_OWNERS = {"require", "assert", "is", "qt", "s.Require()", "s", "suite", "c"}
_TESTERS = {"t", "tt", "tb", "s.T()", "c"}
_TURNED = {"!=": "eq", "==": "ne"}
_NEGATED = {
    "DeepEqual": "eq",
    "Equal": "eq",
    "EqualFold": "eq",
    "Contains": "in",
    "HasPrefix": "in",
    "HasSuffix": "in",
    "MatchString": "in",
    "Is": "raises",
    "As": "raises",
}
"""What `if !f(a, b) { t.Error() }` asserts, by the function's name."""


def is_testify(function: str) -> bool:
    """Whether it is one of testify's assertions, or of those that look alike, by its name as called."""
    owner, _, name = function.rpartition(".")
    return owner in _OWNERS and (name.removesuffix("f") in _KINDS or name.startswith("NoError"))


def testify(call: Node, function: str, scope: NodeScope) -> Assertion:
    """The assertion of a call for which `is_testify` holds."""
    given = arguments_of(call)
    if given and text_of(given[0]) in _TESTERS:
        given = given[1:]
    name = function.rpartition(".")[2]
    # `Equalf` is `Equal` with a message.
    name = name if name in _KINDS else name.removesuffix("f")
    first, second = [*(spelled(one, scope.values) for one in given[:2]), "", ""][:2]
    subject, expected = (second, first) if name in _EXPECTED_FIRST else (first, second)
    return assertion(
        _KINDS.get(name, "call"),
        subject,
        "" if name.startswith("NoError") else _EXPECTED.get(name, expected),
        line=line_of(call),
        scope=scope,
        weight=_WEIGHTS.get(name),
        tolerance=_tolerance(name, given),
    )


def _tolerance(name: str, given: list[Node]) -> float:
    if _KINDS.get(name) != "approx" or len(given) < 3:
        return 0.0
    text = text_of(given[2])
    return float(text) if re.fullmatch(r"[\d.]+(?:e-?\d+)?", text) else 0.0


def turned_round(condition: Node, scope: NodeScope, line: int, *, never: bool) -> Iterator[Assertion]:
    """What must not be for the test to pass, turned round into what it asserts."""
    node = condition.named_children[0] if condition.type == "parenthesized_expression" else condition
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = text_of(node.child_by_field_name("operator"))
    here = scope.but(dead=NEVER if never or text_of(node).startswith("false &&") else "")
    if operator == "||" and left is not None and right is not None:
        yield from turned_round(left, scope, line, never=never)
        yield from turned_round(right, scope, line, never=never)
    elif operator == "&&" and right is not None and not here.dead:
        # The test fails only where the left side holds as well, as `ok` does of `if ok && got != want`.
        yield from turned_round(right, scope.but(guarded=True), line, never=never)
    else:
        yield _comparison(node, operator, here, line)


def _comparison(node: Node, operator: str, scope: NodeScope, line: int) -> Assertion:
    first, second = (spelled(node.child_by_field_name(side), scope.values) for side in ("left", "right"))
    if operator in _TURNED and second == "nil":
        return assertion("falsy" if operator == "!=" else "truthy", first, line=line, scope=scope)
    if operator in _TURNED:
        return assertion(_TURNED[operator], first, second, line=line, scope=scope)
    if operator in ("<", ">", "<=", ">="):
        return assertion("order", first, f"{operator} {second}", line=line, scope=scope)
    if operator == "!" and (operand := node.child_by_field_name("operand")) is not None:
        return _negated(operand, scope, line)
    return assertion("falsy", spelled(node, scope.values), line=line, scope=scope)


def _negated(operand: Node, scope: NodeScope, line: int) -> Assertion:
    name = text_of(operand.child_by_field_name("function")).rsplit(".", 1)[-1]
    given = [spelled(one, scope.values) for one in arguments_of(operand)]
    kind = _NEGATED.get(name)
    if kind and len(given) > 1:
        return assertion(kind, given[0], given[1], line=line, scope=scope)
    return assertion("truthy", spelled(operand, scope.values), line=line, scope=scope)
