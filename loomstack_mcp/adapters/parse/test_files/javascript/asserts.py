"""What one call asserts: `expect(x).not.toBe(y)`, `expect(x).to.be.true`, `assert.equal(x, y)`, `assert(x)`."""

from dataclasses import dataclass

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import line_of, text_of
from loomstack_mcp.adapters.parse.test_files.asserting import NodeScope, assertion, kinds_by_name
from loomstack_mcp.adapters.parse.test_files.javascript.syntax import call_arguments
from loomstack_mcp.adapters.parse.test_files.spelling import spelled
from loomstack_mcp.core.tampering.model import BROAD_RAISES, MATCH_BONUS, WEIGHTS, Assertion

_NAMES = {
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
_KINDS = kinds_by_name(_NAMES)
_EXPECTED = {
    "toBeNull": "null",
    "toBeUndefined": "undefined",
    "toBeNaN": "nan",
    "null": "null",
    "undefined": "undefined",
}
"""What a name says itself of the value."""
_EMPTY_VALUES = {"toBeNull", "toBeUndefined", "null", "undefined", "toBeFalsy", "false"}
"""Not to be one of these is to be there."""
_SETTINGS = {"assertions", "hasAssertions", "extend", "addSnapshotSerializer"}
"""What is called on `expect` and asserts nothing by itself."""
_CLOSE_DIGITS = 2.0
"""Of jest's `toBeCloseTo`, where no number of digits is given."""


def expectation(node: Node, scope: NodeScope) -> Assertion | None:
    """The assertion that a call, or a property as of `to.be.true`, makes; None where it makes none."""
    chain = _chain(node)
    if chain.start is None:
        return None
    if _is_expect(chain.start):
        return _matched(call_arguments(chain.start)[:1], chain.words, chain.given, node, scope)
    name = text_of(chain.start)
    is_own = name == "assert" or (name == "t" and bool(chain.words) and chain.words[-1] in _KINDS)
    if not is_own or not chain.given:
        return None
    return _matched(chain.given[:1], chain.words or ["ok"], chain.given[1:], node, scope)


@dataclass(frozen=True)
class _Chain:
    start: Node | None
    """What it begins with: the call of `expect`, or another expression."""
    words: list[str]
    """The properties that follow, `not` and `toBe`."""
    given: list[Node]
    """The arguments of its last call."""


def _chain(node: Node) -> _Chain:
    words: list[str] = []
    given: list[Node] | None = None
    one: Node | None = node
    while one is not None and not _is_expect(one):
        if one.type == "member_expression":
            words.insert(0, text_of(one.child_by_field_name("property")))
            one = one.child_by_field_name("object")
        elif one.type == "call_expression":
            given = call_arguments(one) if given is None else given
            one = one.child_by_field_name("function")
        else:
            break
    return _Chain(one, words, given or [])


def _is_expect(node: Node) -> bool:
    is_call = node.type == "call_expression"
    return is_call and text_of(node.child_by_field_name("function")) in ("expect", "expect.soft")


def _matched(
    subject: list[Node], words: list[str], given: list[Node], node: Node, scope: NodeScope
) -> Assertion | None:
    name = words[-1] if words else ""
    if name in _SETTINGS:
        return None
    kind = _KINDS.get(name, "call")
    expected, weight = _expected(name, kind, given, scope), _weight(kind, given)
    if "not" in words:
        kind, expected, weight = ("truthy", "", None) if name in _EMPTY_VALUES else ("ne", f"{name} {expected}", None)
    return assertion(
        kind,
        spelled(subject[0], scope.values) if subject else "",
        "" if kind in ("truthy", "falsy") else expected,
        line=line_of(node),
        scope=scope if words else scope.but(dead="it is not compared with anything"),
        weight=weight,
        tolerance=_tolerance(name, given) if _KINDS.get(name) == "approx" else 0.0,
    )


def _expected(name: str, kind: str, given: list[Node], scope: NodeScope) -> str:
    texts = [spelled(one, scope.values) for one in given[:2]]
    if kind == "approx":
        return texts[0] if texts else ""
    if kind in ("call", "order", "type"):
        return " ".join((name, ", ".join(texts)))
    return _EXPECTED.get(name, ", ".join(texts))


def _weight(kind: str, given: list[Node]) -> float | None:
    if kind != "raises":
        return None
    return WEIGHTS["raises"] + MATCH_BONUS if given else BROAD_RAISES + 1


def _tolerance(name: str, given: list[Node]) -> float:
    """By jest half a unit of the last digit that counts; for others the number itself."""
    try:
        number = float(text_of(given[1])) if len(given) > 1 else _CLOSE_DIGITS
    except ValueError:
        return 0.0
    return 0.5 * 10.0 ** -min(max(number, -50.0), 50.0) if name == "toBeCloseTo" else number
