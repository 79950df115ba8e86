"""An assertion as the plain record of the core, from what a language's reader found of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from loomstack_mcp.adapters.parse.test_files.spelling import is_literal
from loomstack_mcp.core.tampering.model import WEIGHTS, Assertion, digest

HELPER_DEPTH_MAX = 2
"""Helpers that are followed, one called by another."""

_EMPTY = {"false", "0", '""', "null", "nil", "undefined", "[ ]", "{ }"}
_ONE_SIDED = ("truthy", "falsy", "call", "type")
"""Kinds that look at their subject alone."""


@dataclass(frozen=True)
class NodeScope:
    """What a node's statements are read with."""

    values: Mapping[str, str] = field(default_factory=dict)
    """Local names, each with the text that it stands for."""
    helpers: Mapping[str, Node] = field(default_factory=dict)
    """Functions of the file that assert something, by name."""
    depth: int = 0
    """How many helpers this is in."""
    dead: str = ""
    """Why no assertion here can fail."""
    guarded: bool = False
    """What is here may not run."""

    def but(self, *, dead: str = "", guarded: bool = False) -> "NodeScope":
        """The same with more known; what is dead already stays so, for the same reason."""
        return replace(self, dead=self.dead or dead, guarded=self.guarded or guarded)


def kinds_by_name(names: Mapping[str, str]) -> dict[str, str]:
    """The kind of an assertion by the name of its function, from the names of each kind in one text."""
    return {name: kind for kind, text in names.items() for name in text.split()}


def assertion(
    kind: str,
    subject: str,
    expected: str = "",
    *,
    line: int,
    scope: NodeScope,
    weight: float | None = None,
    tolerance: float = 0.0,
) -> Assertion:
    """One assertion; what it is compared with is a second side where it is no plain value."""
    kind, subject, expected = _turned(kind, subject, expected)
    two_sided = kind in ("eq", "approx") and expected != "" and not is_literal(expected)
    empty_talk = _empty_talk(kind, subject, expected)
    said = WEIGHTS[kind] if weight is None else weight
    return Assertion(
        kind=kind,
        weight=0.0 if empty_talk else said,
        sides=(subject, expected) if two_sided else (subject,),
        expected=digest(expected) if expected and not two_sided else "",
        empty=expected in _EMPTY,
        tolerance=tolerance,
        line=line,
        dead=scope.dead or empty_talk,
        guarded=scope.guarded,
    )


def _turned(kind: str, subject: str, expected: str) -> tuple[str, str, str]:
    """`x == true` asks whether x is true, and of `1 == x` the subject is x."""
    if kind == "eq" and expected in ("true", "false"):
        kind, expected = ("truthy" if expected == "true" else "falsy"), ""
    if kind == "eq" and is_literal(subject) and not is_literal(expected):
        return kind, expected, subject
    return kind, subject, expected


def _empty_talk(kind: str, subject: str, expected: str) -> str:
    """Why it says nothing of the code under test; "" where it does."""
    if is_literal(subject) and (kind in _ONE_SIDED or is_literal(expected)):
        return "it always holds"
    # A call may answer differently the second time, and then `f() == f()` says something.
    if kind == "eq" and subject == expected and "(" not in subject:
        return "it compares a thing with itself"
    return ""
