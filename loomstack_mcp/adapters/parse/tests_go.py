"""Tests in Go: the standard library's and testify's."""

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
_FAILS = re.compile(r"^(?:t|tb|b|f|tt|c|s\.T\(\)|tester\.\w+|\w*[tT])\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)$")
_SKIPS = re.compile(r"^(?:t|tb|b|f|tt)\.(?:Skip|Skipf|SkipNow)$")
_ENDS = re.compile(r"^(?:panic|os\.Exit|(?:t|tb|b|f|tt)\.(?:Skip|Skipf|SkipNow|Fatal|Fatalf|FailNow))$")
_WORDS: dict[str, str] = {
    "eq": "Equal EqualValues Exactly Same JSONEq YAMLEq ElementsMatch Len Empty Zero Nil DeepEqual",
    "raises": "ErrorIs ErrorAs ErrorContains EqualError Panics PanicsWithValue PanicsWithError Error",
    "approx": "InDelta InEpsilon InDeltaSlice",
    "in": "Contains Subset Regexp HasPrefix HasSuffix",
    "ne": "NotEqual NotContains NotSame NotRegexp",
    "type": "IsType Implements",
    "order": "Greater GreaterOrEqual Less LessOrEqual Positive Negative WithinDuration",
    "truthy": "NotNil NotEmpty NotZero True",
    "falsy": "False",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_EXPECTED_FIRST = {
    "Equal",
    "EqualValues",
    "Exactly",
    "Same",
    "JSONEq",
    "YAMLEq",
    "InDelta",
    "InEpsilon",
    "NotEqual",
    "IsType",
}
_TABLE_TYPES = {"slice_type", "map_type", "array_type", "implicit_length_array_type"}
_TESTIFY = {"require", "assert", "is", "qt", "s.Require()", "s", "suite", "c"}
_OPPOSITES = {
    "DeepEqual": "eq",
    "Equal": "eq",
    "EqualFold": "eq",
    "Contains": "in",
    "HasPrefix": "in",
    "HasSuffix": "in",
    "MatchString": "in",
    "Is": "raises",
    "As": "raises",
}
"""What `if !f(a, b) { t.Error() }` asserts, by the function's name."""
_IGNORED_BUILD = re.compile(r"(?m)^//\s*(?:go:build|\+build)\s+(?:ignore|never|disabled|skip|broken)\b")


@dataclass(frozen=True)
class _Scope:
    values: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, Node] = field(default_factory=dict)
    depth: int = 0
    dead: str = ""
    guarded: bool = False


def go_inventory(path: str, root: Node) -> Inventory:
    """The tests of a parsed file."""
    functions = {
        text_of(one.child_by_field_name("name")): one
        for one in root.named_children
        if one.type in ("function_declaration", "method_declaration")
    }
    with_t = {name: one for name, one in functions.items() if _takes_t(one)}
    helpers = {name: one for name, one in with_t.items() if not _is_test(name)}
    text = text_of(root)
    why = "a build tag leaves its file out" if _IGNORED_BUILD.search(text.split("\npackage ", 1)[0]) else ""
    tables = dict(_tables(root))
    tests: list[Test] = []
    for name, one in with_t.items():
        unused = len(re.findall(rf"\b{re.escape(name)}\b", text)) == 1
        if _is_test(name) or (unused and not name.startswith(("Benchmark", "Fuzz", "Example"))):
            reason = why or ("" if _is_test(name) else "its name does not start with Test")
            tests.append(_test(name, one, helpers, tables, reason))
    return Inventory(path=path, tests=tuple(tests))


def _is_test(name: str) -> bool:
    return re.match(r"(?:Test|Fuzz|Example)(?![a-z])", name) is not None and name != "TestMain"


def _takes_t(function: Node) -> bool:
    parameters = text_of(function.child_by_field_name("parameters"))
    receiver = text_of(function.child_by_field_name("receiver"))
    return re.search(r"\*?testing\.(?:T|TB|F)\b", parameters) is not None or "Suite" in receiver


def _test(name: str, function: Node, helpers: dict[str, Node], tables: dict[str, int], uncollected: str) -> Test:
    body = function.child_by_field_name("body")
    values = dict(_values(body))
    scope = _Scope(values=values, helpers=helpers)
    names = {text_of(one) for node in _assigned(body) for one in within(node) if one.type == "identifier"}
    return Test(
        name=name,
        line=line_of(function),
        assertions=tuple(_block(body, scope)) if body is not None else (),
        skip=_skip(body),
        cases=_cases(body, tables),
        body=digest(" ".join(text_of(body).split())),
        names=frozenset(names - values.keys()),
        uncollected=uncollected,
    )


def _statements(block: Node) -> list[Node]:
    """Of a block, with or without the list that newer grammars put inside it."""
    parts = [one for one in block.named_children if one.type != "comment"]
    if len(parts) == 1 and parts[0].type == "statement_list":
        return [one for one in parts[0].named_children if one.type != "comment"]
    return parts


def _called(statement: Node) -> str:
    """`t.Skip` of a statement that is one call."""
    call = (
        statement.named_children[0]
        if statement.type == "expression_statement" and statement.named_children
        else statement
    )
    return text_of(call.child_by_field_name("function")) if call.type == "call_expression" else ""


def _skip(body: Node | None) -> Skip:
    if body is None:
        return ""
    for one in _statements(body):
        if _SKIPS.match(_called(one)):
            return "always"
        if one.type == "if_statement" and text_of(one.child_by_field_name("condition")) in ("true", "1 == 1", "!false"):
            inner = one.child_by_field_name("consequence")
            if inner is not None and any(_SKIPS.match(_called(part)) for part in _statements(inner)):
                return "always"
        if any(_FAILS.match(_called(part)) for part in within(one) if part.type == "call_expression"):
            break
    skips = any(_SKIPS.match(_called(part)) for part in within(body) if part.type == "call_expression")
    return "when" if skips else ""


def _assigned(body: Node | None) -> Iterator[Node]:
    for node in within(body) if body is not None else ():
        left = node.child_by_field_name("left")
        if node.type in ("short_var_declaration", "range_clause") and left is not None:
            yield left
        elif node.type == "var_spec":
            yield node.named_children[0]


def _values(body: Node | None) -> Iterator[tuple[str, str]]:
    """Names that are declared once, alone, with a short value."""
    found: dict[str, str] = {}
    several: set[str] = set()
    for node in within(body) if body is not None else ():
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if node.type not in ("short_var_declaration", "assignment_statement") or left is None or right is None:
            continue
        name = text_of(left)
        several |= {name} if name in found or node.type == "assignment_statement" else set()
        if re.fullmatch(r"\w+", name) and len(text_of(right)) < 300 and "func(" not in text_of(right):
            found[name] = spelled(right, found)
    yield from ((name, value) for name, value in found.items() if name not in several)


def _tables(root: Node) -> Iterator[tuple[str, int]]:
    """Slices and maps that are written out, by the name that they get, with the number of their elements."""
    for node in within(root):
        if node.type in ("short_var_declaration", "var_spec", "range_clause"):
            literal = next((one for one in within(node) if one.type == "composite_literal"), None)
            name = re.match(r"(?:range\s+)?(\w+)", text_of(node))
            kind = literal.child_by_field_name("type") if literal is not None else None
            values = literal.child_by_field_name("body") if literal is not None else None
            if (
                name
                and kind is not None
                and values is not None
                and kind.type in ("slice_type", "map_type", "array_type", "implicit_length_array_type")
            ):
                elements = [one for one in values.named_children if one.type != "comment"]
                yield name[1], len(elements)


def _cases(body: Node | None, tables: dict[str, int]) -> int:
    """The elements of the tables that the test runs over; 0 where one of them is not known."""
    own = {**tables, **dict(_tables(body))} if body is not None else tables
    total, unknown = 0, False
    for node in within(body) if body is not None else ():
        if node.type == "range_clause":
            right = node.child_by_field_name("right")
            literal = next((one for one in within(node) if one.type == "composite_literal"), None)
            if right is not None and right.type == "identifier" and text_of(right) in own:
                total += own[text_of(right)]
            elif literal is not None:
                total += len((literal.child_by_field_name("body") or literal).named_children)
            else:
                unknown = True
    return total or (0 if unknown else 1)


def _block(block: Node, scope: _Scope) -> Iterator[Assertion]:
    ended = False
    for one in _statements(block):
        yield from _visit(one, replace(scope, dead=scope.dead or "it cannot be reached") if ended else scope)
        ended = ended or one.type == "return_statement" or _ENDS.match(_called(one)) is not None


def _visit(node: Node, scope: _Scope) -> Iterator[Assertion]:
    if node.type in ("block", "statement_list"):
        yield from _block(node, scope)
    elif node.type == "if_statement":
        yield from _if(node, scope)
    elif node.type == "call_expression":
        yield from _call(node, scope)
    else:
        yield from (one for child in node.named_children for one in _visit(child, scope))


def _if(node: Node, scope: _Scope) -> Iterator[Assertion]:
    condition, inner = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
    alternative, start = node.child_by_field_name("alternative"), node.child_by_field_name("initializer")
    values = {**scope.values, **dict(_values(node))} if start is not None else scope.values
    here = replace(scope, values=values)
    if condition is None or inner is None:
        return
    fails = any(_FAILS.match(_called(one)) for one in _statements(inner))
    never = text_of(condition) in ("false", "!true")
    if fails:
        yield from _conditions(condition, here, line_of(node), never=never)
        rest = [one for one in _statements(inner) if not _FAILS.match(_called(one))]
        yield from (found for one in rest for found in _visit(one, replace(here, guarded=True)))
    else:
        dead = scope.dead or ("its condition is never true" if never else "")
        yield from _visit(inner, replace(here, guarded=True, dead=dead))
    if alternative is not None:
        yield from _visit(alternative, replace(here, guarded=True))


def _conditions(node: Node, scope: _Scope, line: int, *, never: bool) -> Iterator[Assertion]:
    """What must not be for the test to pass, turned round into what it asserts."""
    if node.type == "parenthesized_expression":
        node = node.named_children[0]
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = text_of(node.child_by_field_name("operator"))
    dead = scope.dead or ("its condition is never true" if never or text_of(node).startswith("false &&") else "")
    if operator == "||" and left is not None and right is not None:
        yield from _conditions(left, scope, line, never=never)
        yield from _conditions(right, scope, line, never=never)
        return
    if operator == "&&" and left is not None and right is not None and not dead:
        yield from _conditions(right, replace(scope, guarded=True), line, never=never)
        return
    first, second = spelled(left, scope.values), spelled(right, scope.values)
    if operator in ("!=", "==") and second == "nil":
        yield assertion("falsy" if operator == "!=" else "truthy", first, line=line, dead=dead, guarded=scope.guarded)
    elif operator == "!=":
        yield assertion("eq", first, second, line=line, dead=dead, guarded=scope.guarded)
    elif operator == "==":
        yield assertion("ne", first, second, line=line, dead=dead, guarded=scope.guarded)
    elif operator in ("<", ">", "<=", ">="):
        yield assertion("order", first, f"{operator} {second}", line=line, dead=dead, guarded=scope.guarded)
    elif operator == "!" and (operand := node.child_by_field_name("operand")) is not None:
        yield _negated(operand, scope, line, dead)
    else:
        yield assertion("falsy", spelled(node, scope.values), line=line, dead=dead, guarded=scope.guarded)


def _negated(operand: Node, scope: _Scope, line: int, dead: str) -> Assertion:
    name = text_of(operand.child_by_field_name("function")).rsplit(".", 1)[-1]
    given = [spelled(one, scope.values) for one in _arguments(operand)]
    kind = {
        "DeepEqual": "eq",
        "Equal": "eq",
        "EqualFold": "eq",
        "Contains": "in",
        "HasPrefix": "in",
        "HasSuffix": "in",
    }.get(name)
    kind = kind or {"Is": "raises", "As": "raises", "MatchString": "in"}.get(name)
    if kind and len(given) > 1:
        return assertion(kind, given[0], given[1], line=line, dead=dead, guarded=scope.guarded)
    return assertion("truthy", spelled(operand, scope.values), line=line, dead=dead, guarded=scope.guarded)


def _arguments(call: Node) -> list[Node]:
    arguments = call.child_by_field_name("arguments")
    return [one for one in arguments.named_children if one.type != "comment"] if arguments is not None else []


def _call(node: Node, scope: _Scope) -> Iterator[Assertion]:
    function = text_of(node.child_by_field_name("function"))
    owner, _, name = function.rpartition(".")
    given = _arguments(node)
    if _FAILS.match(function):
        yield assertion("fail", "fail", line=line_of(node), dead=scope.dead, guarded=scope.guarded)
    elif owner in ("require", "assert", "is", "qt", "s.Require()", "s", "suite", "c") and (
        name.removesuffix("f") in _KINDS or name.startswith("NoError")
    ):
        shifted = given[1:] if given and text_of(given[0]) in ("t", "tt", "tb", "s.T()", "c") else given
        yield _testify(name if name in _KINDS else name.removesuffix("f"), shifted, node, scope)
    elif (helper := scope.helpers.get(name or function)) is not None and scope.depth < HELPER_DEPTH_MAX:
        body = helper.child_by_field_name("body")
        if body is not None:
            values = {**dict(_values(body)), **_bound(helper, given, scope)}
            yield from _block(body, replace(scope, values=values, depth=scope.depth + 1))
    else:
        yield from (one for child in node.named_children for one in _visit(child, scope))


def _bound(helper: Node, given: list[Node], scope: _Scope) -> dict[str, str]:
    parameters = helper.child_by_field_name("parameters")
    names = [
        text_of(one)
        for declared in (parameters.named_children if parameters is not None else [])
        for one in declared.children_by_field_name("name")
    ]
    return dict(zip(names, (spelled(one, scope.values) for one in given), strict=False))


def _testify(name: str, given: list[Node], node: Node, scope: _Scope) -> Assertion:
    texts = [spelled(one, scope.values) for one in given[:3]] + ["", ""]
    subject, told = (texts[1], texts[0]) if name in _EXPECTED_FIRST else (texts[0], texts[1])
    kind, weight, tolerance = _KINDS.get(name, "call"), None, 0.0
    if name in ("Nil", "Empty", "Zero"):
        told = "nil" if name == "Nil" else '""'
    if name in ("True", "False", "NotNil", "NotEmpty", "NotZero") or name.startswith("NoError"):
        told = ""
    if name == "Error":
        weight, told = BROAD_RAISES, ""
    if name in ("EqualError", "ErrorContains"):
        weight = WEIGHTS["raises"] + MATCH_BONUS
    if kind == "approx" and len(given) > 2:
        tolerance = float(text_of(given[2])) if re.fullmatch(r"[\d.]+(?:e-?\d+)?", text_of(given[2])) else 0.0
    return assertion(
        kind,
        subject,
        told,
        line=line_of(node),
        weight=weight,
        tolerance=tolerance,
        dead=scope.dead,
        guarded=scope.guarded,
    )
