"""Which assertions of a Python function can be reached and can fail."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from loomstack_mcp.core.tampering.model import CASES_MAX, Assertion
from loomstack_mcp.core.tampering.python.check_calls import called
from loomstack_mcp.core.tampering.python.conditions import conditions
from loomstack_mcp.core.tampering.python.endings import ends_block, try_swallows, with_swallows
from loomstack_mcp.core.tampering.python.local_names import Function, names_of
from loomstack_mcp.core.tampering.python.names import bindings, dotted_name, last_name
from loomstack_mcp.core.tampering.python.raising import RAISES, raising
from loomstack_mcp.core.tampering.python.scope import FlowScope
from loomstack_mcp.core.tampering.python.spelling import filled, spelling
from loomstack_mcp.core.tampering.python.truth import truth

HELPER_DEPTH_MAX = 3
"""Helpers that are followed inside one another."""
_UNREACHED = "it cannot be reached"


def assertions_of(function: Function, scope: FlowScope) -> tuple[Assertion, ...]:
    """The assertions of a test, those of its helpers included, with why each dead one is dead."""
    return tuple(_block(function.body, scope))


def _block(body: Sequence[ast.stmt], scope: FlowScope) -> Iterator[Assertion]:
    ended = False
    for statement in body:
        scope.left[0] -= _steps(statement)
        if scope.left[0] <= 0:
            return
        yield from _statement(statement, scope.but(dead=_UNREACHED) if ended else scope)
        ended = ended or ends_block(statement)


def _steps(statement: ast.stmt) -> int:
    if hasattr(statement, "body"):
        return 1
    return 1 + ((statement.end_lineno or 0) - statement.lineno) // 4 + (statement.end_col_offset or 0) // 200


def _statement(statement: ast.stmt, scope: FlowScope) -> Iterator[Assertion]:
    match statement:
        case ast.Assert(test=test):
            yield from _marked(_assert_statement(test, statement.lineno, scope), scope)
        case ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError")) as call):
            failing = ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="fail"), args=[], keywords=[])
            yield from _marked(called(ast.copy_location(failing, call), scope.values), scope)
        case ast.Expr(value=value) | ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
            yield from _expression(value, scope)
        case ast.If() | ast.While():
            yield from _branches(statement, scope)
        case ast.For() | ast.AsyncFor():
            yield from _loop(statement, scope)
        case ast.Try() | ast.TryStar():
            yield from _try(statement, scope)
        case ast.With() | ast.AsyncWith():
            yield from _with(statement, scope)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Match():
            yield from _nested(statement, scope)


def _nested(
    statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Match, scope: FlowScope
) -> Iterator[Assertion]:
    match statement:
        case ast.ClassDef(body=body):
            return _block(body, scope)
        case ast.Match(cases=cases):
            return (one for case in cases for one in _block(case.body, scope.but(guarded=True)))
    # Whether a nested function is called at all was found out by `unused_functions`.
    never = isinstance(scope.values.get(statement.name), ast.Constant)
    return _block(statement.body, scope.but(dead="its function is never called") if never else scope)


def _assert_statement(test: ast.expr, line: int, scope: FlowScope) -> list[Assertion]:
    """The parts of one `assert`; what always holds for one case may not hold for another, and is not dead for that."""
    found = list(conditions(test, scope.values, line))
    if scope.given and any(one.dead for one in found):
        plain = list(conditions(test, scope.values_of_all(), line))
        if len(plain) == len(found):
            return [replace(one, dead=bare.dead, weight=bare.weight) for one, bare in zip(found, plain, strict=True)]
    return found


def _marked(assertions: Iterable[Assertion], scope: FlowScope) -> Iterator[Assertion]:
    for one in assertions:
        yield replace(one, dead=one.dead or scope.dead, guarded=one.guarded or scope.guarded)


def _expression(value: ast.expr, scope: FlowScope) -> Iterator[Assertion]:
    if isinstance(value, ast.Await | ast.YieldFrom):
        value = value.value
    if not isinstance(value, ast.Call):
        return
    name = dotted_name(value)
    method = name.startswith(("self.", "cls."))
    helper = scope.helpers.get(f"self.{name.partition('.')[2]}" if method else name)
    if helper is not None and scope.depth < HELPER_DEPTH_MAX:
        values = _values_in_helper(helper, value, scope, method=method)
        inner = replace(scope, values=values, depth=scope.depth + 1, given=frozenset(values))
        yield from _block(helper.body, inner)
    elif helper is None:
        yield from _marked(called(value, scope.values), scope)


def _values_in_helper(helper: Function, call: ast.Call, scope: FlowScope, *, method: bool) -> dict[str, ast.expr]:
    """What a helper's parameters and locals stand for in this call."""
    name = dotted_name(call)
    if name not in scope.known:
        scope.known[name] = names_of(helper)
    values = dict(scope.known[name].values)
    parameters = [one.arg for one in (*helper.args.posonlyargs, *helper.args.args)]
    parameters = parameters[1:] if method else parameters
    defaults = helper.args.defaults
    values.update(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=False))
    given = {one.arg: one.value for one in call.keywords if one.arg}
    if not any(isinstance(one, ast.Starred) for one in call.args):
        given = {**dict(zip(parameters, call.args, strict=False)), **given}
    return {**values, **{name: filled(value, scope.values) for name, value in given.items()}}


def _branches(statement: ast.If | ast.While, scope: FlowScope) -> Iterator[Assertion]:
    known = truth(filled(statement.test, scope.values_of_all()))
    if known is None:
        guarded = scope.but(guarded=True)
        here = truth(filled(statement.test, scope.values)) if scope.given else None
        # In another case or turn the branch may run: then it is neither counted here nor dead.
        yield from _block([] if here is False else statement.body, guarded)
        yield from _block([] if here is True else statement.orelse, guarded)
        return
    never = scope.but(dead="its condition is never true")
    yield from _block(statement.body, scope if known else never)
    # What `while True` never comes to is not called dead.
    yield from _block(statement.orelse, never if known and isinstance(statement, ast.If) else scope)


def _loop(statement: ast.For | ast.AsyncFor, scope: FlowScope) -> Iterator[Assertion]:
    over = statement.iter
    if isinstance(over, ast.Name):
        over = scope.values.get(over.id, over)
    if truth(over) is False or _runs_over_nothing(over):
        yield from _block(statement.body, scope.but(dead="its loop has nothing to run over"))
    elif isinstance(over, ast.List | ast.Tuple) and len(over.elts) <= CASES_MAX:
        for one in over.elts:
            bound = bindings(statement.target, one)
            turn = replace(scope, values={**scope.values, **bound}, given=scope.given | bound.keys())
            yield from _block(statement.body, turn)
    else:
        yield from _block(statement.body, scope)
    yield from _block(statement.orelse, scope)


def _runs_over_nothing(over: ast.expr) -> bool:
    """`range(0)` and `iter([])`."""
    if not isinstance(over, ast.Call) or last_name(over) not in ("range", "iter"):
        return False
    return len(over.args) == 1 and truth(over.args[0]) is False


def _try(statement: ast.Try | ast.TryStar, scope: FlowScope) -> Iterator[Assertion]:
    inner = scope.but(dead="an except around it swallows it") if try_swallows(statement) else scope
    yield from _block(statement.body, inner)
    for handler in statement.handlers:
        yield from _block(handler.body, scope.but(guarded=True))
    yield from _block(statement.orelse, scope)
    yield from _block(statement.finalbody, scope)


def _with(statement: ast.With | ast.AsyncWith, scope: FlowScope) -> Iterator[Assertion]:
    why = ""
    for item in statement.items:
        call = item.context_expr
        if not isinstance(call, ast.Call):
            continue
        asserts_raise = last_name(call) in RAISES
        if asserts_raise:
            body = "; ".join(_line(one, scope) for one in statement.body)
            yield from _marked([raising(call, scope.values, body)], scope)
        if with_swallows(call):
            why = f"{last_name(call)}(…) around it swallows it"
        elif not asserts_raise:
            yield from _expression(call, scope)
    yield from _block(statement.body, scope.but(dead=why) if why else scope)


def _line(statement: ast.stmt, scope: FlowScope) -> str:
    if isinstance(statement, ast.Expr):
        return spelling(statement.value, scope.values)
    return ast.unparse(statement)
