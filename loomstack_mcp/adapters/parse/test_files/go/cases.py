"""How often a Go test runs: the elements of the tables that it ranges over."""

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import nodes_within, text_of

_DECLARED = ("short_var_declaration", "var_spec", "range_clause")
_TABLE_TYPES = ("slice_type", "map_type", "array_type", "implicit_length_array_type")
_NAME = re.compile(r"(?:range\s+)?(\w+)")


def tables_of(root: Node) -> dict[str, int]:
    """Slices and maps that are written out, by the name that they get, with the number of their elements."""
    return dict(_tables(root))


def go_cases_of(body: Node | None, tables: Mapping[str, int]) -> int:
    """The elements of the tables that the test runs over; 0 where one of them is not known."""
    if body is None:
        return 1
    own = {**tables, **tables_of(body)}
    turns = [_turns(node, own) for node in nodes_within(body) if node.type == "range_clause"]
    return sum(count or 0 for count in turns) or (0 if None in turns else 1)


def _tables(root: Node) -> Iterator[tuple[str, int]]:
    for node in nodes_within(root):
        if node.type in _DECLARED:
            name = _NAME.match(text_of(node))
            count = _elements(_first_literal(node))
            if name and count is not None:
                yield name[1], count


def _turns(loop: Node, tables: Mapping[str, int]) -> int | None:
    right = loop.child_by_field_name("right")
    if right is not None and right.type == "identifier" and text_of(right) in tables:
        return tables[text_of(right)]
    literal = _first_literal(loop)
    return len((literal.child_by_field_name("body") or literal).named_children) if literal is not None else None


def _first_literal(node: Node) -> Node | None:
    return next((one for one in nodes_within(node) if one.type == "composite_literal"), None)


def _elements(literal: Node | None) -> int | None:
    """Of a slice, an array or a map; None of a struct's literal, and where there is none."""
    kind = literal.child_by_field_name("type") if literal is not None else None
    values = literal.child_by_field_name("body") if literal is not None else None
    if kind is None or values is None or kind.type not in _TABLE_TYPES:
        return None
    return sum(one.type != "comment" for one in values.named_children)
