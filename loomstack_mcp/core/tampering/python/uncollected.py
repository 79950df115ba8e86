"""Why a test runner passes by a Python function or class that is there, in the words of `Test.uncollected`."""

import ast
from collections.abc import Sequence

from loomstack_mcp.core.tampering.python.local_names import Function
from loomstack_mcp.core.tampering.python.module_names import ModuleNames, looks_like_tests
from loomstack_mcp.core.tampering.python.names import last_name
from loomstack_mcp.core.tampering.python.truth import truth

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_MANY_OF_ONE_NAME = {"overload", "setter", "getter", "deleter", "register", "route", "fixture"}
"""Decorators that keep a function although a later one takes its name."""


class Hidden:
    """Of one body, the names that do not stand for each of their definitions when it has run."""

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self._last = {one.name: one for one in body if isinstance(one, Definition)}
        self._undone = _undone(body)

    def why(self, one: Definition) -> str:
        """Why a runner cannot find the definition by its name; empty where it can."""
        # Python keeps what a name was given last; the test above it is never seen by anyone.
        if self._last[one.name] is not one and not _is_one_of_many(one):
            return "a later one of the same name hides it"
        return "the file takes its name away again" if one.name in self._undone else ""


def says_no_tests(body: Sequence[ast.stmt]) -> bool:
    """Whether a file or class says `__test__ = False`, which pytest and nose heed."""
    off = [one for one in body if isinstance(one, ast.Assign) and truth(one.value) is False]
    targets = [target for one in off for target in one.targets]
    return any(isinstance(one, ast.Name) and one.id == "__test__" for one in targets)


def why_not_class(one: ast.ClassDef, names: ModuleNames) -> str:
    """Why a runner does not look into a class; empty where it does."""
    if says_no_tests(one.body):
        return "its class says __test__ = False"
    if not looks_like_tests(one) and one.name not in names.bases_of_tests:
        return "the name of its class does not start with Test"
    # pytest makes an instance without arguments and passes by a class that may want some; unittest's own have one.
    named_init = any(isinstance(part, Function) and part.name == "__init__" for part in one.body)
    return "its class has an __init__" if named_init and not one.bases else ""


def why_not_function(function: Function) -> str:
    """Why a runner does not run a function as a test; empty where it does."""
    if _yields(function):  # pytest has run none since 4.0, and refuses them by now
        return "it yields, and generators are not run as tests"
    return "" if function.name.startswith("test") else "its name does not start with test"


def _is_one_of_many(one: Definition) -> bool:
    return bool({last_name(mark) for mark in one.decorator_list} & _MANY_OF_ONE_NAME)


def _yields(function: Function) -> bool:
    nested = [one for one in ast.walk(function) if isinstance(one, Function | ast.Lambda) and one is not function]
    inner = {part for one in nested for part in ast.walk(one)}
    return any(isinstance(one, ast.Yield | ast.YieldFrom) and one not in inner for one in ast.walk(function))


def _undone(body: Sequence[ast.stmt]) -> set[str]:
    """Names that the body takes away or switches off after it has defined them."""
    defined: set[str] = set()
    found: set[str] = set()
    for one in body:
        match one:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                defined.add(name)
            case ast.Delete(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)} & defined
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()) if name in defined:
                found.add(name)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr="__test__")]) if name in defined:
                found.add(name)
    return found
