"""The tests of Python files, with what each of them checks."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loomstack_mcp.core.tampering.model import (
    CASE_STEPS_MAX,
    FILE_STEPS_MAX,
    TEST_STEPS_MAX,
    Assertion,
    Inventory,
    Skip,
    Test,
    digest,
    unreadable,
)
from loomstack_mcp.core.tampering.python.asserts import RAISES
from loomstack_mcp.core.tampering.python.flow import (
    Function,
    Scope,
    assertions_of,
    may_skip,
    starts_with_skip,
    unused_functions,
)
from loomstack_mcp.core.tampering.python.marks import cases_of, mocks_of, skip_of, strictest
from loomstack_mcp.core.tampering.python.names import Names, is_large, is_plain, last_name, names_of, truth

NOT_PYTHON = "not valid Python"
"""The error of a file that Python cannot parse, though another, newer one might."""
_HOSTILE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What a text that is no Python, or too much of it, makes the parser and the printer raise."""


def python_inventories(files: Mapping[str, bytes]) -> dict[str, Inventory]:
    """The tests of each file; helpers are looked up in all of them. Never raises: see `Inventory.error`."""
    parsed: dict[str, ast.Module] = {}
    found: dict[str, Inventory] = {}
    for path, content in files.items():
        read = _parsed(content)
        if isinstance(read, str):
            found[path] = Inventory(path=path, error=read)
        else:
            parsed[path] = read
    shared = {name: one for module in parsed.values() for name, one in _helpers(module.body).items()}
    for path, module in parsed.items():
        try:
            found[path] = _File(path, module, shared).inventory()
        except _HOSTILE as error:
            found[path] = Inventory(path=path, error=f"cannot be read ({type(error).__name__})")
    return found


def _parsed(content: bytes) -> ast.Module | str:
    if why := unreadable(content):
        return why
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (RecursionError, MemoryError):
        return "nested too deep"
    except SyntaxError as error:
        return "not text in its encoding" if re.search("encod|codec", error.msg) else NOT_PYTHON
    except (ValueError, OverflowError):
        return NOT_PYTHON


def _helpers(body: Sequence[ast.stmt], prefix: str = "") -> dict[str, Function]:
    """Functions that assert something, themselves or through another one."""
    functions = {one.name: one for one in body if isinstance(one, Function) and not one.name.startswith("test")}
    direct = {name for name, one in functions.items() if _asserts(one, set())}
    indirect = {name for name, one in functions.items() if _asserts(one, direct)}
    return {prefix + name: functions[name] for name in direct | indirect}


def _asserts(function: Function, helpers: set[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = last_name(node)
            if name in RAISES or name in helpers or name == "fail" or name.startswith("assert"):
                return True
    return False


@dataclass(frozen=True)
class _Place:
    """What the class and the conditions around a function say about it."""

    group: str = ""
    skip: Skip = ""
    marks: tuple[ast.expr, ...] = ()
    uncollected: str = ""
    helpers: Mapping[str, Function] | None = None
    mocked: tuple[tuple[str, str], ...] = ()


class _File:
    """One file while it is read."""

    def __init__(self, path: str, module: ast.Module, shared: Mapping[str, Function]) -> None:
        self._path = path
        self._module = module
        self._imported = frozenset(_imported(module.body))
        self._defined = frozenset(one.name for one in module.body if isinstance(one, Function | ast.ClassDef))
        own = _helpers(module.body)
        self._helpers = {**{name: one for name, one in shared.items() if name in self._imported}, **own}
        self._values = _constants(module.body)
        self._loaded = Counter(
            node.id if isinstance(node, ast.Name) else node.attr
            for node in ast.walk(module)
            if isinstance(node, ast.Name | ast.Attribute)
        )
        self._left = FILE_STEPS_MAX
        self._known: dict[str, dict[str, Names]] = {}
        classes = [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
        self._bases = {last_name(base) for one in classes if _looks_like_tests(one) for base in one.bases}

    def inventory(self) -> Inventory:
        body = self._module.body
        marks = tuple(_pytestmark(body))
        place = _Place(
            skip=strictest([_body_skip(body), skip_of(marks, self._values)]),
            marks=marks,
            uncollected="the file says __test__ = False" if _assigned_false(body, "__test__") else "",
        )
        tests = tuple(self._tests(body, place))
        return Inventory(path=self._path, tests=tests, imported=self._imported, defined=self._defined)

    def _tests(self, body: Sequence[ast.stmt], place: _Place) -> Iterator[Test]:
        last = {one.name: one for one in body if isinstance(one, Function | ast.ClassDef)}
        undone = _undone(body)
        for one in body:
            inner = place
            if isinstance(one, Function | ast.ClassDef):
                why = "the file takes its name away again" if one.name in undone else ""
                if last[one.name] is not one and not _is_overload(one):
                    why = "a later one of the same name hides it"
                inner = replace(place, uncollected=place.uncollected or why)
            match one:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield from self._test(one, inner)
                case ast.ClassDef():
                    yield from self._tests(one.body, self._inside(one, inner))
                case ast.If(test=test, body=first, orelse=second):
                    never = replace(place, uncollected=place.uncollected or "it is defined under a false condition")
                    known = truth(test)
                    yield from self._tests(first, never if known is False else place)
                    yield from self._tests(second, never if known is True else place)
                case ast.Try(body=first, orelse=second, handlers=handlers):
                    yield from self._tests([*first, *second], place)
                    yield from (test for handler in handlers for test in self._tests(handler.body, place))

    def _inside(self, one: ast.ClassDef, place: _Place) -> _Place:
        marks = (*one.decorator_list, *_pytestmark(one.body))
        setup = [
            part.body
            for part in one.body
            if isinstance(part, Function)
            and part.name in ("setUp", "setup_method", "setUpClass", "setup_class", "asyncSetUp")
        ]
        skips = [place.skip, skip_of(marks, self._values), _body_skip(one.body)]
        skips += ["always" for part in setup if starts_with_skip(part)]
        return _Place(
            group=f"{place.group}.{one.name}" if place.group else one.name,
            skip=strictest(skips),
            marks=(*place.marks, *marks),
            uncollected=place.uncollected or self._why_not(one),
            helpers={**(place.helpers or self._helpers), **_helpers(one.body, "self.")},
            mocked=(
                *place.mocked,
                *mocks_of([*one.decorator_list, *(part for lines in setup for part in lines)], self._imported),
            ),
        )

    def _why_not(self, one: ast.ClassDef) -> str:
        if _assigned_false(one.body, "__test__"):
            return "its class says __test__ = False"
        if not _looks_like_tests(one) and one.name not in self._bases:
            return "the name of its class does not start with Test"
        named_init = any(isinstance(part, Function) and part.name == "__init__" for part in one.body)
        return "its class has an __init__" if named_init and not one.bases else ""

    def _test(self, function: Function, place: _Place) -> Iterator[Test]:
        is_test = function.name.startswith("test")
        fixture = any(last_name(one) in ("fixture", "yield_fixture") for one in function.decorator_list)
        if fixture or (not is_test and (self._loaded[function.name] or not _asserts(function, set()))):
            return
        reason = "" if is_test else "its name does not start with test"
        if _yields(function):
            reason = "it yields, and generators are not run as tests"
        yield self._read(function, place, place.uncollected or reason)

    def _read(self, function: Function, place: _Place, uncollected: str) -> Test:
        names = names_of(function)
        values = {**self._values, **names.values, **unused_functions(function)}
        known = self._known.setdefault(place.group, {})
        scope = Scope(values, place.helpers or self._helpers, known=known)
        marks = (*place.marks, *function.decorator_list)
        cases = cases_of(marks, self._values)
        skips = [place.skip, skip_of(marks, self._values), cases.skip]
        if starts_with_skip(function.body):
            skips.append("always")
        elif may_skip(function.body):
            skips.append("when")
        expanded: list[Assertion] = []
        for one in cases.values:
            case = replace(scope, values={**values, **one}, given=frozenset(one))
            expanded += self._followed(function, case, CASE_STEPS_MAX)
        return Test(
            name=function.name,
            group=place.group,
            line=function.lineno,
            assertions=self._followed(function, scope, TEST_STEPS_MAX),
            expanded=tuple(expanded),
            skip=strictest(skips),
            cases=cases.count,
            skipped_cases=cases.skipped,
            mocked=(*place.mocked, *mocks_of([function], self._imported)),
            body=digest("".join(ast.dump(one) for one in _undocumented(function.body))),
            names=names.local - set(names.values),
            uncollected=uncollected,
        )

    def _followed(self, function: Function, scope: Scope, steps_max: int) -> tuple[Assertion, ...]:
        """The assertions of a function, as far as the file's steps last."""
        given = max(0, min(steps_max, self._left))
        left = [given]
        found = assertions_of(function, replace(scope, left=left))
        self._left -= given - left[0]
        return found


def _looks_like_tests(one: ast.ClassDef) -> bool:
    return one.name.startswith("Test") or any("Test" in last_name(base) for base in one.bases)


def _is_overload(one: Function | ast.ClassDef) -> bool:
    names = {last_name(mark) for mark in one.decorator_list}
    return bool(names & {"overload", "setter", "getter", "deleter", "register", "route", "fixture"})


def _undocumented(body: list[ast.stmt]) -> list[ast.stmt]:
    documented = body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1:] if documented else body


def _yields(function: Function) -> bool:
    inner = {
        part
        for one in ast.walk(function)
        if isinstance(one, Function | ast.Lambda) and one is not function
        for part in ast.walk(one)
    }
    return any(isinstance(one, ast.Yield | ast.YieldFrom) and one not in inner for one in ast.walk(function))


def _imported(body: Sequence[ast.stmt]) -> Iterator[str]:
    for one in body:
        match one:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name).split(".")[0] for alias in names)
            case ast.Try(body=inner) | ast.If(body=inner):
                yield from _imported(inner)


def _constants(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Names of the file that stand for one plain value or one mark."""
    counted = Counter(
        target.id
        for one in body
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name)
    )
    found: dict[str, ast.expr] = {}
    for one in body:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if counted[name] == 1:
                mark = isinstance(value, ast.Call | ast.Attribute) and "mark" in ast.dump(value)[:400]
                table = isinstance(value, ast.List | ast.Tuple)
                if mark or table or (is_plain(value) and not is_large(value)):
                    found[name] = value
    return found


def _pytestmark(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    for one in body:
        match one:
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=ast.List(elts=marks) | ast.Tuple(elts=marks)):
                yield from marks
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=mark):
                yield mark


def _body_skip(body: Sequence[ast.stmt]) -> Skip:
    """Whether a whole file or class is skipped: by a call on its top level, or by a fixture that all its tests use."""
    skips: list[Skip] = []
    for one in body:
        match one:
            case ast.FunctionDef(decorator_list=marks, body=inner) if any(map(_is_autouse, marks)):
                skips += ["always"] if starts_with_skip(inner) else []
            case ast.Expr(value=ast.Call()) | ast.Raise():
                skips += ["always"] if starts_with_skip([one]) else ["when"] if may_skip([one]) else []
            case ast.If(test=test):
                skips += ["always"] if starts_with_skip([one]) else []
                skips += ["when"] if truth(test) is None and may_skip([one]) else []
    return strictest(skips)


def _is_autouse(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and any(
        one.arg == "autouse" and isinstance(one.value, ast.Constant) and one.value.value is True
        for one in mark.keywords
    )


def _assigned_false(body: Sequence[ast.stmt], name: str) -> bool:
    return any(
        isinstance(one, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in one.targets)
        and truth(one.value) is False
        for one in body
    )


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
