"""A line of code as one number: a keyed hash of its normalized text, and how much it says."""

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b

WEIGHT_BITS = 6
WEIGHT_MAX = (1 << WEIGHT_BITS) - 1

_CACHED_MAX = 200_000
_LINE_BYTES_MAX = 4_000
"""What lies behind these in a line, of a minified file, does not count."""
_WORDS_BYTES_MAX = 40_000
"""A longer hunk is compared as a whole, not word by word."""
_ONE_SIDED_BYTES_MAX = 1_000
"""Nor is one that only adds or removes so much: its lines tell it from others."""
_BLANK = b" \t\r\f\v\\"
_SAME = bytes.maketrans(b"'`", b'""')
_SILENT = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_TRAILING = b",;"
# A version is one word: as digits, 8.1.2 to 8.2.0 would be the opposite of 8.2.0 to 8.2.1.
_TOKEN = re.compile(rb"[0-9A-Za-z_\x80-\xff]+(?:\.[0-9]+)*|[-+*/%<>=!&|^~?:.@#$]+")
_CONSEQUENCE = (b"import", b"from", b"use", b"using", b"#include", b"require", b"package", b"export{", b"export*")
"""Lines that follow from others; they are a sixth of what their length says."""
_TRIVIAL = frozenset(
    b"else else: else{ }else{ try: try{ finally: finally{ do then fi done esac end endif pass break continue return "
    b"return; begin default: returnnil returnnull returnNone returntrue returnfalse returnTrue returnFalse "
    b"returnerr returnnil,err iferr!=nil{ }catch(e){ exceptException: if__name__==\"__main__\": package import( "
    b"<div> </div> </span> <span> <p> </p> <ul> </ul> <li> </li> <tr> </tr> <td> </td> -- // # * */ /** \"\"\"".split()
)  # fmt: skip


def key_name(key: bytes, /) -> str:
    """What tells a key from others, and nothing of what is hashed with it."""
    return blake2b(b"name of a key", key=key[:64], digest_size=8).hexdigest()


class Lines:
    """Hashes under one key, so that what leaves the machine cannot be guessed back to text.

    A number is the line's 58-bit keyed hash above a 6-bit weight: the letters and digits in it, up to
    63. Weight 0 says nothing: a brace, a blank line, an `else`. What formatters change does not count:
    white space, the kind of quotes, a comma or semicolon at the end.
    """

    def __init__(self, key: bytes, *, names_blobs: bool = False) -> None:
        self._key = key[:64]
        self._names_blobs = names_blobs
        self._known = _Numbers(self._numbered)

    def number(self, line: bytes, /) -> int:
        """The number of one line, without its line feed."""
        return self._known[line]

    def telling(self, texts: Iterable[bytes], /) -> tuple[int, ...]:
        """The numbers of those lines that say something, in their order."""
        return tuple([number for number in map(self._known.__getitem__, texts) if number & WEIGHT_MAX])

    def words(self, removed: Iterable[bytes], added: Iterable[bytes], /) -> tuple[int, int, int]:
        """What a hunk takes, what it gives, and how much it keeps, in words, however they are broken into lines.

        The first two are hashes of the words that differ, 0 for none: a hunk that undoes this one has
        them turned round. The third is the percentage of the removed words that the added lines hold
        again: near 100 where code was changed, not taken out.
        """
        before, after = b"\n".join(removed), b"\n".join(added)
        if len(before) + len(after) > (_WORDS_BYTES_MAX if before and after else _ONE_SIDED_BYTES_MAX):
            return self._hash(before), self._hash(after), 0
        old, new = _TOKEN.findall(before), _TOKEN.findall(after)
        taken, given = _differing(old, new)
        kept_percent = 100 - round(100 * len(taken) / len(old)) if old else 0
        return self._bag(taken), self._bag(given), kept_percent

    def hidden(self, text: str, /) -> str:
        """A keyed hash of a word, to compare by: an e-mail address, say."""
        return f"{self._hash(text.casefold().encode('utf-8', 'surrogateescape')):x}"

    def blob(self, name: str, /) -> str:
        """A keyed hash of the id of a file's content, which git itself gives it without a key; zeros stay zeros."""
        return name if self._names_blobs or not name.strip("0") else f"{self._hash(name.encode()):015x}"

    def naming_blobs(self) -> "Lines":
        """The same, but that blobs are called as git does: for whoever looks whether they are here."""
        return Lines(self._key, names_blobs=True)

    def _numbered(self, line: bytes) -> int:
        text = line[:_LINE_BYTES_MAX].translate(_SAME, _BLANK).rstrip(_TRAILING)
        weight = 0 if text in _TRIVIAL else min(WEIGHT_MAX, len(text.translate(None, _SILENT)))
        if weight > 6 and text.startswith(_CONSEQUENCE):
            weight //= 6
        return self._hash(text) << WEIGHT_BITS | weight

    def _bag(self, words: list[bytes]) -> int:
        return self._hash(b"\0".join(sorted(words))) if words else 0

    def _hash(self, text: bytes) -> int:
        return int.from_bytes(blake2b(text, key=self._key, digest_size=8).digest(), "big") >> WEIGHT_BITS


def weight(numbers: Iterable[int], /) -> int:
    """How much these lines say together."""
    return sum(number & WEIGHT_MAX for number in numbers)


class _Numbers(dict[bytes, int]):
    """The numbers of lines that were asked for: a history says the same ones again and again."""

    def __init__(self, numbered: Callable[[bytes], int]) -> None:
        self._numbered = numbered

    def __missing__(self, line: bytes) -> int:
        if len(self) >= _CACHED_MAX:
            self.clear()
        number = self[line] = self._numbered(line)
        return number


def _differing(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The words of each that the other has not, as often as it has them more often."""
    if not old or not new:
        return old, new
    # Loops over words: a Counter for each of a hundred thousand small hunks is what a history would be read in.
    left = dict[bytes, int]()
    for word in old:
        left[word] = left.get(word, 0) + 1
    given = []
    for word in new:
        if count := left.get(word):
            left[word] = count - 1
        else:
            given.append(word)
    return [word for word, count in left.items() for _ in range(count)], given
