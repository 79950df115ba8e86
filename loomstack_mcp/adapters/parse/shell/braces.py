"""Brace expansion: the words that a shell makes of `src/{a,b}/c` before it looks at anything else."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile, pairwise

from loomstack_mcp.adapters.parse.shell.pieces import UNKNOWN, WordPiece

BRACED_MAX = 64
"""Words that one word may become by its braces."""

_SIGNS_MAX = 1_000
"""Bare braces and commas in one word: looking for the end of each costs the square of their number."""

_Sign = tuple[str, int]
"""A bare brace or comma, and where it stands."""
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
    words = _opened(marked)
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
    signs = [(sign[0], sign.start()) for sign in _SIGN.finditer(text)]
    # Each pair has two choices at least, so that so many within one another are too many words as well.
    if len(signs) > _SIGNS_MAX or depth > BRACED_MAX:
        return None
    start, end = _first_pair(text, signs)
    if not end:
        return [text]
    behind = _opened(text[end + 1 :], depth + 1)
    return None if behind is None else _chosen(text[:start], _choices(text[start + 1 : end]), behind, depth + 1)


def _chosen(before: str, choices: Iterable[str], behind: Sequence[str], depth: int) -> list[str] | None:
    """Each choice, opened, with what stands before it and each of what may stand behind it."""
    words: list[str] = []
    for choice in choices:
        opened = _opened(choice, depth)
        # Counted before they are spelled out: thousands of choices, each with what follows them, fill the memory.
        if opened is None or len(words) + len(opened) * len(behind) > BRACED_MAX:
            return None
        words += [before + one + other for one in opened for other in behind]
    return words


def _first_pair(text: str, signs: Sequence[_Sign]) -> tuple[int, int]:
    """Where the first braces that bash opens begin and end; zeros for none."""
    for number, (sign, start) in enumerate(signs):
        # The `{}` of `find` is text, but only where it begins a word.
        if sign == "{" and not (start == 0 and text[1:2] == "}") and (end := _end(signs[number + 1 :])):
            return start, end
    return 0, 0


def _end(signs: Iterable[_Sign]) -> int:
    """Where the pair ends whose inner signs come first: a `}` before the first comma is text, as of `{a},b}`."""
    outer = dropwhile(lambda sign: sign[0] != ",", _outer(signs))
    return next((at for sign, at in outer if sign == "}"), 0)


def _choices(text: str) -> list[str]:
    """What stands between the commas that are in no inner braces."""
    signs = ((sign[0], sign.start()) for sign in _SIGN.finditer(text))
    commas = (at for sign, at in _outer(signs) if sign == ",")
    return [text[left + 1 : right] for left, right in pairwise([-1, *commas, len(text)])]


def _outer(signs: Iterable[_Sign]) -> Iterator[_Sign]:
    """The commas and closing braces that are in no inner braces."""
    depth = 0
    for sign, at in signs:
        if sign == "{":
            depth += 1
        elif not depth:
            yield sign, at
        elif sign == "}":
            depth -= 1
