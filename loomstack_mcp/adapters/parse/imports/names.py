"""The names that a file imports, as they are written, found by tree-sitter's queries."""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tree_sitter import Node, Query, QueryCursor

from loomstack_mcp.adapters.parse.grammars import grammar, syntax_tree
from loomstack_mcp.adapters.parse.nodes import line_of, text_of

PARSED_BYTES_MAX = 1_000_000
"""A hostile file of this size costs seconds; a larger one is a violation."""

_PYTHON = """
(import_statement name: [(dotted_name) @module (aliased_import name: (dotted_name) @module)])
(import_from_statement) @from
(call function: [(identifier) (attribute)] @called arguments: (argument_list . (string) @literal))
"""
_SCRIPT = """
(import_statement source: (string) @path)
(export_statement source: (string) @path)
(call_expression function: (import) arguments: (arguments [(string) (template_string)] @path))
(call_expression function: (identifier) @called arguments: (arguments [(string) (template_string)] @literal))
"""
_QUERIES = {
    "python": _PYTHON,
    "javascript": _SCRIPT,
    "typescript": f"{_SCRIPT}(import_require_clause source: (string) @path)",
    "tsx": f"{_SCRIPT}(import_require_clause source: (string) @path)",
    "go": "(import_spec path: (_) @path)",
}
_CALLED = frozenset({"require", "__import__", "import_module", "importlib.import_module"})
_LITERAL = re.compile(r"[A-Za-z]{0,2}(\"\"\"|'''|[\"'`])(.*)\1", re.DOTALL)
_NOT_PLAIN = {"interpolation", "template_substitution", "escape_sequence"}


@dataclass(frozen=True)
class ImportedName:
    """A module that a file imports, as it is written there."""

    line: int
    name: str
    member: str = ""
    """Python's `b` of `from a import b`, which may be a module."""
    level: int = 0
    """How many dots begin it in Python's relative import; 0 for an absolute one."""


def imported_names(content: bytes, grammars: Sequence[str]) -> tuple[list[ImportedName], bool]:
    """Those of the file in its order, by the first grammar without errors, else by the first; and whether it parsed."""
    trees = []
    for name in grammars:
        root = syntax_tree(content, name)
        if root is not None and not root.has_error:
            return _names_in(root, name), True
        trees += [(root, name)] if root is not None else []
    # The grammar lags behind the language; the language itself has the last word.
    parsed = grammars[0] == "python" and _is_python(content)
    return (_names_in(*trees[0]) if trees else []), parsed


def _is_python(content: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@cache
def _query(name: str) -> Query:
    return Query(grammar(name), _QUERIES[name])


def _names_in(root: Node, name: str) -> list[ImportedName]:
    return sorted(_matched(root, _query(name)), key=lambda one: one.line)


def _matched(root: Node, query: Query) -> Iterator[ImportedName]:
    for _, captured in QueryCursor(query).matches(root):
        for node in captured.get("from", ()):
            yield from _from(node)
        for node in captured.get("module", ()):
            yield ImportedName(line_of(node), _dotted(node))
        called = text_of(captured["called"][0]) if "called" in captured else ""
        for node in captured.get("path", captured.get("literal", ()) if called in _CALLED else ()):
            if literal := _literal(node):
                yield ImportedName(line_of(node), literal)


def _from(node: Node) -> Iterator[ImportedName]:
    """Python's `from … import …`: one for each member, or the module itself for `*`."""
    module = node.child_by_field_name("module_name")
    if module is None:
        return
    name, level = _origin(module)
    members = node.children_by_field_name("name")
    for member in members:
        imported = member.child_by_field_name("name") or member
        yield ImportedName(line_of(member), name, _dotted(imported), level)
    if not members:
        yield ImportedName(line_of(node), name, "", level)


def _origin(module: Node) -> tuple[str, int]:
    """Name and level: `a` and 2 of `from ..a import b`."""
    prefix = next((child for child in module.children if child.type == "import_prefix"), None)
    level = text_of(prefix).count(".")
    if level == 0:
        return _dotted(module), 0
    dotted = next((child for child in module.children if child.type == "dotted_name"), None)
    return _dotted(dotted) if dotted else "", level


def _dotted(node: Node) -> str:
    return ".".join(text_of(child) for child in node.children if child.is_named)


def _literal(node: Node) -> str:
    """The text of a literal; "" where part of it is computed or escaped."""
    found = _LITERAL.fullmatch(text_of(node))
    kinds = {child.type for child in node.named_children}
    return found[2] if found and not kinds & _NOT_PLAIN else ""
