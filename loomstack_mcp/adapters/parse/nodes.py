"""The nodes of tree-sitter's trees: their text, their line, all that is below them."""

from collections.abc import Iterator

from tree_sitter import Node


def text_of(node: Node | None) -> str:
    """The source text, U+FFFD for bytes that are no UTF-8; empty where there is no node."""
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else ""


def line_of(node: Node) -> int:
    """Where it begins, counted from 1."""
    return node.start_point.row + 1


def nodes_within(node: Node) -> Iterator[Node]:
    """The node and all named ones below it, top down, without recursion: a file may nest deeper than Python."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.named_children))
