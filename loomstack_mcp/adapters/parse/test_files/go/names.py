"""The local names of a Go function, and what those stand for that are set once."""

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import nodes_within, text_of
from loomstack_mcp.adapters.parse.test_files.spelling import spelled

_VALUE_CHARS_MAX = 300
"""Longer values stay behind their name."""


def go_local_names(body: Node | None) -> set[str]:
    """All that are declared, with what stands beside them on the left."""
    return {text_of(one) for node in _assigned(body) for one in nodes_within(node) if one.type == "identifier"}


def values_of(body: Node | None) -> dict[str, str]:
    """Names that are declared once, alone, with a short value."""
    found: dict[str, str] = {}
    several: set[str] = set()
    for node, left, right in _settings(body):
        name = text_of(left)
        if name in found or node.type == "assignment_statement":
            several.add(name)
        if re.fullmatch(r"\w+", name) and _is_short(right):
            found[name] = spelled(right, found)
    return {name: value for name, value in found.items() if name not in several}


def values_of_call(function: Node, given: list[Node], values: Mapping[str, str]) -> dict[str, str]:
    """What the parameters stand for in one call."""
    parameters = function.child_by_field_name("parameters")
    declared = parameters.named_children if parameters is not None else []
    names = [text_of(name) for one in declared for name in one.children_by_field_name("name")]
    return dict(zip(names, (spelled(one, values) for one in given), strict=False))


def _assigned(body: Node | None) -> Iterator[Node]:
    for node in nodes_within(body) if body is not None else ():
        left = node.child_by_field_name("left")
        if node.type in ("short_var_declaration", "range_clause") and left is not None:
            yield left
        elif node.type == "var_spec":
            yield node.named_children[0]


def _settings(body: Node | None) -> Iterator[tuple[Node, Node, Node]]:
    """Each `left := right` and `left = right`, with its two sides."""
    for node in nodes_within(body) if body is not None else ():
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if node.type in ("short_var_declaration", "assignment_statement") and left is not None and right is not None:
            yield node, left, right


def _is_short(value: Node) -> bool:
    text = text_of(value)
    return len(text) < _VALUE_CHARS_MAX and "func(" not in text
