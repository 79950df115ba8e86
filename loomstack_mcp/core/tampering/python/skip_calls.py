"""Calls in the body of a Python test that skip it."""

import ast
from collections.abc import Sequence

from loomstack_mcp.core.tampering.python.names import first_name, last_name
from loomstack_mcp.core.tampering.python.truth import truth

# pytest knows a skip by the exception that it raises, so that `raise unittest.SkipTest` is one as well.
SKIP_CALLS = {"skip", "skipTest", "SkipTest", "xfail", "Skipped"}
"""The last name of a call, or of an exception, that skips a test or expects it to fail."""
_RUNNERS = ("pytest", "self", "cls", "unittest", "skip", "xfail", "SkipTest", "nose")


def starts_with_skip(body: Sequence[ast.stmt]) -> bool:
    """Whether the block always ends in a skip, before it has asserted anything."""
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Call() as call) if last_name(call) in SKIP_CALLS and is_of_runner(call):
                return True
            case ast.Raise(exc=ast.expr() as raised) if last_name(raised) in SKIP_CALLS:
                return True
            case ast.If(test=test, body=inner) if truth(test) is True and starts_with_skip(inner):
                return True
            case ast.Assert() | ast.Return() | ast.Raise() | ast.With() | ast.For() | ast.Try():
                return False
    return False


def may_skip(body: Sequence[ast.stmt]) -> bool:
    """Whether a skip stands anywhere in the block."""
    calls = (node for one in body for node in ast.walk(one) if isinstance(node, ast.Call))
    return any(last_name(call) in (*SKIP_CALLS, "importorskip") and is_of_runner(call) for call in calls)


def is_of_runner(call: ast.Call) -> bool:
    """Whether what is called belongs to a test runner, and not to what is tested: `pytest.skip`, not `reader.skip`."""
    return first_name(call) in _RUNNERS
