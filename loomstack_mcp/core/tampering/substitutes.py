"""What an assertion that stands in the place of another says less, or says differently."""

from loomstack_mcp.core.tampering.kinds import Weakening
from loomstack_mcp.core.tampering.model import APPROX_DEFAULT, Assertion
from loomstack_mcp.core.tampering.pairs import PlacedTest

_OPPOSITE = {("truthy", "falsy"), ("falsy", "truthy"), ("eq", "ne"), ("ne", "eq"), ("in", "ne"), ("ne", "in")}
# A tolerance is often computed, and `0.1 * 3 == 0.30000000000000004`: equal ones differ in their last digits.
_WIDER = 1.001
"""One tolerance is wider than another where it is so by more than this factor."""
_IN_WORDS = {
    "eq": "equality",
    "in": "membership",
    "ne": "a difference",
    "type": "a type",
    "order": "an order",
    "call": "a call",
}


def restated(missing: Assertion, now: Assertion, new: PlacedTest, *, code_changed: bool) -> Weakening | None:
    """The same thing, asserted as strongly: another value, or just in other words (None)."""
    wider = now.tolerance > missing.tolerance * _WIDER and missing.tolerance != 0  # 0 is one that could not be read
    if missing.kind == now.kind == "approx" and wider:
        return new.weakening("tolerance_loosened", f"{new.test.name} allows {now.tolerance:g} now", line=now.line)
    otherwise = missing.kind == now.kind and (missing.expected, missing.sides) != (now.expected, now.sides)
    if otherwise or (missing.kind, now.kind) in _OPPOSITE:
        text = f"{new.test.name} expects something else"
        return new.weakening("expected_changed", text, line=now.line, hard=not code_changed)
    return None


def weaker(missing: Assertion, now: Assertion, new: PlacedTest, *, code_changed: bool) -> Weakening | None:
    """The same thing, asserted less strongly; None for `not x` of an empty value, which says nearly as much."""
    if missing.empty and now.kind == "falsy":
        return None
    if (missing.kind, now.kind) in _OPPOSITE and missing.expected == now.expected:
        text = f"{new.test.name} expects the opposite"
        return new.weakening("expected_changed", text, line=now.line, hard=not code_changed)
    if now.kind == "approx":
        hard = missing.kind == "eq" and now.tolerance > APPROX_DEFAULT * _WIDER
        text = f"{new.test.name} allows {now.tolerance:g} where it was exact"
        return new.weakening("tolerance_loosened", text, line=now.line, hard=hard)
    text = f"{new.test.name} asserts {_in_words(now)} where it was {_in_words(missing)}"
    if now.kind == missing.kind == "raises":
        text = f"{new.test.name} accepts more exceptions or messages"
    return new.weakening("assert_loosened", text, line=now.line, hard=missing.weight - now.weight >= 1)


def _in_words(assertion: Assertion) -> str:
    return _IN_WORDS.get(assertion.kind, assertion.kind)
