"""Tests in JavaScript and TypeScript: jest, vitest, mocha and their like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from loomstack_mcp.adapters.parse.tree import assertion, line_of, spelled, text_of, within
from loomstack_mcp.core.tampering.model import (
    BROAD_RAISES,
    MATCH_BONUS,
    WEIGHTS,
    Assertion,
    Inventory,
    Skip,
    Test,
    digest,
)

HELPER_DEPTH_MAX = 2
_RUNNER = re.compile(r"^(x|f)?(it|test|specify|describe|context|suite)((?:\.\w+)*)\s*(?=$|\(|`)")
_WORDS: dict[str, str] = {
    "eq": (
        "toBe toEqual toStrictEqual toHaveLength toHaveBeenCalledWith toHaveBeenLastCalledWith "
        "toHaveBeenCalledTimes toHaveTextContent toHaveText toHaveValue equal equals eql eq deepEqual "
        "strictEqual deepStrictEqual is same lengthOf toHaveReturnedWith toBeNull toBeUndefined toBeNaN "
        "null undefined isNull isUndefined"
    ),
    "raises": "toThrow toThrowError throws throw rejects rejectedWith",
    "approx": "toBeCloseTo closeTo approximately",
    "in": (
        "toContain toContainEqual toMatch toMatchObject toHaveProperty include includes contain contains "
        "match property members keys"
    ),
    "type": "toBeInstanceOf instanceof instanceOf a an",
    "order": (
        "toBeGreaterThan toBeGreaterThanOrEqual toBeLessThan toBeLessThanOrEqual above below least most "
        "greaterThan lessThan gt gte lt lte"
    ),
    "snapshot": (
        "toMatchSnapshot toMatchInlineSnapshot toMatchFileSnapshot toThrowErrorMatchingSnapshot "
        "toThrowErrorMatchingInlineSnapshot"
    ),
    "truthy": "toBeTruthy toBeDefined ok true exist exists isTrue isOk toBeInTheDocument",
    "falsy": "toBeFalsy false isFalse notOk",
    "ne": "notEqual notStrictEqual notDeepEqual doesNotThrow doesNotMatch",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_REQUIRED = re.compile(r"(?:const|let|var)\s+(.+?)\s*=\s*require\(['\"](.+?)['\"]\)", re.DOTALL)
_FUNCTIONS = ("arrow_function", "function_expression", "function_declaration", "generator_function")


@dataclass(frozen=True)
class _Scope:
    values: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, Node] = field(default_factory=dict)
    depth: int = 0
    dead: str = ""
    guarded: bool = False


@dataclass(frozen=True)
class _Suite:
    group: str = ""
    skip: Skip = ""
    cases: int = 1


def javascript_inventory(path: str, root: Node) -> Inventory:
    """The tests of a parsed file."""
    reading = _Reading(root)
    tests = tuple(reading.tests(root, _Suite()))
    imported = frozenset(name for names in reading.imports.values() for name in names)
    return Inventory(path=path, tests=tests, imported=imported, only=reading.only)


class _Reading:
    def __init__(self, root: Node) -> None:
        self.imports = _imports(root)
        self.only = False
        self._helpers = _helpers(root)
        self._mocked = tuple(
            ("", name)
            for node in within(root)
            if node.type == "call_expression" and re.match(r"(?:jest|vi)\.(?:mock|doMock)\(", text_of(node))
            for name in self.imports.get(_string(_arguments(node)[:1]), ())
        )

    def tests(self, node: Node, suite: _Suite) -> Iterator[Test]:
        for child in node.named_children:
            called = _runner_call(child) if child.type == "call_expression" else None
            if called is None:
                yield from self.tests(child, suite)
                continue
            is_test, skip, only, cases = called
            self.only = self.only or only
            arguments = _arguments(child)
            body = next((one for one in reversed(arguments) if one.type in _FUNCTIONS), None)
            count = suite.cases * cases if cases else 0
            inner = _Suite(suite.group, "always" if "always" in (skip, suite.skip) else skip or suite.skip, count)
            title = spelled(arguments[0], {}).strip("'\"`") if arguments else ""
            if is_test:
                yield self._test(title, child, body, inner)
            elif body is not None:
                yield from self.tests(body, replace(inner, group=f"{suite.group} > {title}" if suite.group else title))

    def _test(self, title: str, call: Node, body: Node | None, suite: _Suite) -> Test:
        scope = _Scope(values=_constants(body), helpers=self._helpers)
        content = body.child_by_field_name("body") if body is not None else None
        found = tuple(_statements(content, scope)) if content is not None else ()
        skips = content is not None and re.match(r"\{\s*(?:this|ctx|context|t)\.skip\(", text_of(content))
        stubs = tuple(_stubs(content)) if content is not None else ()
        return Test(
            name=title,
            group=suite.group,
            line=line_of(call),
            assertions=found,
            skip="always" if skips or body is None else suite.skip,
            cases=suite.cases,
            mocked=(*self._mocked, *stubs),
            body=digest(" ".join(text_of(content).split())),
            names=frozenset(_declared(body)) - scope.values.keys(),
        )


def _runner_call(node: Node) -> tuple[bool, Skip, bool, int] | None:
    """Whether it makes a test or a group of them; skipped, the only one, how many cases (0: unknown)."""
    function = node.child_by_field_name("function")
    found = _RUNNER.match(text_of(function)) if function is not None else None
    if function is None or found is None or not _arguments(node):
        return None
    words = found[3].split(".")[1:]
    if "each" in words and function.type != "call_expression":
        return None  # the inner half of `it.each(table)(title, body)`
    if function.type == "call_expression" and not set(words) & {"each", "for", "skipIf", "runIf"}:
        return None
    skip: Skip = "always" if found[1] == "x" or set(words) & {"skip", "todo", "fails", "failing", "fixme"} else ""
    skip = skip or ("when" if set(words) & {"skipIf", "runIf"} else "")
    table = _arguments(function)[:1] if function.type == "call_expression" else []
    cases = 1
    if table and set(words) & {"each", "for"}:
        cases = len(table[0].named_children) if table[0].type == "array" else 0
        cases = text_of(table[0]).strip("`\n ").count("\n") if table[0].type == "template_string" else cases
    return found[2] in ("it", "test", "specify"), skip, found[1] == "f" or "only" in words, cases


def _arguments(call: Node) -> list[Node]:
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return []
    if arguments.type == "template_string":
        return [arguments]
    return [one for one in arguments.named_children if one.type != "comment"]


def _string(nodes: list[Node]) -> str:
    return text_of(nodes[0]).strip("'\"`") if nodes else ""


def _imports(root: Node) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for node in root.named_children:
        if node.type == "import_statement":
            source = text_of(node.child_by_field_name("source")).strip("'\"")
            found[source] = tuple(text_of(one) for one in within(node) if one.type == "identifier")
        elif required := _REQUIRED.match(text_of(node)[:1_000]):
            found[required[2]] = tuple(re.findall(r"\w+", required[1]))
    return found


def _helpers(root: Node) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for node in within(root):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        function = node if node.type == "function_declaration" else value
        if name is not None and function is not None and function.type in _FUNCTIONS and "expect" in text_of(function):
            found[text_of(name)] = function
    return found


def _declared(body: Node | None) -> Iterator[str]:
    for node in within(body) if body is not None else ():
        if node.type in ("variable_declarator", "required_parameter", "formal_parameters"):
            target = node.child_by_field_name("name") or node.child_by_field_name("pattern") or node
            yield from (
                text_of(one) for one in within(target) if one.type.endswith(("identifier", "identifier_pattern"))
            )


def _constants(body: Node | None) -> dict[str, str]:
    """Local constants with a short value."""
    found: dict[str, str] = {}
    several: set[str] = set()
    for node in within(body) if body is not None else ():
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if node.type != "variable_declarator" or name is None or value is None or name.type != "identifier":
            continue
        several |= {text_of(name)} & found.keys()
        if text_of(node.parent).startswith("const") and len(text_of(value)) < 300 and value.type not in _FUNCTIONS:
            awaited = value.named_children[0] if value.type == "await_expression" else value
            found[text_of(name)] = spelled(awaited, found)
    return {name: value for name, value in found.items() if name not in several}


def _stubs(content: Node) -> Iterator[tuple[str, str]]:
    text = text_of(content)
    for owner, name, rest in re.findall(r"(?:jest|vi)\.spyOn\(\s*([\w.]+)\s*,\s*['\"](\w+)['\"]\s*\)([.\w]*)", text):
        if "mock" in rest:
            yield owner.split(".")[-1], name
    for owner, name in re.findall(r"sinon\.stub\(\s*([\w.]+)\s*,\s*['\"](\w+)['\"]", text):
        yield owner.split(".")[-1], name


def _statements(node: Node, scope: _Scope) -> Iterator[Assertion]:
    ended = False
    for child in node.named_children if node.type in ("statement_block", "program") else [node]:
        yield from _visit(child, replace(scope, dead=scope.dead or "it cannot be reached") if ended else scope)
        ended = ended or child.type in ("return_statement", "throw_statement")


def _visit(node: Node, scope: _Scope) -> Iterator[Assertion]:
    if node.type == "statement_block":
        yield from _statements(node, scope)
    elif node.type == "if_statement":
        yield from _if(node, scope)
    elif node.type == "try_statement":
        yield from _try(node, scope)
    elif node.type in ("call_expression", "member_expression"):
        found = _expectation(node, scope)
        if found is not None:
            yield found
        elif helper := scope.helpers.get(text_of(node.child_by_field_name("function"))):
            body = helper.child_by_field_name("body")
            if body is not None and scope.depth < HELPER_DEPTH_MAX:
                yield from _statements(body, replace(scope, depth=scope.depth + 1))
        else:
            yield from (one for child in node.named_children for one in _visit(child, scope))
    else:
        yield from (one for child in node.named_children for one in _visit(child, scope))


def _if(node: Node, scope: _Scope) -> Iterator[Assertion]:
    condition = text_of(node.child_by_field_name("condition")).strip("() ")
    never = condition in ("false", "0", "null", "undefined", "!true", "!1", '""')
    inner = replace(scope, dead=scope.dead or "its condition is never true") if never else replace(scope, guarded=True)
    for name, within_it in (("consequence", inner), ("alternative", scope if never else inner)):
        if part := node.child_by_field_name(name):
            yield from _visit(part, within_it)


def _try(node: Node, scope: _Scope) -> Iterator[Assertion]:
    handler = node.child_by_field_name("handler")
    caught = text_of(handler.child_by_field_name("body")) if handler is not None else "throw"
    swallowed = not re.search(r"\b(?:throw|expect|assert|fail|done|reject)\b", caught)
    inner = replace(scope, dead=scope.dead or "a catch around it swallows it") if swallowed else scope
    if body := node.child_by_field_name("body"):
        yield from _visit(body, inner)
    for part in (handler, node.child_by_field_name("finalizer")):
        if part is not None:
            yield from _visit(part, replace(scope, guarded=True))


def _expectation(node: Node, scope: _Scope) -> Assertion | None:
    """`expect(x).not.toBe(y)`, `expect(x).to.be.true`, `assert.equal(x, y)`, `assert(x)`."""
    words: list[str] = []
    given: list[Node] | None = None
    one: Node | None = node
    while one is not None:
        if one.type == "member_expression":
            words.insert(0, text_of(one.child_by_field_name("property")))
            one = one.child_by_field_name("object")
        elif one.type == "call_expression":
            function = one.child_by_field_name("function")
            if text_of(function) in ("expect", "expect.soft"):
                return _matched(_arguments(one)[:1], words, given or [], node, scope)
            given = _arguments(one) if given is None else given
            one = function
        else:
            break
    if one is not None and text_of(one) in ("assert", "t") and given and (words or text_of(one) == "assert"):
        if text_of(one) == "t" and words[-1] not in _KINDS:
            return None
        return _matched(given[:1], words or ["ok"], given[1:], node, scope)
    return None


def _matched(subject: list[Node], words: list[str], given: list[Node], node: Node, scope: _Scope) -> Assertion | None:
    name = words[-1] if words else ""
    if name in ("assertions", "hasAssertions", "extend", "addSnapshotSerializer"):
        return None
    text = spelled(subject[0], scope.values) if subject else ""
    told = ", ".join(spelled(one, scope.values) for one in given[:2])
    kind, weight, tolerance = _KINDS.get(name, "call"), None, 0.0
    if name in ("toBeNull", "toBeUndefined", "toBeNaN", "null", "undefined"):
        told = name.lower().removeprefix("tobe")
    if kind == "raises":
        weight = WEIGHTS["raises"] + MATCH_BONUS if given else BROAD_RAISES + 1
    if kind == "approx":
        told, tolerance = spelled(given[0], scope.values) if given else "", _tolerance(name, given)
    if kind in ("call", "order", "type") or not words:
        told = f"{name} {told}"
    if "not" in words:
        bare = name in ("toBeNull", "toBeUndefined", "null", "undefined", "toBeFalsy", "false")
        kind, told, weight = ("truthy", "", None) if bare else ("ne", f"{name} {told}", None)
    if kind in ("truthy", "falsy"):
        told = ""
    why = scope.dead or ("" if words else "it is not compared with anything")
    return assertion(
        kind, text, told, line=line_of(node), weight=weight, tolerance=tolerance, dead=why, guarded=scope.guarded
    )


def _tolerance(name: str, given: list[Node]) -> float:
    try:
        number = float(text_of(given[1])) if len(given) > 1 else 2.0
    except ValueError:
        return 0.0
    return 0.5 * 10.0 ** -min(max(number, -50.0), 50.0) if name == "toBeCloseTo" else number
