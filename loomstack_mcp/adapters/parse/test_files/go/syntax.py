"""Go's statements and calls, and the calls by which a test fails, skips or ends."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import nodes_within, text_of

FAILS = re.compile(r"^(?:t|tb|b|f|tt|c|s\.T\(\)|tester\.\w+|\w*[tT])\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)$")
"""The function of a call that makes the test fail, whether or not it goes on."""
SKIPS = re.compile(r"^(?:t|tb|b|f|tt)\.(?:Skip|Skipf|SkipNow)$")
ENDS = re.compile(r"^(?:panic|os\.Exit|(?:t|tb|b|f|tt)\.(?:Skip|Skipf|SkipNow|Fatal|Fatalf|FailNow))$")
"""The function of a call after which nothing runs: `Error` and `Fail` only mark the test (package testing)."""


def statements_of(block: Node) -> list[Node]:
    """Of a block, with or without the list that newer grammars put inside it."""
    parts = _without_comments(block)
    return _without_comments(parts[0]) if len(parts) == 1 and parts[0].type == "statement_list" else parts


def arguments_of(call: Node) -> list[Node]:
    """None of what is no call."""
    arguments = call.child_by_field_name("arguments")
    return _without_comments(arguments) if arguments is not None else []


def function_name(statement: Node) -> str:
    """`t.Skip` of a statement that is one call, or of a call; "" of others."""
    is_statement = statement.type == "expression_statement" and statement.named_children
    call = statement.named_children[0] if is_statement else statement
    return text_of(call.child_by_field_name("function")) if call.type == "call_expression" else ""


def called_within(node: Node) -> Iterator[str]:
    """The functions of all calls in it, top down."""
    return (function_name(one) for one in nodes_within(node) if one.type == "call_expression")


def _without_comments(node: Node) -> list[Node]:
    return [one for one in node.named_children if one.type != "comment"]
