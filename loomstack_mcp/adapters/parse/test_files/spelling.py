"""Expressions spelled in one way, whatever their blanks, quotes and local names."""

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from loomstack_mcp.adapters.parse.nodes import text_of
from loomstack_mcp.core.tampering.model import digest

SPELLED_CHARS_MAX = 1_000
"""Longer texts end in a hash of what the source says."""

_LITERAL = re.compile(r"""^(?:-?[\d.]+\w*|".*"|true|false|null|nil|undefined|NaN|\[ *\]|\{ *\})$""", re.DOTALL)
_STRINGS = ("string", "interpreted_string_literal", "raw_string_literal")


def spelled(node: Node | None, values: Mapping[str, str]) -> str:
    """The tokens in single spaces, without trailing commas, local names replaced by what they stand for."""
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


def is_literal(text: str) -> bool:
    """Whether a spelled text is a plain value: a number, a string, an empty list and their like."""
    return _LITERAL.match(text.replace("'", '"').replace("`", '"')) is not None


def _leaves(node: Node | None) -> Iterator[Node]:
    """What a text is made of, without comments; a string is one, whatever the grammar finds in it."""
    waiting = [node] if node is not None else []
    while waiting:
        one = waiting.pop()
        if one.type == "comment":
            continue
        if one.type in _STRINGS or one.child_count == 0:
            yield one
        else:
            waiting.extend(reversed(one.children))
