"""Which assertions of a Python function can be reached and can fail."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loomstack_mcp.core.tampering.model import CASES_MAX, TEST_STEPS_MAX, Assertion
from loomstack_mcp.core.tampering.python.asserts import RAISES, called, conditions, raising
from loomstack_mcp.core.tampering.python.names import Names, dotted, filled, last_name, names_of, spelled, truth

Function = ast.FunctionDef | ast.AsyncFunctionDef
HELPER_DEPTH_MAX = 3
SKIP_CALLS = {"skip", "skipTest", "SkipTest", "xfail", "Skipped"}
_ENDING_CALLS = SKIP_CALLS | {"fail", "exit", "_exit"}
_SWALLOWED = {"Exception", "BaseException", "AssertionError", "self.failureException"}
_SWALLOWED |= {f"builtins.{name}" for name in _SWALLOWED}
_UNREACHED = "it cannot be reached"


@dataclass(frozen=True)
class Scope:
    """What a function's statements are read with."""

    values: Mapping[str, ast.expr]
    helpers: Mapping[str, Function]
    """Functions of the file with assertions, by name; methods as `self.name`."""
    depth: int = 0
    left: list[int] = field(default_factory=lambda: [TEST_STEPS_MAX])
    """Steps that may still be taken; shared by all that is read from here."""
    known: dict[str, Names] = field(default_factory=dict)
    """The local names of helpers that were read before."""
    dead: str = ""
    guarded: bool = False
    given: frozenset[str] = frozenset()
    """Names whose value is that of one case, one turn of a loop or one call: others have others."""

    def but(self, *, dead: str = "", guarded: bool = False) -> "Scope":
        """The same with more known; what is dead already stays so."""
        return replace(self, dead=self.dead or dead, guarded=self.guarded or guarded)


def assertions_of(function: Function, scope: Scope) -> tuple[Assertion, ...]:
    """The assertions of a test, those of its helpers included, with why each dead one is dead."""
    return tuple(_block(function.body, scope))


def starts_with_skip(body: Sequence[ast.stmt]) -> bool:
    """Whether the block always ends in a skip, before it has asserted anything."""
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Call() as call) if last_name(call) in SKIP_CALLS and _of_runner(call):
                return True
            case ast.Raise(exc=ast.expr() as raised) if last_name(raised) in SKIP_CALLS:
                return True
            case ast.If(test=test, body=inner) if truth(test) is True and starts_with_skip(inner):
                return True
            case ast.Assert() | ast.Return() | ast.Raise() | ast.With() | ast.For() | ast.Try():
                return False
    return False


def may_skip(body: Sequence[ast.stmt]) -> bool:
    """Whether a skip stands anywhere in the block."""
    calls = (node for one in body for node in ast.walk(one) if isinstance(node, ast.Call))
    return any(last_name(call) in (*SKIP_CALLS, "importorskip") and _of_runner(call) for call in calls)


def _of_runner(call: ast.Call) -> bool:
    return dotted(call).split(".")[0] in ("pytest", "self", "cls", "unittest", "skip", "xfail", "SkipTest", "nose")


def _block(body: Sequence[ast.stmt], scope: Scope) -> Iterator[Assertion]:
    ended = False
    for statement in body:
        scope.left[0] -= _steps(statement)
        if scope.left[0] <= 0:
            return
        yield from _statement(statement, scope.but(dead=_UNREACHED) if ended else scope)
        ended = ended or _ends(statement)


def _steps(statement: ast.stmt) -> int:
    if hasattr(statement, "body"):
        return 1
    return 1 + ((statement.end_lineno or 0) - statement.lineno) // 4 + (statement.end_col_offset or 0) // 200


def _statement(statement: ast.stmt, scope: Scope) -> Iterator[Assertion]:
    match statement:
        case ast.Assert(test=test):
            yield from _marked(iter(_asserted(test, statement.lineno, scope)), scope)
        case ast.If() | ast.While():
            yield from _branches(statement, scope)
        case ast.For() | ast.AsyncFor() | ast.Try() | ast.TryStar() | ast.With() | ast.AsyncWith():
            yield from _compound(statement, scope)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            # Whether a nested function is called at all was found out by `unused_functions`.
            never = statement.name in scope.values and isinstance(scope.values[statement.name], ast.Constant)
            yield from _block(statement.body, scope.but(dead="its function is never called") if never else scope)
        case ast.ClassDef(body=body):
            yield from _block(body, scope)
        case ast.Match(cases=cases):
            yield from (one for case in cases for one in _block(case.body, scope.but(guarded=True)))
        case ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError")) as call):
            failing = ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="fail"), args=[], keywords=[])
            yield from _marked(called(ast.copy_location(failing, call), scope.values), scope)
        case ast.Expr(value=value) | ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
            yield from _expression(value, scope)


def _asserted(test: ast.expr, line: int, scope: Scope) -> list[Assertion]:
    """The parts of one `assert`; what always holds for one case may not hold for another, and is not dead for that."""
    found = list(conditions(test, scope.values, line))
    if scope.given and any(one.dead for one in found):
        always = {name: value for name, value in scope.values.items() if name not in scope.given}
        plain = list(conditions(test, always, line))
        if len(plain) == len(found):
            return [replace(one, dead=bare.dead, weight=bare.weight) for one, bare in zip(found, plain, strict=True)]
    return found


def _compound(statement: ast.stmt, scope: Scope) -> Iterator[Assertion]:
    match statement:
        case ast.For() | ast.AsyncFor():
            return _loop(statement, scope)
        case ast.Try() | ast.TryStar():
            return _try(statement, scope)
        case ast.With() | ast.AsyncWith():
            return _with(statement, scope)
    return iter(())


def _marked(found: Iterator[Assertion], scope: Scope) -> Iterator[Assertion]:
    for one in found:
        yield replace(one, dead=one.dead or scope.dead, guarded=one.guarded or scope.guarded)


def _expression(value: ast.expr, scope: Scope) -> Iterator[Assertion]:
    if isinstance(value, ast.Await | ast.YieldFrom):
        value = value.value
    if not isinstance(value, ast.Call):
        return
    name = dotted(value)
    helper = scope.helpers.get(name.replace("cls.", "self.", 1) if name.startswith("cls.") else name)
    if helper is not None and scope.depth < HELPER_DEPTH_MAX:
        values = _bound(helper, value, scope, method=name.startswith(("self.", "cls.")))
        inner = replace(scope, values=values, depth=scope.depth + 1, given=frozenset(values))
        yield from _block(helper.body, inner)
    elif helper is None:
        yield from _marked(called(value, scope.values), scope)


def _bound(helper: Function, call: ast.Call, scope: Scope, *, method: bool) -> dict[str, ast.expr]:
    """What a helper's parameters and locals stand for in this call."""
    name = dotted(call)
    if name not in scope.known:
        scope.known[name] = names_of(helper)
    values = dict(scope.known[name].values)
    parameters = [one.arg for one in (*helper.args.posonlyargs, *helper.args.args)]
    parameters = parameters[1:] if method else parameters
    defaults = helper.args.defaults
    values.update(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=False))
    given = {one.arg: one.value for one in call.keywords if one.arg}
    if not any(isinstance(one, ast.Starred) for one in call.args):
        given = {**dict(zip(parameters, call.args, strict=False)), **given}
    return {**values, **{name: filled(value, scope.values) for name, value in given.items()}}


def _branches(statement: ast.If | ast.While, scope: Scope) -> Iterator[Assertion]:
    always = {name: value for name, value in scope.values.items() if name not in scope.given}
    known = truth(filled(statement.test, always))
    here = truth(filled(statement.test, scope.values)) if scope.given and known is None else known
    first = second = scope.but(guarded=known is None)
    if known is not None:
        never = scope.but(dead="its condition is never true")
        first, second = (scope, never if isinstance(statement, ast.If) else scope) if known else (never, scope)
    # In another case or turn it may run: then it is neither counted here nor dead.
    yield from _block(statement.body if here is not False or known is False else [], first)
    yield from _block(statement.orelse if here is not True or known is True else [], second)


def _loop(statement: ast.For | ast.AsyncFor, scope: Scope) -> Iterator[Assertion]:
    over = (
        scope.values.get(statement.iter.id, statement.iter) if isinstance(statement.iter, ast.Name) else statement.iter
    )
    if truth(over) is False or (isinstance(over, ast.Call) and last_name(over) in ("range", "iter") and _nothing(over)):
        yield from _block(statement.body, scope.but(dead="its loop has nothing to run over"))
    elif isinstance(over, ast.List | ast.Tuple) and len(over.elts) <= CASES_MAX:
        for one in over.elts:
            bound = pairs(statement.target, one)
            turn = replace(scope, values={**scope.values, **bound}, given=scope.given | bound.keys())
            yield from _block(statement.body, turn)
    else:
        yield from _block(statement.body, scope)
    yield from _block(statement.orelse, scope)


def _nothing(call: ast.Call) -> bool:
    return len(call.args) == 1 and truth(call.args[0]) is False


def pairs(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    """Which name gets which expression when `target = value` runs; empty where that cannot be read."""
    match target, value:
        case ast.Name(id=name), _:
            return {name: value}
        case ast.Tuple(elts=names) | ast.List(elts=names), ast.Tuple(elts=parts) | ast.List(elts=parts):
            if len(names) == len(parts):
                return {
                    key: one for name, part in zip(names, parts, strict=True) for key, one in pairs(name, part).items()
                }
    return {}


def _try(statement: ast.Try | ast.TryStar, scope: Scope) -> Iterator[Assertion]:
    swallowed = any(_catches(handler) and not _fails(handler.body) for handler in statement.handlers)
    swallowed = swallowed or any(isinstance(one, ast.Return) for one in statement.finalbody)
    yield from _block(statement.body, scope.but(dead="an except around it swallows it") if swallowed else scope)
    for handler in statement.handlers:
        yield from _block(handler.body, scope.but(guarded=True))
    yield from _block(statement.orelse, scope)
    yield from _block(statement.finalbody, scope)


def _catches(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or dotted(one) in _SWALLOWED for one in caught)


def _fails(body: Sequence[ast.stmt]) -> bool:
    """Whether a handler lets the failure through: it raises, fails or asserts something itself."""
    for node in (part for one in body for part in ast.walk(one)):
        if isinstance(node, ast.Assert) and truth(node.test) is not True:
            return True
        if isinstance(node, ast.Raise) and (node.exc is None or last_name(node.exc) not in SKIP_CALLS):
            return True
        if isinstance(node, ast.Call) and last_name(node).startswith(
            ("assert", "fail", "exit", "print_exc", "append", "put")
        ):
            return True
    return False


def _with(statement: ast.With | ast.AsyncWith, scope: Scope) -> Iterator[Assertion]:
    why = ""
    for item in statement.items:
        call = item.context_expr
        if not isinstance(call, ast.Call):
            continue
        if last_name(call) in RAISES:
            body = "; ".join(_line(one, scope) for one in statement.body)
            yield from _marked(iter([raising(call, scope.values, body)]), scope)
        if last_name(call) in ("raises", "assertRaises", "suppress") and _swallows(call):
            why = f"{last_name(call)}(…) around it swallows it"
        elif last_name(call) not in RAISES:
            yield from _expression(call, scope)
    yield from _block(statement.body, scope.but(dead=why) if why else scope)


def _swallows(call: ast.Call) -> bool:
    exceptions = [part for one in call.args for part in (one.elts if isinstance(one, ast.Tuple) else [one])]
    return not call.keywords and any(dotted(one) in _SWALLOWED for one in exceptions)


def _line(statement: ast.stmt, scope: Scope) -> str:
    if isinstance(statement, ast.Expr):
        return spelled(statement.value, scope.values)
    return ast.unparse(statement)


def _ends(statement: ast.stmt) -> bool:
    match statement:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.Expr(value=ast.Call() as call):
            return last_name(call) in _ENDING_CALLS and (_of_runner(call) or dotted(call) in ("sys.exit", "exit"))
        case ast.If(test=test, body=body, orelse=orelse):
            known = truth(test)
            first, second = any(map(_ends, body)), any(map(_ends, orelse))
            return (first and second) or (known is True and first) or (known is False and second)
        case ast.With(body=body, items=items):
            swallowing = any(last_name(item.context_expr) in (*RAISES, "suppress", "subTest") for item in items)
            return not swallowing and any(map(_ends, body))
    return False


def unused_functions(function: Function) -> dict[str, ast.expr]:
    """Nested functions that nothing refers to, as names that stand for None."""
    nested = {
        node.name
        for node in ast.walk(function)
        if isinstance(node, Function) and node is not function and not node.decorator_list
    }
    if not nested:
        return {}
    methods = {
        one.name
        for node in ast.walk(function)
        if isinstance(node, ast.ClassDef)
        for one in node.body
        if isinstance(one, Function)
    }
    loaded = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return {name: ast.Constant(value=None) for name in nested - loaded - methods}
