"""Whether Python tests are skipped, by decorators and marks, or by what stands around them."""

import ast
from collections.abc import Sequence

from loomstack_mcp.core.tampering.model import Skip
from loomstack_mcp.core.tampering.python.names import Values, dotted_name, first_name, last_name
from loomstack_mcp.core.tampering.python.skip_calls import may_skip, starts_with_skip
from loomstack_mcp.core.tampering.python.spelling import filled
from loomstack_mcp.core.tampering.python.truth import truth

_ALWAYS = {"skip", "expectedFailure", "SkipTest"}
_CONDITIONAL = {"skipif", "skipIf", "skipUnless", "skip_unless", "skip_if"}
_MARK_ROOTS = {"pytest", "unittest", "mark", "skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure"}
_OLDEST_PYTHON = (3, 9)
"""A condition that holds for every Python from here on holds always."""


def strictest_skip(skips: Sequence[Skip]) -> Skip:
    """The one that skips most."""
    return "always" if "always" in skips else "when" if "when" in skips else ""


def skip_of(marks: Sequence[ast.expr], values: Values) -> Skip:
    """What a list of decorators or marks says about whether the test runs; a name stands for what it was given."""
    return strictest_skip([_mark_skip(filled(mark, values), values) for mark in marks])


def body_skip(body: Sequence[ast.stmt]) -> Skip:
    """Whether a whole file or class is skipped: by a call on its top level, or by a fixture that all its tests use."""
    return strictest_skip([_statement_skip(one) for one in body])


def _mark_skip(mark: ast.expr, values: Values) -> Skip:
    if isinstance(mark, ast.List | ast.Tuple):
        return skip_of(mark.elts, values)
    name = last_name(mark)
    if first_name(mark) not in _MARK_ROOTS:
        return ""
    if name in _ALWAYS:
        return "always"
    call = mark if isinstance(mark, ast.Call) else None
    if name == "xfail":
        return _conditional_skip(call, values) if call and _condition_of(call) is not None else "always"
    if name in _CONDITIONAL and call:
        return _conditional_skip(call, values, wanted="nless" not in name)
    return ""


def _condition_of(call: ast.Call) -> ast.expr | None:
    named = [one.value for one in call.keywords if one.arg == "condition"]
    return next(iter(call.args or named), None)


def _conditional_skip(call: ast.Call, values: Values, *, wanted: bool = True) -> Skip:
    bare = _condition_of(call)
    if bare is None:
        return "always"
    condition = filled(bare, values)
    if isinstance(condition, ast.Constant) and isinstance(condition.value, str):
        # pytest evaluates a text as an expression.
        return "always" if condition.value.strip() in ("True", "1") else "when"
    known = truth(condition)
    if known is None:
        known = _version_truth(condition)
    if known is not None:
        return "always" if known is wanted else ""
    # Whoever runs the tests sets the environment, so that a condition on it can skip them for good.
    return "always" if _asks_environment(condition) else "when"


def _version_truth(condition: ast.expr) -> bool | None:
    """What a comparison of `sys.version_info` comes to on every Python that still runs; None where that differs."""
    match condition:
        case ast.Compare(left=left, ops=[op], comparators=[ast.Tuple(elts=parts)]) if (
            dotted_name(left) == "sys.version_info"
        ):
            bound = tuple(one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, int))
            if isinstance(op, ast.Gt | ast.GtE) and bound <= _OLDEST_PYTHON:
                return True
            if isinstance(op, ast.Lt | ast.LtE) and bound >= (4,):
                return True
    return None


def _asks_environment(condition: ast.expr) -> bool:
    names = (part for part in ast.walk(condition) if isinstance(part, ast.Attribute | ast.Name))
    return any(last_name(part) in ("environ", "getenv") for part in names)


def _statement_skip(statement: ast.stmt) -> Skip:
    match statement:
        case ast.FunctionDef(decorator_list=marks, body=inner) if any(map(_is_autouse, marks)):
            return "always" if starts_with_skip(inner) else ""
        case ast.Expr(value=ast.Call()) | ast.Raise():
            return _block_skip(statement)
        case ast.If(test=test):
            skip = _block_skip(statement)
            return skip if skip == "always" or truth(test) is None else ""
    return ""


def _block_skip(statement: ast.stmt) -> Skip:
    if starts_with_skip([statement]):
        return "always"
    return "when" if may_skip([statement]) else ""


def _is_autouse(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and any(
        one.arg == "autouse" and isinstance(one.value, ast.Constant) and one.value.value is True
        for one in mark.keywords
    )
