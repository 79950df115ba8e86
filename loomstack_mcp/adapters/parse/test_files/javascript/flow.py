"""Which assertions of a JavaScript function can be reached and can fail."""

import re
from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import text_of
from loomstack_mcp.adapters.parse.test_files.asserting import HELPER_DEPTH_MAX, NodeScope
from loomstack_mcp.adapters.parse.test_files.javascript.asserts import expectation
from loomstack_mcp.core.tampering.model import Assertion

_BLOCKS = ("statement_block", "program")
_NEVER = ("false", "0", "null", "undefined", "!true", "!1", '""')
_PASSED_ON = re.compile(r"\b(?:throw|expect|assert|fail|done|reject)\b")
"""What a `catch` does that lets a test fail all the same."""


def body_assertions(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    """Those of a block, or of the one expression that an arrow function may have in its place."""
    here = scope
    for child in node.named_children if node.type in _BLOCKS else [node]:
        yield from _visit(child, here)
        if child.type in ("return_statement", "throw_statement"):
            here = scope.but(dead="it cannot be reached")


def _visit(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    return _READERS.get(node.type, _children)(node, scope)


def _children(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    for child in node.named_children:
        yield from _visit(child, scope)


def _expression(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    found = expectation(node, scope)
    if found is not None:
        yield found
    elif helper := scope.helpers.get(text_of(node.child_by_field_name("function"))):
        body = helper.child_by_field_name("body")
        if body is not None and scope.depth < HELPER_DEPTH_MAX:
            yield from body_assertions(body, replace(scope, depth=scope.depth + 1))
    else:
        yield from _children(node, scope)


def _if(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    never = text_of(node.child_by_field_name("condition")).strip("() ") in _NEVER
    inner = scope.but(dead="its condition is never true") if never else scope.but(guarded=True)
    for name, branch in (("consequence", inner), ("alternative", scope if never else inner)):
        if part := node.child_by_field_name(name):
            yield from _visit(part, branch)


def _try(node: Node, scope: NodeScope) -> Iterator[Assertion]:
    handler = node.child_by_field_name("handler")
    # Without a `catch` what fails goes on past the `finally`.
    caught = text_of(handler.child_by_field_name("body")) if handler is not None else "throw"
    inner = scope if _PASSED_ON.search(caught) else scope.but(dead="a catch around it swallows it")
    if body := node.child_by_field_name("body"):
        yield from _visit(body, inner)
    for part in (handler, node.child_by_field_name("finalizer")):
        if part is not None:
            yield from _visit(part, scope.but(guarded=True))


_READERS = {
    "statement_block": body_assertions,
    "if_statement": _if,
    "try_statement": _try,
    "call_expression": _expression,
    "member_expression": _expression,
}
"""By a node's type; all others are only looked into."""
