"""Python statements after which a block is not gone on with, and those that swallow a failure inside them."""

import ast
from collections.abc import Sequence

from loomstack_mcp.core.tampering.python.names import dotted_name, last_name
from loomstack_mcp.core.tampering.python.raising import RAISES
from loomstack_mcp.core.tampering.python.skip_calls import SKIP_CALLS, is_of_runner
from loomstack_mcp.core.tampering.python.truth import truth

_ENDING_CALLS = SKIP_CALLS | {"fail", "exit", "_exit"}
_SWALLOWED = {"Exception", "BaseException", "AssertionError", "self.failureException"}
_SWALLOWED |= {f"builtins.{name}" for name in _SWALLOWED}
_PASSING_ON = ("assert", "fail", "exit", "print_exc", "append", "put")
"""How calls start with which a handler fails itself, or keeps the failure for later: `errors.append(error)`."""


def ends_block(statement: ast.stmt) -> bool:
    """Whether what follows the statement in its block is never reached."""
    match statement:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.Expr(value=ast.Call() as call):
            return last_name(call) in _ENDING_CALLS and (
                is_of_runner(call) or dotted_name(call) in ("sys.exit", "exit")
            )
        case ast.If():
            return _branches_end(statement)
        case ast.With(body=body, items=items):
            return not any(map(_ends_quietly, items)) and any(map(ends_block, body))
    return False


def _branches_end(statement: ast.If) -> bool:
    known = truth(statement.test)
    first, second = any(map(ends_block, statement.body)), any(map(ends_block, statement.orelse))
    if known is None:
        return first and second
    return first if known else second


def _ends_quietly(item: ast.withitem) -> bool:
    """Whether an exception that leaves the block ends there, so that what follows is reached."""
    return last_name(item.context_expr) in (*RAISES, "suppress", "subTest")


def try_swallows(statement: ast.Try | ast.TryStar) -> bool:
    """Whether an assertion that fails in the block of a `try` is not heard of."""
    # A `return` in `finally` throws away the exception that is on its way.
    returns = any(isinstance(one, ast.Return) for one in statement.finalbody)
    return returns or any(_catches(one) and not _passes_on(one.body) for one in statement.handlers)


def with_swallows(call: ast.Call) -> bool:
    """Whether an assertion that fails in a `with` of the call is not heard of: `suppress(AssertionError)`."""
    exceptions = [part for one in call.args for part in (one.elts if isinstance(one, ast.Tuple) else [one])]
    swallowing = any(dotted_name(one) in _SWALLOWED for one in exceptions)
    return swallowing and not call.keywords and last_name(call) in ("raises", "assertRaises", "suppress")


def _catches(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or dotted_name(one) in _SWALLOWED for one in caught)


def _passes_on(body: Sequence[ast.stmt]) -> bool:
    """Whether a handler lets the failure through: it raises, fails or asserts something itself."""
    return any(_is_failure(node) for one in body for node in ast.walk(one))


def _is_failure(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return truth(node.test) is not True
    if isinstance(node, ast.Raise):
        return node.exc is None or last_name(node.exc) not in SKIP_CALLS
    return isinstance(node, ast.Call) and last_name(node).startswith(_PASSING_ON)
