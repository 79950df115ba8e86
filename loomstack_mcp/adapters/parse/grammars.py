"""The grammars in use, each loaded once, and the trees that they make of a text, in bounded time."""

import time
from functools import cache

import tree_sitter_bash
import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

PARSE_SECONDS_MAX = 0.3
PARSE_SECONDS_A_MEGABYTE = 3.0
"""These come on top. A megabyte takes 0.1 s as a rule, and a second where it is made of the shortest statements."""

_GRAMMARS = {
    "bash": tree_sitter_bash.language,
    "go": tree_sitter_go.language,
    "javascript": tree_sitter_javascript.language,
    "python": tree_sitter_python.language,
    "tsx": tree_sitter_typescript.language_tsx,
    "typescript": tree_sitter_typescript.language_typescript,
}


@cache
def grammar(name: str) -> Language:
    """One of `bash`, `go`, `javascript`, `python`, `tsx` and `typescript`."""
    return Language(_GRAMMARS[name]())


def syntax_tree(source: bytes, name: str) -> Node | None:
    """The root of a tree by that grammar; None where it takes longer than it should.

    A short text that is not of the language can keep a grammar busy for minutes, at 10 MB a second: the one for
    TSX, of all, a line of YAML, `- {w: {s/q.py: "def fee(a):"}}`. What counts is the processor's time of this
    thread, so that a busy machine reads what a quiet one does.
    """
    until = time.thread_time() + PARSE_SECONDS_MAX + PARSE_SECONDS_A_MEGABYTE * len(source) / 1_000_000
    try:
        # A parser of its own: threads may not share one.
        tree = Parser(grammar(name)).parse(
            lambda offset, _: source[offset : offset + 65_536],
            progress_callback=lambda _, __: time.thread_time() > until,
        )
    except ValueError:
        return None
    return tree.root_node
