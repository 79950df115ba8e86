"""What decorators and marks do to a Python test: skips, cases, replaced names."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from loomstack_mcp.core.tampering.model import CASES_MAX, Skip
from loomstack_mcp.core.tampering.python.flow import pairs
from loomstack_mcp.core.tampering.python.names import dotted, filled, last_name, truth

Values = Mapping[str, ast.expr]
_ALWAYS = {"skip", "expectedFailure", "SkipTest"}
_CONDITIONAL = {"skipif", "skipIf", "skipUnless", "skip_unless", "skip_if"}
_MARK_ROOTS = {"pytest", "unittest", "mark", "skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure"}
_OLDEST_PYTHON = (3, 9)
"""A condition that holds for every Python from here on holds always."""


def strictest(skips: Sequence[Skip]) -> Skip:
    """The one that skips most."""
    return "always" if "always" in skips else "when" if "when" in skips else ""


def skip_of(marks: Sequence[ast.expr], values: Values) -> Skip:
    """What a list of decorators or marks says about whether the test runs; a name stands for what it was given."""
    return strictest([_skip(filled(mark, values), values) for mark in marks])


def _skip(mark: ast.expr, values: Values) -> Skip:
    name = last_name(mark)
    if isinstance(mark, ast.List | ast.Tuple):
        return skip_of(mark.elts, values)
    if dotted(mark).split(".")[0] not in _MARK_ROOTS:
        return ""
    call = mark if isinstance(mark, ast.Call) else None
    if name in _ALWAYS:
        return "always"
    if name == "xfail":
        given = call is not None and (call.args or any(one.arg == "condition" for one in call.keywords))
        return _condition(call, values) if call and given else "always"
    if name in _CONDITIONAL and call:
        return _condition(call, values, wanted="nless" not in name)
    return ""


def _condition(call: ast.Call, values: Values, *, wanted: bool = True) -> Skip:
    named = [one.value for one in call.keywords if one.arg == "condition"]
    first = (call.args[:1] or named)[:1]
    if not first:
        return "always"
    condition = filled(first[0], values)
    if isinstance(condition, ast.Constant) and isinstance(condition.value, str):
        return "always" if condition.value.strip() in ("True", "1") else "when"
    known = truth(condition) if truth(condition) is not None else _always_so(condition)
    if known is not None:
        return "always" if known is wanted else ""
    asks_environment = any(
        isinstance(part, ast.Attribute | ast.Name) and last_name(part) in ("environ", "getenv")
        for part in ast.walk(condition)
    )
    # Whoever runs the tests sets the environment, so that a condition on it can skip them for good.
    return "always" if asks_environment else "when"


def _always_so(condition: ast.expr) -> bool | None:
    match condition:
        case ast.Compare(left=left, ops=[op], comparators=[ast.Tuple(elts=parts)]) if (
            dotted(left) == "sys.version_info"
        ):
            bound = tuple(one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, int))
            if isinstance(op, ast.Gt | ast.GtE) and bound <= _OLDEST_PYTHON:
                return True
            if isinstance(op, ast.Lt | ast.LtE) and bound >= (4,):
                return True
    return None


@dataclass(frozen=True)
class Cases:
    """How often a test runs, and with which values where they are literals."""

    count: int = 1
    """0 where it cannot be read."""
    values: tuple[dict[str, ast.expr], ...] = ()
    skip: Skip = ""
    skipped: int = 0


def cases_of(marks: Sequence[ast.expr], values: Values) -> Cases:
    """The cases of all `parametrize` marks together, those that are skipped left out."""
    sets: list[list[dict[str, ast.expr]]] = []
    count, skipped = 1, 0
    for mark in marks:
        if not (isinstance(mark, ast.Call) and last_name(mark) == "parametrize" and len(mark.args) > 1):
            continue
        listed = filled(mark.args[1], values)
        if not isinstance(listed, ast.List | ast.Tuple) or any(isinstance(one, ast.Starred) for one in listed.elts):
            count = 0
            continue
        live = [one for one in listed.elts if not _skipped(one, values)]
        skipped += len(listed.elts) - len(live)
        if not live:
            return Cases(skip="always", skipped=skipped)
        count *= len(live)
        names = _arguments(mark.args[0])
        sets.append([_bound(names, one) for one in live])
    if not sets or not count or count > CASES_MAX:
        return Cases(count=count, skipped=skipped)
    merged = tuple({key: one for part in parts for key, one in part.items()} for parts in product(*sets))
    return Cases(count=count, values=merged, skipped=skipped)


def _skipped(case: ast.expr, values: Values) -> bool:
    if not (isinstance(case, ast.Call) and last_name(case) == "param"):
        return False
    return any(one.arg == "marks" and skip_of([one.value], values) == "always" for one in case.keywords)


def _arguments(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str() as text):
            return [one.strip() for one in text.split(",") if one.strip()]
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return []


def _bound(names: list[str], case: ast.expr) -> dict[str, ast.expr]:
    if isinstance(case, ast.Call) and last_name(case) == "param":
        case = case.args[0] if len(case.args) == 1 else ast.Tuple(elts=case.args, ctx=ast.Load())
    if len(names) == 1:
        return {names[0]: case}
    return pairs(ast.Tuple(elts=[ast.Name(id=one) for one in names], ctx=ast.Store()), case)


def mocks_of(nodes: Sequence[ast.AST], imported: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What a test replaces, as owner and attribute; an imported name that it defines anew has no owner."""
    for node in (part for one in nodes for part in ast.walk(one)):
        match node:
            case ast.Call(args=args) if last_name(node) in ("patch", "setattr", "object", "setitem", "spy") and args:
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
        case [owner_node, ast.Constant(value=str() as name), *_] if last_name(owner_node) or dotted(owner_node):
            yield last_name(owner_node), name
