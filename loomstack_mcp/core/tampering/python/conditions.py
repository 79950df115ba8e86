"""One Python condition → the assertions that `assert` of it makes."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from loomstack_mcp.core.tampering.model import WEIGHTS, Assertion, digest
from loomstack_mcp.core.tampering.python.assertions import (
    asserted,
    asserted_close,
    asserted_true,
    comparison_behind,
    dead,
)
from loomstack_mcp.core.tampering.python.comparisons import compared, refuted
from loomstack_mcp.core.tampering.python.names import Values, last_name
from loomstack_mcp.core.tampering.python.spelling import spelling
from loomstack_mcp.core.tampering.python.tolerances import CLOSE_CALLS, tolerance_of
from loomstack_mcp.core.tampering.python.truth import truth


def conditions(test: ast.expr, values: Values, line: int) -> Iterator[Assertion]:
    """What `assert test` checks: the parts of an `and` one by one; a dead one where it always holds."""
    if truth(test) is True:
        yield from (dead(one, "it always holds") for one in _meant(test, values, line))
        return
    parts = _parts(test)
    if not parts:
        yield _condition(test, values, line)
    either = isinstance(test, ast.IfExp)
    for part in parts:
        for one in conditions(part, values, line):
            yield replace(one, guarded=True) if either else one


def _meant(test: ast.expr, values: Values, line: int) -> Iterator[Assertion]:
    """Of an assertion that always holds, what it would have checked: the parts that are not constant."""
    parts = test.values if isinstance(test, ast.BoolOp) else test.elts[:1] if isinstance(test, ast.Tuple) else [test]
    meant = [part for part in parts if truth(part) is None] or parts[:1]
    yield from (_condition(part, values, line) for part in meant)


def _parts(test: ast.expr) -> list[ast.expr]:
    """The conditions that one consists of, each to be checked by itself; empty where it is a single one."""
    match test:
        case ast.BoolOp(op=ast.And(), values=parts):
            return parts
        case ast.NamedExpr(value=value):
            return [value]
        case ast.IfExp(body=first, orelse=second):
            return [first, second]
        case ast.Compare(left=left, ops=[_, _, *_] as ops, comparators=rest):
            links = zip([left, *rest], ops, rest, strict=False)
            return [ast.Compare(left=first, ops=[op], comparators=[second]) for first, op, second in links]
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner)]):
            return [inner]
    return []


def _condition(test: ast.expr, values: Values, line: int) -> Assertion:
    match comparison_behind(test, values):
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _negated(comparison_behind(operand, values), values, line)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return compared(left, op, right, values, line)
        case ast.BoolOp(op=ast.Or(), values=[_, *_] as parts):
            return _one_of(parts, values, line)
        case ast.Call(args=[_, *_]) as call:
            return _condition_call(call, values, line)
        case ast.Await(value=value):
            return _condition(value, values, line)
    return asserted_true(test, values, line)


def _negated(operand: ast.expr, values: Values, line: int) -> Assertion:
    match operand:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _condition(inner, values, line)
    return refuted(operand, values, line)


def _one_of(parts: list[ast.expr], values: Values, line: int) -> Assertion:
    """An `or` says no more than that something is one of several, and no more than the weakest of them."""
    inner = [next(conditions(part, values, line)) for part in parts]
    weight = min(WEIGHTS["in"], *(one.weight for one in inner))
    told = digest(" or ".join(spelling(part, values) for part in parts))
    return Assertion(kind="in", weight=weight, sides=inner[0].sides, expected=told, line=line)


def _condition_call(call: ast.Call, values: Values, line: int) -> Assertion:
    """A call with arguments as a condition: those that are known for what they say, or that it is true."""
    name, args = last_name(call), call.args
    if name in ("isinstance", "issubclass"):
        return asserted("type", args, values, line)
    if name in CLOSE_CALLS and len(args) >= 2:
        return asserted_close(args[0], args[1], tolerance_of(call, values), values, line)
    if name == "any" and isinstance(args[0], ast.GeneratorExp | ast.ListComp):
        return asserted("in", [args[0].generators[0].iter, args[0].elt], values, line)
    if isinstance(call.func, ast.Attribute):
        return _method_call(call, call.func.value, values, line)
    return asserted_true(call, values, line)


def _method_call(call: ast.Call, owner: ast.expr, values: Values, line: int) -> Assertion:
    name, args = last_name(call), call.args
    if name in ("array_equal", "equals"):
        first, second = args[:2] if len(args) > 1 else (owner, args[0])
        return compared(first, ast.Eq(), second, values, line)
    if name in ("startswith", "endswith", "issubset", "issuperset"):
        return asserted("in", [owner, args[0]], values, line)
    if name in ("match", "search", "fullmatch") and len(args) >= 2:
        return asserted("in", [args[1], args[0]], values, line)
    return asserted_true(call, values, line)
