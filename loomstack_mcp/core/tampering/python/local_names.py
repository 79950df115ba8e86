"""The local names of a Python function, and those that stand for one expression throughout."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.python.names import Values
from loomstack_mcp.core.tampering.python.spelling import CONTAINERS, is_large

Function = ast.FunctionDef | ast.AsyncFunctionDef
_GROWING = {"append", "add", "extend", "update", "insert", "setdefault", "pop", "write"}
"""A literal on whose name one of these is called is not its value for long."""


@record
class LocalNames:
    """The local names of one function."""

    values: Values
    """Those with a single assignment, and what it assigns."""
    local: frozenset[str]
    """All of them, with the parameters."""


@dataclass
class _Stores:
    counted: Counter[str] = field(default_factory=Counter)
    """How often each name gets a value; several values at once count as two."""
    values: dict[str, ast.expr] = field(default_factory=dict)
    growing: set[str] = field(default_factory=set)


def names_of(function: Function) -> LocalNames:
    """Which local names stand for one expression throughout."""
    stores = _Stores()
    for node in ast.walk(function):
        _note(node, stores)
    parameters = {one.arg for one in _parameters(function.args)}
    values = {
        name: value
        for name, value in stores.values.items()
        if stores.counted[name] == 1
        and name not in parameters
        and not (name in stores.growing and isinstance(value, (*CONTAINERS, ast.Call)))
        and not is_large(value)
    }
    return LocalNames(values=values, local=frozenset(parameters | set(stores.counted)))


def unused_functions(function: Function) -> dict[str, ast.expr]:
    """Nested functions that nothing refers to, as names that stand for None."""
    nodes = list(ast.walk(function))
    nested = {one.name for one in nodes if isinstance(one, Function) and one is not function and not one.decorator_list}
    if not nested:
        return {}
    classes = [one for one in nodes if isinstance(one, ast.ClassDef)]
    methods = {part.name for one in classes for part in one.body if isinstance(part, Function)}
    loaded = {one.id for one in nodes if isinstance(one, ast.Name)}
    return {name: ast.Constant(value=None) for name in nested - loaded - methods}


def _note(node: ast.AST, stores: _Stores) -> None:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            stores.values[name] = value
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            stores.counted[name] += 1
        case ast.AugAssign(target=ast.Name(id=name)):
            stores.counted[name] += 2
        case ast.arguments() | ast.ClassDef() | ast.Global() | ast.Nonlocal():
            stores.counted.update(dict.fromkeys(_named_elsewhere(node), 2))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _GROWING:
            stores.growing.add(name)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
            stores.growing.add(name)


def _named_elsewhere(node: ast.arguments | ast.ClassDef | ast.Global | ast.Nonlocal) -> set[str]:
    """Names that belong to another scope, where they have values of their own."""
    if isinstance(node, ast.arguments):
        return {one.arg for one in _parameters(node)}
    if isinstance(node, ast.ClassDef):
        return {target.id for one in node.body for target in _targets(one)}
    return set(node.names)


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (one for one in (arguments.vararg, arguments.kwarg) if one)


def _targets(statement: ast.stmt) -> Iterator[ast.Name]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    yield from (one for one in targets if isinstance(one, ast.Name))
