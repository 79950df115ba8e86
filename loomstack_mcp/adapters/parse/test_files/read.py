"""The tests of one file, by its ending."""

from tree_sitter import Node

from loomstack_mcp.adapters.parse.grammars import syntax_tree
from loomstack_mcp.adapters.parse.test_files.go.file import go_inventory
from loomstack_mcp.adapters.parse.test_files.javascript.file import javascript_inventory
from loomstack_mcp.core.tampering.model import Inventory, unreadable
from loomstack_mcp.core.tampering.paths import Language, language

DEPTH_MAX = 400
"""Nodes inside one another; the readers of this folder are recursive."""

_GRAMMARS = {
    ".py": "python",
    ".go": "go",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
}
"""Of what else counts as JavaScript, its own."""


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
    ending = path[path.rindex(".") :]
    root = syntax_tree(content, _GRAMMARS.get(ending, "javascript"))
    why = "takes too long to be parsed" if root is None else _error(kind, root, len(content))
    if root is None or why:
        return Inventory(path=path, error=why)
    if kind == "python":
        return Inventory(path=path)
    try:
        return go_inventory(path, root) if kind == "go" else javascript_inventory(path, root)
    except RecursionError:
        return Inventory(path=path, error="nested too deep")


def _error(kind: Language, root: Node, size_bytes: int) -> str:
    if _too_deep(root):
        return "nested too deep"
    if root.has_error and (kind == "python" or _mostly_broken(root, size_bytes)):
        return f"not valid {kind.title()}"
    return ""


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
