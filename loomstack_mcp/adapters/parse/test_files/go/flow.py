"""Which assertions of a Go function can be reached and can fail."""

from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import line_of, text_of
from loomstack_mcp.adapters.parse.test_files.asserting import HELPER_DEPTH_MAX, NodeScope, assertion
from loomstack_mcp.adapters.parse.test_files.go.asserts import NEVER, is_testify, testify, turned_round
from loomstack_mcp.adapters.parse.test_files.go.names import values_of, values_of_call
from loomstack_mcp.adapters.parse.test_files.go.syntax import ENDS, FAILS, arguments_of, function_name, statements_of
from loomstack_mcp.core.tampering.model import Assertion


def block_assertions(block: Node, scope: NodeScope) -> Iterator[Assertion]:
    """Those of a block's statements, in order, with those of the helpers that it calls."""
    here = scope
    for one in statements_of(block):
        yield from _visit(one, here)
        if one.type == "return_statement" or ENDS.match(function_name(one)):
            here = scope.but(dead="it cannot be reached")


def _visit(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    if node.type in ("block", "statement_list"):
        return block_assertions(node, scope)
    if node.type == "if_statement":
        return _if(node, scope)
    return _call(node, scope) if node.type == "call_expression" else _children(node, scope)


def _children(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    for child in node.named_children:
        yield from _visit(child, scope)


def _if(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    condition, inner = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    if condition is None or inner is None:
        return
    # `if err := f(); err != nil`: what is set there holds in all branches.
    has_start = node.child_by_field_name("initializer") is not None
    here = replace(scope, values={**scope.values, **values_of(node)}) if has_start else scope
    never = text_of(condition) in ("false", "!true")
    statements = statements_of(inner)
    rest = [one for one in statements if not FAILS.match(function_name(one))]
    if len(rest) < len(statements):
        yield from turned_round(condition, here, line_of(node), never=never)
        for one in rest:
            yield from _visit(one, here.but(guarded=True))
    else:
        yield from _visit(inner, here.but(guarded=True, dead=NEVER if never else ""))
    alternative = node.child_by_field_name("alternative")
    if alternative is not None:
        yield from _visit(alternative, here.but(guarded=True))


def _call(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    function = text_of(node.child_by_field_name("function"))
    helper = scope.helpers.get(function.rpartition(".")[2])
    if FAILS.match(function):
        yield assertion("fail", "fail", line=line_of(node), scope=scope)
    elif is_testify(function):
        yield testify(node, function, scope)
    elif helper is not None and scope.depth < HELPER_DEPTH_MAX:
        yield from _helper(helper, arguments_of(node), scope)
    else:
        yield from _children(node, scope)


def _helper(helper: Node, given: list[Node], scope: NodeScope) -> Iterator[Assertion]:
    body = helper.child_by_field_name("body")
    if body is not None:
        values = {**values_of(body), **values_of_call(helper, given, scope.values)}
        yield from block_assertions(body, replace(scope, values=values, depth=scope.depth + 1))
