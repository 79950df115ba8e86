"""What the top level of a Python test file imports, defines and calls by name."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.python.asserting import asserting_functions
from loomstack_mcp.core.tampering.python.local_names import Function
from loomstack_mcp.core.tampering.python.names import Values, last_name
from loomstack_mcp.core.tampering.python.spelling import is_large, is_plain


@record
class ModuleNames:
    """The names of one file."""

    imported: frozenset[str]
    defined: frozenset[str]
    values: Values
    """Those that stand for one plain value, list or mark."""
    helpers: Mapping[str, Function]
    """Functions that assert something: its own, and those that it imports."""
    loaded: Counter[str]
    """How often the file uses each name."""
    bases_of_tests: frozenset[str]
    """What its classes of tests inherit from, so that a base class is collected by way of them."""


def names_of_module(module: ast.Module, shared: Mapping[str, Function]) -> ModuleNames:
    """The names of a parsed file; `shared` holds the functions that assert something of all files."""
    imported = frozenset(_imported(module.body))
    from_others = {name: one for name, one in shared.items() if name in imported}
    return ModuleNames(
        imported=imported,
        defined=frozenset(one.name for one in module.body if isinstance(one, Function | ast.ClassDef)),
        values=_constants(module.body),
        helpers={**from_others, **asserting_functions(module.body)},
        loaded=_loaded(module),
        bases_of_tests=frozenset(_bases_of_tests(module)),
    )


def looks_like_tests(one: ast.ClassDef) -> bool:
    """Whether a class says by its name, or by that of what it inherits from, that it holds tests."""
    return one.name.startswith("Test") or any("Test" in last_name(base) for base in one.bases)


def _imported(body: Sequence[ast.stmt]) -> Iterator[str]:
    for one in body:
        match one:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name).split(".")[0] for alias in names)
            case ast.Try(body=inner) | ast.If(body=inner):
                yield from _imported(inner)


def _constants(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    assignments = [one for one in body if isinstance(one, ast.Assign)]
    targets = [target.id for one in assignments for target in one.targets if isinstance(target, ast.Name)]
    counted = Counter(targets)
    found: dict[str, ast.expr] = {}
    for one in assignments:
        match one.targets:
            case [ast.Name(id=name)] if counted[name] == 1 and _may_stand_for(one.value):
                found[name] = one.value
    return found


def _may_stand_for(value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Tuple):
        return True
    mark = isinstance(value, ast.Call | ast.Attribute) and "mark" in ast.dump(value)[:400]
    return mark or (is_plain(value) and not is_large(value))


def _loaded(module: ast.Module) -> Counter[str]:
    named = (node for node in ast.walk(module) if isinstance(node, ast.Name | ast.Attribute))
    return Counter(node.id if isinstance(node, ast.Name) else node.attr for node in named)


def _bases_of_tests(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and looks_like_tests(node):
            yield from (last_name(base) for base in node.bases)
