"""What the readers of tests in JavaScript and Go share: texts of tree-sitter nodes, spelled in one way."""

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from loomstack_mcp.core.tampering.model import WEIGHTS, Assertion, digest

SPELLED_CHARS_MAX = 1_000
"""Longer texts end in a hash of what the source says."""
_LITERAL = re.compile(r"""^(?:-?[\d.]+\w*|".*"|true|false|null|nil|undefined|NaN|\[ *\]|\{ *\})$""", re.DOTALL)
_EMPTY = {"false", "0", '""', "null", "nil", "undefined", "[ ]", "{ }"}


def text_of(node: Node | None) -> str:
    """The source text; empty where there is no node."""
    return node.text.decode(errors="replace") if node is not None and node.text is not None else ""


def line_of(node: Node) -> int:
    return node.start_point[0] + 1


def spelled(node: Node | None, values: Mapping[str, str]) -> str:
    """The tokens in single spaces, quotes alike, local names replaced by what they stand for."""
    tokens: list[str] = []
    length = 0
    for leaf in _leaves(node):
        token = text_of(leaf)
        if leaf.type == "identifier" and token in values:
            token = values[token]
        if tokens and tokens[-1] == "," and token in (")", "]", "}"):
            tokens.pop()
        tokens.append(token)
        length += len(token) + 1
        if length > SPELLED_CHARS_MAX:
            return " ".join(tokens)[:SPELLED_CHARS_MAX] + digest(text_of(node))
    return " ".join(tokens)


def _leaves(node: Node | None) -> Iterator[Node]:
    waiting = [node] if node is not None else []
    while waiting:
        one = waiting.pop()
        if one.type == "comment":
            continue
        if one.type in ("string", "interpreted_string_literal", "raw_string_literal") or one.child_count == 0:
            yield one
        else:
            waiting.extend(reversed(one.children))


def is_literal(text: str) -> bool:
    return _LITERAL.match(text.replace("'", '"').replace("`", '"')) is not None


def within(node: Node) -> Iterator[Node]:
    """The node and all below it, top down, without recursion."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.named_children))


def assertion(
    kind: str,
    subject: str,
    expected: str = "",
    *,
    line: int,
    weight: float | None = None,
    tolerance: float = 0.0,
    dead: str = "",
    guarded: bool = False,
) -> Assertion:
    """One assertion; what it is compared with is a second side where it is no plain value."""
    if kind == "eq" and expected in ("true", "false"):
        kind, expected = ("truthy" if expected == "true" else "falsy"), ""
    two_sided = kind in ("eq", "approx") and expected and not is_literal(expected)
    if kind == "eq" and is_literal(subject) and not is_literal(expected):
        subject, expected, two_sided = expected, subject, False
    always = is_literal(subject) and (kind in ("truthy", "falsy", "call", "type") or is_literal(expected))
    itself = kind == "eq" and subject == expected and "(" not in subject
    why = dead or ("it always holds" if always else "it compares a thing with itself" if itself else "")
    return Assertion(
        kind=kind,
        weight=0.0 if always or itself else WEIGHTS[kind] if weight is None else weight,
        sides=(subject, expected) if two_sided else (subject,),
        expected=digest(expected) if expected and not two_sided else "",
        empty=expected in _EMPTY,
        tolerance=tolerance,
        line=line,
        dead=why,
        guarded=guarded,
    )
