"""Python expressions spelled in one way, whatever the local variables in between."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loomstack_mcp.core.tampering.model import digest

INLINED_NODES_MAX = 80
"""Larger values stay behind their name."""
SPELLED_NODES_MAX = 400
"""One expression with everything put in; beyond that the names stay."""
SPELLED_CHARS_MAX = 1_000
"""Longer texts end in a hash."""
_CONTAINERS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_GROWING = {"append", "add", "extend", "update", "insert", "setdefault", "pop", "write"}
"""A literal on whose name one of these is called is not its value for long."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The local names of one function."""

    values: Mapping[str, ast.expr]
    """Those with a single assignment, and what it assigns."""
    local: frozenset[str]
    """All of them, with the parameters."""


@dataclass
class _Stores:
    counted: Counter[str] = field(default_factory=Counter)
    values: dict[str, ast.expr] = field(default_factory=dict)
    growing: set[str] = field(default_factory=set)


def names_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Names:
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
        and not (name in stores.growing and isinstance(value, (*_CONTAINERS, ast.Call)))
        and not is_large(value)
    }
    return Names(values=values, local=frozenset(parameters | set(stores.counted)))


def is_large(node: ast.AST) -> bool:
    return sum(1 for _ in zip(ast.walk(node), range(INLINED_NODES_MAX + 1), strict=False)) > INLINED_NODES_MAX


def is_plain(node: ast.expr) -> bool:
    """Whether the expression is made of constants alone."""
    allowed = (ast.Constant, *_CONTAINERS, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.expr_context)
    return all(isinstance(part, allowed) for part in ast.walk(node))


def filled(node: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with each name replaced by what it stands for."""
    if not any(isinstance(part, ast.Name) and part.id in values for part in ast.walk(node)):
        return node
    return _Filling(values).visit_copy(node)


def spelled(node: ast.expr, values: Mapping[str, ast.expr]) -> str:
    """The text of the expression with each name replaced by what it stands for."""
    whole = filled(node, values)
    try:
        text = ast.unparse(whole)
    except ValueError:  # nested quotes in an f-string that this Python cannot write
        text = ast.dump(whole)
    return text if len(text) <= SPELLED_CHARS_MAX else text[:SPELLED_CHARS_MAX] + digest(text)


def last_name(node: ast.AST) -> str:
    """`raises` of `pytest.raises`, and of `pytest.raises(...)`; empty where the expression has no name."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST) -> str:
    """`pytest.mark.skip`, also of a call of it; empty where it is not only names and dots."""
    if isinstance(node, ast.Call):
        node = node.func
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def truth(node: ast.expr) -> bool | None:
    """What a condition made of constants comes to; None where it depends on something."""
    match node:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(operand)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            known = [truth(value) for value in values]
            decisive = isinstance(op, ast.Or)
            if decisive in known:
                return decisive
            return None if None in known else not decisive
        case ast.Lambda() | ast.JoinedStr(values=[ast.Constant(), *_]):
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return None if any(isinstance(part, ast.Starred) for part in parts) else bool(parts)
        case ast.Dict(keys=keys):
            return bool(keys) if None not in keys else None
        case ast.Constant(value=value):
            return bool(value)
    return _compared(node)


def _compared(node: ast.expr) -> bool | None:
    """Comparisons that always hold: of constants, of a thing with itself, of a length with zero."""
    match node:
        case ast.Compare(left=ast.Call(func=ast.Name(id="len")), ops=[ast.GtE()], comparators=[ast.Constant(value=0)]):
            return True
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            same = ast.dump(left) == ast.dump(right)
            if same and not any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(left)):
                return isinstance(op, ast.Eq | ast.Is | ast.LtE | ast.GtE)
            if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
                return not same if isinstance(op, ast.NotEq | ast.IsNot) else True if same else None
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return True
    return None


class _Filling:
    """Copies an expression while it fills it; stops putting values in where it would grow too large."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self._values = values
        self._left = SPELLED_NODES_MAX

    def visit_copy(self, node: ast.expr) -> ast.expr:
        copied = self._copied(node, frozenset())
        assert isinstance(copied, ast.expr)
        return copied

    def _copied(self, node: ast.AST, open_names: frozenset[str]) -> ast.AST:
        self._left -= 1
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


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (one for one in (arguments.vararg, arguments.kwarg) if one)


def _targets(statement: ast.stmt) -> Iterator[ast.Name]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    yield from (one for one in targets if isinstance(one, ast.Name))


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
        case ast.arguments():
            stores.counted.update(dict.fromkeys((one.arg for one in _parameters(node)), 2))
        case ast.ClassDef(body=body):
            names = {target.id for one in body for target in _targets(one)}
            stores.counted.update(dict.fromkeys(names, 2))
        case ast.Global(names=several) | ast.Nonlocal(names=several):
            stores.counted.update(dict.fromkeys(several, 2))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _GROWING:
            stores.growing.add(name)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
            stores.growing.add(name)
