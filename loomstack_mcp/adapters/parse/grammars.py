"""The grammars in use, each loaded once, and the trees that they make of a text, in bounded time."""

import time
from functools import cache
from importlib import import_module

from tree_sitter import Language, Node, Parser

PARSE_SECONDS_MAX = 0.3
PARSE_SECONDS_A_MEGABYTE = 3.0
"""These come on top. A megabyte takes 0.1 s as a rule, and a second where it is made of the shortest statements."""

_CHUNK_BYTES_MIN = 64
_ASCII_ALONE = bytes(range(128)) + b"%" * 128
_GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "go": ("tree_sitter_go", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "python": ("tree_sitter_python", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}
"""The module of each, and its function. Each is loaded once it is used: a shell line's hook needs one of them."""


@cache
def grammar(name: str) -> Language:
    """One of `bash`, `go`, `javascript`, `python`, `tsx` and `typescript`."""
    module, function = _GRAMMARS[name]
    return Language(getattr(import_module(module), function)())


def syntax_tree(source: bytes, name: str) -> Node | None:
    """The root of a tree by that grammar; None where it takes longer than it should.

    A short text that is not of the language can keep a grammar busy for minutes, at 10 MB a second: the one for
    TSX, of all, a line of YAML, `- {w: {s/q.py: "def fee(a):"}}`. What counts is the processor's time of this
    thread, so that a busy machine reads what a quiet one does.

    The scanner of bash's grammar looks every character up in C's table of 256 (`isalpha(3)`), and one beyond it ends
    the process, as an emoji behind a `{` may. So it is shown a plain letter of words for each byte of such a character.
    """
    until = time.thread_time() + PARSE_SECONDS_MAX + PARSE_SECONDS_A_MEGABYTE * len(source) / 1_000_000
    try:
        # A parser of its own: threads may not share one.
        chunks = _Chunks(source.translate(_ASCII_ALONE) if name == "bash" else source)
        tree = Parser(grammar(name)).parse(chunks.read, progress_callback=lambda _, __: time.thread_time() > until)
    except ValueError:
        return None
    chunks.source = source
    return tree.root_node


class _Chunks:
    """A source in chunks, for only what reads in chunks can be stopped (py-tree-sitter 0.26).

    The text of a node is read so too, with a copy of each whole chunk: chunks begin as small as most nodes, and
    grow while one follows another.
    """

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._end = 0
        self._size = _CHUNK_BYTES_MIN

    def read(self, offset: int, _: object) -> bytes:
        self._size = 4 * self._size if offset == self._end else _CHUNK_BYTES_MIN
        self._end = offset + self._size
        return self.source[offset : self._end]
