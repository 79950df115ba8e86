"""Python expressions spelled in one way, whatever the local variables in between."""

import ast

from loomstack_mcp.core.tampering.model import digest
from loomstack_mcp.core.tampering.python.names import Values

INLINED_NODES_MAX = 80
"""Larger values stay behind their name."""
SPELLED_NODES_MAX = 400
"""One expression with everything put in; beyond that the names stay."""
SPELLED_CHARS_MAX = 1_000
"""Longer texts end in a hash."""
CONTAINERS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_PLAIN = (ast.Constant, *CONTAINERS, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.expr_context)


def is_large(node: ast.AST) -> bool:
    """Whether the expression has more parts than are put in for a name."""
    return sum(1 for _ in zip(ast.walk(node), range(INLINED_NODES_MAX + 1), strict=False)) > INLINED_NODES_MAX


def is_plain(node: ast.expr) -> bool:
    """Whether the expression is made of constants alone."""
    return all(isinstance(part, _PLAIN) for part in ast.walk(node))


def filled(node: ast.expr, values: Values) -> ast.expr:
    """The expression with each name replaced by what it stands for."""
    if not any(isinstance(part, ast.Name) and part.id in values for part in ast.walk(node)):
        return node
    return _Filling(values).visit_copy(node)


def spelling(node: ast.expr, values: Values) -> str:
    """The text of the expression with each name replaced by what it stands for."""
    whole = filled(node, values)
    try:
        text = ast.unparse(whole)
    except ValueError:  # nested quotes in an f-string that this Python cannot write
        text = ast.dump(whole)
    return text if len(text) <= SPELLED_CHARS_MAX else text[:SPELLED_CHARS_MAX] + digest(text)


class _Filling:
    """Copies an expression while it fills it; stops putting values in where it would grow too large."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._left = SPELLED_NODES_MAX

    def visit_copy(self, node: ast.expr) -> ast.expr:
        copied = self._copied(node, frozenset())
        assert isinstance(copied, ast.expr)
        return copied

    def _copied(self, node: ast.AST, open_names: frozenset[str]) -> ast.AST:
        self._left -= 1
        # A name within what it stands for itself (`a = b`, `b = a`) stays: it would be put in for ever.
        if isinstance(node, ast.Name) and node.id in self._values and node.id not in open_names and self._left > 0:
            return self._copied(self._values[node.id], open_names | {node.id})
        copied = type(node).__new__(type(node))
        for name, value in ast.iter_fields(node):
            setattr(copied, name, self._part(value, open_names))
        if isinstance(node, ast.expr) and isinstance(copied, ast.expr):
            copied.lineno, copied.col_offset = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        return copied

    def _part(self, value: object, open_names: frozenset[str]) -> object:
        if isinstance(value, ast.AST):
            return self._copied(value, open_names)
        return [self._part(one, open_names) for one in value] if isinstance(value, list) else value
