"""The pieces that a shell word is made of, each quoted or bare, known or not, and the word that they make."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from loomstack_mcp.core.shell.words import Word

_BARE = re.compile(r"\\(.)|([ \t\n]+)|([^\\ \t\n]+|\\$)", re.DOTALL)
_EXPANSION = re.compile(r"`|\$[\w({\-?$!@*#]")
_LONE_DOLLAR = re.compile(r"(?<!\$)\$$")
_GLOB = re.compile(r"[*?\[]")


class WordPiece(NamedTuple):
    """A part of a word that stands in quotes, or does not, throughout."""

    text: str | None
    """None where it cannot be known."""
    is_quoted: bool

    @property
    def bare(self) -> str | None:
        """The text where it is known and not quoted, so that its blanks, braces, `~` and `*` count."""
        return None if self.is_quoted else self.text


UNKNOWN = WordPiece(None, False)
"""What a shell would put in and then split: no word at all, one, or several."""


def add_source(words: list[list[WordPiece]], source: bytes) -> None:
    """Go on with text without quotes and expansions: blanks part words, a backslash quotes what follows."""
    for escaped, blank, plain in _BARE.findall(source.decode("utf-8", "replace")):
        if blank:
            words.append([])
        else:
            words[-1].append(WordPiece(escaped or plain, bool(escaped)))


def joined_bare(pieces: Sequence[WordPiece]) -> list[WordPiece]:
    """Bare text in one piece; unknown where it holds an expansion that the grammar did not see."""
    joined: list[WordPiece] = []
    for piece in pieces:
        before = joined[-1].bare if joined else None
        if piece.bare is not None and before is not None:
            joined[-1] = WordPiece(before + piece.bare, False)
        else:
            joined.append(piece)
    return [UNKNOWN if _EXPANSION.search(piece.bare or "") else piece for piece in joined]


def drop_dollar(pieces: list[WordPiece]) -> None:
    """A `$` before a quoted text asks for its translation; the second of `$$` is the shell's own number."""
    before = pieces[-1].bare if pieces else None
    if before is not None and _LONE_DOLLAR.search(before):
        pieces[-1] = WordPiece(before[:-1], False)


def word_of(pieces: Sequence[WordPiece], home: str) -> Word:
    """The word that the pieces make, its `~` as `home` where that is known."""
    pieces = _with_home(pieces, home)
    unknown = [number for number, piece in enumerate(pieces) if piece.text is None]
    first, last = (unknown[0], unknown[-1]) if unknown else (len(pieces), len(pieces))
    return Word(
        text="".join(piece.text or "" for piece in pieces[:first]),
        tail="".join(piece.text or "" for piece in pieces[last:]),
        is_opaque=bool(unknown),
        may_split=UNKNOWN in pieces,
        is_glob=any(_GLOB.search(piece.bare or "") for piece in pieces),
    )


def _with_home(pieces: Sequence[WordPiece], home: str) -> Sequence[WordPiece]:
    """A leading `~` put in; unknown where it names somebody, as `~dana` does, for only the system knows theirs."""
    start = (pieces[0].bare or "") if pieces else ""
    # A quote before the first slash keeps the `~` as it is: `~"x"`.
    if not (start.startswith("~/") or (start.startswith("~") and len(pieces) == 1)):
        return pieces
    if home and start[1:2] in {"", "/"}:
        return [WordPiece(home, True), WordPiece(start[1:], False), *pieces[1:]]
    return [WordPiece(None, True), WordPiece("", False), *pieces[1:]]
