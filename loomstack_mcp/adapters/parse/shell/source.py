"""The source of a shell line, with those of its lines joined that a backslash joins."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from tree_sitter import Node

from loomstack_mcp.adapters.parse.grammars import syntax_tree
from loomstack_mcp.adapters.parse.nodes import text_of

# Of `\\⏎` the first backslash quotes the second, and the line ends there.
_JOIN = re.compile(rb"(?<!\\)(?:\\\\)*\\\n")
_VERBATIM = {"comment", "raw_string", "ansi_c_string"}


def unfolded(source: bytes) -> bytes:
    """Without the line ends that a backslash takes away: the grammar would split `pu\\⏎sh` in two."""
    root = syntax_tree(source, "bash") if b"\\\n" in source else None
    if root is None:
        return source
    verbatim = list(_verbatim_spans(root))
    kept, start = [], 0
    for match in _JOIN.finditer(source):
        place = match.end() - 2
        nearest = bisect_right(verbatim, (place, len(source))) - 1
        if nearest < 0 or verbatim[nearest][1] <= place:
            kept.append(source[start:place])
            start = match.end()
    return b"".join([*kept, source[start:]])


def has_quoted_delimiter(heredoc: Node) -> bool:
    """Whether a here-document begins as `<<'E'` does: then its text is taken as it stands, nothing expanded."""
    starts = [child for child in heredoc.children if child.type == "heredoc_start"]
    return any(mark in text_of(start) for start in starts for mark in "'\"\\")


def _verbatim_spans(root: Node) -> Iterator[tuple[int, int]]:
    """From where to where a backslash means nothing: comments, '…', here-documents of quoted delimiter."""
    todo: list[tuple[Node, Node]] = [(root, root)]
    while todo:
        node, parent = todo.pop()
        if node.type in _VERBATIM or (node.type == "heredoc_body" and has_quoted_delimiter(parent)):
            yield node.start_byte, node.end_byte
        else:
            todo += [(child, node) for child in reversed(node.children)]
