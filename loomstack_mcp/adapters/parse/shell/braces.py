"""Brace expansion: the words that a shell makes of `src/{a,b}/c` before it looks at anything else."""

import re
from collections.abc import Sequence
from itertools import pairwise

from loomstack_mcp.adapters.parse.shell.pieces import UNKNOWN, WordPiece

BRACED_MAX = 64
"""Words that one word may become by its braces."""

_SIGNS_MAX = 1_000
"""Bare braces and commas in one word: looking for the end of each costs the square of their number."""

_SIGN = re.compile("[{},]")
# Quoted braces and commas are text. Characters for private use stand for them while the bare ones are opened, and one
# more for the quotes, for an empty word is none unless it is quoted.
_QUOTED = str.maketrans("{},", "\ue000\ue001\ue002")
_PLAIN = str.maketrans("\ue000\ue001\ue002", "{},", "\ue003")
_QUOTES = "\ue003"
_HOLE = "\0"
"""Stands for what is not known: no text of a line holds a NUL."""


def braced(pieces: Sequence[WordPiece]) -> list[Sequence[WordPiece]]:
    """Each word that this one becomes; a single unknown one where they are too many or are computed, as of `{1..9}`."""
    bare = "".join(piece.bare or "" for piece in pieces)
    if not _may_expand(bare):
        return [pieces]
    marked = "".join(_marked(piece) for piece in pieces)
    words = _opened(marked) if len(_SIGN.findall(marked)) <= _SIGNS_MAX else None
    if words is None or _HOLE in marked or ".." in bare:
        start = marked.partition("{")[0].partition(_HOLE)[0]
        return [[WordPiece(start.translate(_PLAIN), True), UNKNOWN]]
    return [[WordPiece(word.translate(_PLAIN), False)] for word in words if word]


def _may_expand(bare: str) -> bool:
    return "{" in bare and ("," in bare or ".." in bare)


def _marked(piece: WordPiece) -> str:
    text = _HOLE if piece.text is None else piece.text
    return _QUOTES + text.translate(_QUOTED) if piece.is_quoted else text


def _opened(text: str, depth: int = 0) -> list[str] | None:
    """The words that the braces spell out, in bash's order; None where they are too many."""
    start, end = _first_pair(text)
    if not end:
        return [text]
    # Each pair has two choices at least, so that so many within one another are too many words as well.
    if depth > BRACED_MAX or (behind := _opened(text[end + 1 :], depth + 1)) is None:
        return None
    words: list[str] = []
    for choice in _choices(text[start + 1 : end]):
        chosen = _opened(choice, depth + 1)
        # Counted before they are spelled out: thousands of choices, each with what follows them, fill the memory.
        if chosen is None or len(words) + len(chosen) * len(behind) > BRACED_MAX:
            return None
        words += [text[:start] + one + other for one in chosen for other in behind]
    return words


def _first_pair(text: str) -> tuple[int, int]:
    """Where the first braces that bash opens begin and end; zeros for none."""
    signs = [(sign[0], sign.start()) for sign in _SIGN.finditer(text)]
    for number, (sign, start) in enumerate(signs):
        # The `{}` of `find` is text, but only where it begins a word.
        if sign == "{" and not (start == 0 and text[1:2] == "}") and (end := _end(signs[number + 1 :])):
            return start, end
    return 0, 0


def _end(signs: Sequence[tuple[str, int]]) -> int:
    """Where the pair ends whose inner signs come first: a `}` before the first comma is text, as of `{a},b}`."""
    depth, has_comma = 0, False
    for sign, at in signs:
        if sign == "}" and not depth and has_comma:
            return at
        has_comma |= sign == "," and not depth
        depth += 1 if sign == "{" else -1 if sign == "}" and depth else 0
    return 0


def _choices(text: str) -> list[str]:
    """What stands between the commas that are in no inner braces."""
    depth, marks = 0, [-1]
    for sign in _SIGN.finditer(text):
        marks += [sign.start()] if sign[0] == "," and not depth else []
        depth += 1 if sign[0] == "{" else -1 if sign[0] == "}" and depth else 0
    return [text[left + 1 : right] for left, right in pairwise([*marks, len(text)])]
