"""Tests in JavaScript, TypeScript and Go as the same plain records as those in Python, through tree-sitter."""

from functools import cache

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from loomstack_mcp.adapters.parse.tests_go import go_inventory
from loomstack_mcp.adapters.parse.tests_js import javascript_inventory
from loomstack_mcp.core.tampering.model import Inventory, unreadable
from loomstack_mcp.core.tampering.paths import language

DEPTH_MAX = 400
"""Nodes inside one another; the readers below are recursive."""


def read_tests(path: str, content: bytes, /) -> Inventory | None:
    """The tests of one file; None where the language is not known.

    Python is only parsed, to tell newer Python than ours from none: its inventory is empty. Never raises:
    what cannot be read is told in `Inventory.error`.
    """
    kind = language(path)
    if kind is None:
        return None
    if why := unreadable(content):
        return Inventory(path=path, error=why)
    root = Parser(_grammar(path)).parse(content).root_node
    if _too_deep(root):
        return Inventory(path=path, error="nested too deep")
    if root.has_error and (kind == "python" or _mostly_broken(root, len(content))):
        return Inventory(path=path, error=f"not valid {kind.title()}")
    if kind == "python":
        return Inventory(path=path)
    try:
        return go_inventory(path, root) if kind == "go" else javascript_inventory(path, root)
    except RecursionError:
        return Inventory(path=path, error="nested too deep")


@cache
def _grammar(path_or_ending: str) -> Language:
    ending = path_or_ending.rsplit(".", 1)[-1]
    if ending != path_or_ending:
        return _grammar(ending)
    if ending == "py":
        return Language(tree_sitter_python.language())
    if ending == "go":
        return Language(tree_sitter_go.language())
    if ending in ("ts", "mts", "cts"):
        return Language(tree_sitter_typescript.language_typescript())
    if ending == "tsx":
        return Language(tree_sitter_typescript.language_tsx())
    return Language(tree_sitter_javascript.language())


def _too_deep(root: Node) -> bool:
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEPTH_MAX:
            return True
        waiting.extend((one, depth + 1) for one in node.children)
    return False


def _mostly_broken(root: Node, size_bytes: int) -> bool:
    """Grammars lag behind the languages: an error the parser recovers from locally is not one of the file."""
    broken = 0
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR":
            broken += node.end_byte - node.start_byte
        elif node.has_error:
            waiting.extend(node.children)
    return root.type == "ERROR" or broken > max(200, size_bytes // 20)
