"""Python functions that assert something, so that a test may leave it to them."""

import ast
from collections.abc import Sequence

from loomstack_mcp.core.tampering.python.local_names import Function
from loomstack_mcp.core.tampering.python.names import last_name
from loomstack_mcp.core.tampering.python.raising import RAISES


def asserting_functions(body: Sequence[ast.stmt], *, prefix: str = "") -> dict[str, Function]:
    """Those of a file or class that are no tests and assert something themselves or through another one of them.

    By name behind the prefix, as a call has it: `self.` for those of a class.
    """
    functions = {one.name: one for one in body if isinstance(one, Function) and not one.name.startswith("test")}
    direct = {name for name, one in functions.items() if asserts(one)}
    indirect = {name for name, one in functions.items() if asserts(one, through=direct)}
    return {prefix + name: functions[name] for name in direct | indirect}


def asserts(function: Function, *, through: set[str] | frozenset[str] = frozenset()) -> bool:
    """Whether the function asserts something itself, or calls one of those that it may do so through."""
    return any(_is_assertion(node, through) for node in ast.walk(function))


def _is_assertion(node: ast.AST, through: set[str] | frozenset[str]) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = last_name(node)
    return name in RAISES or name in through or name == "fail" or name.startswith("assert")
