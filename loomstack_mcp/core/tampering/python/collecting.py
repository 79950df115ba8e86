"""Which functions of a Python file are tests, found by a runner or only passed by, and what stands around each."""

import ast
from collections.abc import Iterator, Sequence

from loomstack_mcp.core.tampering.model import Skip, Test
from loomstack_mcp.core.tampering.python.asserting import asserting_functions, asserts
from loomstack_mcp.core.tampering.python.functions import FunctionReader, FunctionSetting
from loomstack_mcp.core.tampering.python.local_names import Function
from loomstack_mcp.core.tampering.python.mocks import mocks_of
from loomstack_mcp.core.tampering.python.module_names import ModuleNames
from loomstack_mcp.core.tampering.python.names import last_name
from loomstack_mcp.core.tampering.python.skip_calls import starts_with_skip
from loomstack_mcp.core.tampering.python.skips import body_skip, skip_of, strictest_skip
from loomstack_mcp.core.tampering.python.truth import truth
from loomstack_mcp.core.tampering.python.uncollected import Hidden, says_no_tests, why_not_class, why_not_function

_SET_UPS = ("setUp", "setup_method", "setUpClass", "setup_class", "asyncSetUp")


class Collector:
    """Goes through one file as a runner does, and notes what it would pass by as well."""

    def __init__(self, names: ModuleNames) -> None:
        self._names = names
        self._reader = FunctionReader(names)

    def tests(self, module: ast.Module) -> Iterator[Test]:
        """The tests of the file, in its order; those that a runner does not find say why not."""
        marks = tuple(_pytestmark(module.body))
        place = FunctionSetting(
            helpers=self._names.helpers,
            skip=strictest_skip([body_skip(module.body), skip_of(marks, self._names.values)]),
            marks=marks,
            uncollected="the file says __test__ = False" if says_no_tests(module.body) else "",
        )
        return self._tests(module.body, place)

    def _tests(self, body: Sequence[ast.stmt], place: FunctionSetting) -> Iterator[Test]:
        hidden = Hidden(body)
        for one in body:
            match one:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield from self._test(one, place.passed_by(hidden.why(one)))
                case ast.ClassDef():
                    yield from self._tests(one.body, self._inside(one, place.passed_by(hidden.why(one))))
                case ast.If() | ast.Try():
                    for inner, around in _inner_bodies(one, place):
                        yield from self._tests(inner, around)

    def _test(self, function: Function, place: FunctionSetting) -> Iterator[Test]:
        is_test = function.name.startswith("test")
        fixture = any(last_name(one) in ("fixture", "yield_fixture") for one in function.decorator_list)
        helps = not is_test and (self._names.loaded[function.name] or not asserts(function))
        if not fixture and not helps:
            yield self._reader.test_of(function, place, place.uncollected or why_not_function(function))

    def _inside(self, one: ast.ClassDef, place: FunctionSetting) -> FunctionSetting:
        """What stands around the functions of a class."""
        marks = (*one.decorator_list, *_pytestmark(one.body))
        set_ups = [part.body for part in one.body if isinstance(part, Function) and part.name in _SET_UPS]
        set_up_skips: list[Skip] = ["always" for part in set_ups if starts_with_skip(part)]
        replacing = [*one.decorator_list, *(statement for part in set_ups for statement in part)]
        return FunctionSetting(
            group=f"{place.group}.{one.name}" if place.group else one.name,
            skip=strictest_skip([place.skip, skip_of(marks, self._names.values), body_skip(one.body), *set_up_skips]),
            marks=(*place.marks, *marks),
            uncollected=place.uncollected or why_not_class(one, self._names),
            helpers={**place.helpers, **asserting_functions(one.body, prefix="self.")},
            mocked=(*place.mocked, *mocks_of(replacing, self._names.imported)),
        )


def _inner_bodies(
    statement: ast.If | ast.Try, place: FunctionSetting
) -> Iterator[tuple[Sequence[ast.stmt], FunctionSetting]]:
    """The blocks of a statement on the top level, each with what is known of it."""
    if isinstance(statement, ast.If):
        known = truth(statement.test)
        never = place.passed_by("it is defined under a false condition")
        yield statement.body, never if known is False else place
        yield statement.orelse, never if known is True else place
    else:
        yield [*statement.body, *statement.orelse], place
        for handler in statement.handlers:
            yield handler.body, place


def _pytestmark(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    for one in body:
        match one:
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=ast.List(elts=marks) | ast.Tuple(elts=marks)):
                yield from marks
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=mark):
                yield mark
