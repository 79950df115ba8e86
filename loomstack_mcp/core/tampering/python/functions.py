"""One Python test function, with the class around it, as a record of all that it checks."""

import ast
from collections.abc import Mapping
from dataclasses import replace

from loomstack_mcp.core.records import record
from loomstack_mcp.core.tampering.model import (
    CASE_STEPS_MAX,
    FILE_STEPS_MAX,
    TEST_STEPS_MAX,
    Assertion,
    Skip,
    Test,
    digest,
)
from loomstack_mcp.core.tampering.python.cases import Cases, cases_of
from loomstack_mcp.core.tampering.python.flow import assertions_of
from loomstack_mcp.core.tampering.python.local_names import Function, LocalNames, names_of, unused_functions
from loomstack_mcp.core.tampering.python.mocks import mocks_of
from loomstack_mcp.core.tampering.python.module_names import ModuleNames
from loomstack_mcp.core.tampering.python.scope import FlowScope
from loomstack_mcp.core.tampering.python.skip_calls import may_skip, starts_with_skip
from loomstack_mcp.core.tampering.python.skips import skip_of, strictest_skip


@record
class FunctionSetting:
    """What the file, the class and the conditions around a function say about it."""

    helpers: Mapping[str, Function]
    """Functions that assert something, as calls name them here."""
    group: str = ""
    skip: Skip = ""
    marks: tuple[ast.expr, ...] = ()
    mocked: tuple[tuple[str, str], ...] = ()
    uncollected: str = ""

    def passed_by(self, why: str) -> "FunctionSetting":
        """The same, and not looked into by a runner if there is a reason why; the first reason stays."""
        return replace(self, uncollected=self.uncollected or why)


class FunctionReader:
    """Reads the test functions of one file, all of them together no further than the file's steps last."""

    def __init__(self, names: ModuleNames) -> None:
        self._names = names
        self._left = FILE_STEPS_MAX
        self._known: dict[str, dict[str, LocalNames]] = {}

    def test_of(self, function: Function, place: FunctionSetting, uncollected: str) -> Test:
        """The record of one function."""
        names = names_of(function)
        values = {**self._names.values, **names.values, **unused_functions(function)}
        scope = FlowScope(values, place.helpers, known=self._known.setdefault(place.group, {}))
        marks = (*place.marks, *function.decorator_list)
        cases = cases_of(marks, self._names.values)
        expanded = self._by_case(function, scope, cases)
        return Test(
            name=function.name,
            group=place.group,
            line=function.lineno,
            assertions=self._followed(function, scope, TEST_STEPS_MAX),
            expanded=expanded,
            skip=strictest_skip([place.skip, skip_of(marks, self._names.values), cases.skip, _own_skip(function)]),
            cases=cases.count,
            skipped_cases=cases.skipped,
            mocked=(*place.mocked, *mocks_of([function], self._names.imported)),
            body=digest("".join(ast.dump(one) for one in _without_docstring(function.body))),
            names=names.local - set(names.values),
            uncollected=uncollected,
        )

    def _by_case(self, function: Function, scope: FlowScope, cases: Cases) -> tuple[Assertion, ...]:
        found: list[Assertion] = []
        for one in cases.values:
            case = replace(scope, values={**scope.values, **one}, given=frozenset(one))
            found += self._followed(function, case, CASE_STEPS_MAX)
        return tuple(found)

    def _followed(self, function: Function, scope: FlowScope, steps_max: int) -> tuple[Assertion, ...]:
        """The assertions of a function, as far as the file's steps last."""
        given = max(0, min(steps_max, self._left))
        left = [given]
        found = assertions_of(function, replace(scope, left=left))
        self._left -= given - left[0]
        return found


def _own_skip(function: Function) -> Skip:
    if starts_with_skip(function.body):
        return "always"
    return "when" if may_skip(function.body) else ""


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    documented = body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1:] if documented else body
