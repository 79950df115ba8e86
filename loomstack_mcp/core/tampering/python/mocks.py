"""What a Python test replaces while it runs: patched, set or defined anew."""

import ast
from collections.abc import Iterator, Sequence

from loomstack_mcp.core.tampering.python.names import dotted_name, last_name

_REPLACING = ("patch", "setattr", "object", "setitem", "spy")


def mocks_of(nodes: Sequence[ast.AST], imported: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What a test replaces, as owner and attribute; an imported name that it defines anew has no owner."""
    for node in (part for one in nodes for part in ast.walk(one)):
        match node:
            case ast.Call(args=args) if last_name(node) in _REPLACING and args:
                yield from _patched(node)
            case ast.Assign(targets=[ast.Attribute(value=owner, attr=attr)]) if last_name(owner) in imported:
                yield last_name(owner), attr
            case ast.Assign(targets=[ast.Name(id=name)]) if name in imported:
                yield "", name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if name in imported:
                yield "", name


def _patched(call: ast.Call) -> Iterator[tuple[str, str]]:
    match call.args:
        case [ast.Constant(value=str() as target), *_] if "." in target:
            *_, owner, name = target.split(".")
            yield owner, name
        case [ast.BinOp(right=ast.Constant(value=str() as end)), *_]:
            yield "", end.strip(".")
        case [ast.JoinedStr(values=[*_, ast.Constant(value=str() as end)]), *_]:
            yield "", end.strip(".")
        case [owner_node, ast.Constant(value=str() as name), *_] if last_name(owner_node) or dotted_name(owner_node):
            yield last_name(owner_node), name
