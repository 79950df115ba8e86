"""Names in Python expressions: what an expression is called, and which name gets which value."""

import ast
from collections.abc import Mapping

Values = Mapping[str, ast.expr]
"""What names stand for."""


def last_name(node: ast.AST) -> str:
    """`raises` of `pytest.raises`, and of `pytest.raises(...)`; empty where the expression has no name."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.AST) -> str:
    """`pytest.mark.skip`, also of a call of it; empty where it is not only names and dots."""
    if isinstance(node, ast.Call):
        node = node.func
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def first_name(node: ast.AST) -> str:
    """`pytest` of `pytest.mark.skip(...)`; empty where `dotted_name` is."""
    return dotted_name(node).split(".")[0]


def bindings(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    """Which name gets which expression when `target = value` runs; empty where that cannot be read."""
    match target, value:
        case ast.Name(id=name), _:
            return {name: value}
        case ast.Tuple(elts=names) | ast.List(elts=names), ast.Tuple(elts=parts) | ast.List(elts=parts):
            if len(names) == len(parts):
                inner = [bindings(name, part) for name, part in zip(names, parts, strict=True)]
                return {key: one for several in inner for key, one in several.items()}
    return {}
