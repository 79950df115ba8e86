"""Brace expansion: the words that a shell makes of `src/{a,b}/c` before it looks at anything else."""

import re
from collections.abc import Sequence

from loomstack_mcp.adapters.parse.shell.pieces import UNKNOWN, WordPiece

BRACED_MAX = 64
"""Words that one word may become by its braces."""

_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
# Quoted braces and commas are text. Characters for private use stand for them while the bare ones are opened.
_QUOTED = str.maketrans("{},", "\ue000\ue001\ue002")
_PLAIN = str.maketrans("\ue000\ue001\ue002", "{},")
_HOLE = "\0"
"""Stands for what is not known: no text of a line holds a NUL."""


def braced(pieces: Sequence[WordPiece]) -> list[Sequence[WordPiece]]:
    """Each word that this one becomes; a single unknown one where they are too many or are computed, as of `{1..9}`."""
    bare = "".join(piece.bare or "" for piece in pieces)
    if not _may_expand(bare):
        return [pieces]
    marked = "".join(_marked(piece) for piece in pieces)
    words = _opened(marked)
    if len(words) > BRACED_MAX or _HOLE in marked or ".." in bare:
        start = marked.partition("{")[0].partition(_HOLE)[0]
        return [[WordPiece(start.translate(_PLAIN), True), UNKNOWN]]
    return [[WordPiece(word.translate(_PLAIN), False)] for word in words]


def _may_expand(bare: str) -> bool:
    return "{" in bare and ("," in bare or ".." in bare)


def _marked(piece: WordPiece) -> str:
    text = _HOLE if piece.text is None else piece.text
    return text.translate(_QUOTED) if piece.is_quoted else text


def _opened(word: str) -> list[str]:
    """The word with all its braces opened, the inner ones first; stops as soon as there are too many."""
    words = [word]
    while len(words) <= BRACED_MAX and any(_BRACES.search(one) for one in words):
        words = [opened for one in words for opened in _with_first_opened(one)]
    return words


def _with_first_opened(word: str) -> list[str]:
    match = _BRACES.search(word)
    if match is None:
        return [word]
    return [word[: match.start()] + choice + word[match.end() :] for choice in match[1].split(",")]
