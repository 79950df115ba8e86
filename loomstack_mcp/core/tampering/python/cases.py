"""The cases of a parametrised Python test, with their values where they are literals."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from loomstack_mcp.core.tampering.model import CASES_MAX, Skip
from loomstack_mcp.core.tampering.python.names import Values, bindings, last_name
from loomstack_mcp.core.tampering.python.skips import skip_of
from loomstack_mcp.core.tampering.python.spelling import filled


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
    for mark in _parametrize_calls(marks):
        listed = _literal_list(filled(mark.args[1], values))
        if listed is None:
            count = 0
            continue
        live = [one for one in listed if not _is_skipped(one, values)]
        skipped += len(listed) - len(live)
        if not live:
            # pytest skips a test whose set of parameters is empty (`empty_parameter_set_mark`).
            return Cases(skip="always", skipped=skipped)
        count *= len(live)
        names = _argument_names(mark.args[0])
        sets.append([_values_of_case(names, one) for one in live])
    if not sets or not count or count > CASES_MAX:
        return Cases(count=count, skipped=skipped)
    merged = tuple({key: one for part in parts for key, one in part.items()} for parts in product(*sets))
    return Cases(count=count, values=merged, skipped=skipped)


def _parametrize_calls(marks: Sequence[ast.expr]) -> list[ast.Call]:
    calls = [one for one in marks if isinstance(one, ast.Call)]
    return [one for one in calls if last_name(one) == "parametrize" and len(one.args) > 1]


def _literal_list(node: ast.expr) -> list[ast.expr] | None:
    """The elements; None where not all of them stand there."""
    if not isinstance(node, ast.List | ast.Tuple) or any(isinstance(one, ast.Starred) for one in node.elts):
        return None
    return node.elts


def _is_skipped(case: ast.expr, values: Values) -> bool:
    if not (isinstance(case, ast.Call) and last_name(case) == "param"):
        return False
    return any(one.arg == "marks" and skip_of([one.value], values) == "always" for one in case.keywords)


def _argument_names(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str() as text):
            return [one.strip() for one in text.split(",") if one.strip()]
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return []


def _values_of_case(names: list[str], case: ast.expr) -> dict[str, ast.expr]:
    if isinstance(case, ast.Call) and last_name(case) == "param":
        case = case.args[0] if len(case.args) == 1 else ast.Tuple(elts=case.args, ctx=ast.Load())
    if len(names) == 1:
        return {names[0]: case}
    return bindings(ast.Tuple(elts=[ast.Name(id=one) for one in names], ctx=ast.Store()), case)
