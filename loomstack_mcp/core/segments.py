"""One segment of a pattern: which names it covers, and which name two segments share."""

import re
from dataclasses import dataclass
from functools import lru_cache

from loomstack_mcp.core.errors import Invalid

Chars = tuple[tuple[int, int], ...]
"""Sorted, disjoint, inclusive ranges of code points."""

_LAST = 0x10FFFF
_ANY: Chars = ((1, ord("/") - 1), (ord("/") + 1, _LAST))
_STAR: Chars = ()
"""Any run of characters; no set of characters is empty, so the empty one is free to mean this."""
_PREFERRED = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_SPECIAL = re.compile(r"[*?\[\]\\]")


@dataclass(frozen=True)
class Segment:
    """A name, or a pattern of names. `literal` is the name itself; None for a pattern."""

    literal: str | None
    tokens: tuple[Chars, ...] = ()
    head: str = ""
    """Literal characters that every covered name begins with."""
    tail: str = ""
    """Literal characters that every covered name ends with."""
    simple: bool = False
    """Nothing but head, one star and tail."""


ANY_NAME = Segment(None, (_STAR,), simple=True)


@lru_cache(maxsize=8192)
def segment(text: str, /) -> Segment:
    """Read one segment: `*`, `?`, `[ab]`, `[!a-c]`, and `\\` before a character that stands for itself."""
    if not _SPECIAL.search(text):
        return Segment(text)
    tokens = _tokens(text)
    if all(len(token) == 1 and token[0][0] == token[0][1] for token in tokens):
        return Segment("".join(chr(token[0][0]) for token in tokens))
    head, tail = _literal_run(tokens), _literal_run(tokens[::-1])[::-1]
    simple = tokens.count(_STAR) == 1 and len(tokens) == len(head) + len(tail) + 1
    return Segment(None, tokens, head, tail, simple)


def name_in_both(a: Segment, b: Segment, /) -> str:
    """A name that both cover, or "" where there is none. Takes time in the product of their lengths."""
    if a.literal is not None and b.literal is not None:
        return a.literal if a.literal == b.literal else ""
    if b.literal is not None:
        a, b = b, a
    if a.literal is not None:
        return a.literal if _covers(b, a.literal) else ""
    heads_meet = a.head.startswith(b.head) or b.head.startswith(a.head)
    tails_meet = a.tail.endswith(b.tail) or b.tail.endswith(a.tail)
    return _product(a.tokens, b.tokens) if heads_meet and tails_meet else ""


def _covers(wanted: Segment, name: str) -> bool:
    if not name.startswith(wanted.head) or not name.endswith(wanted.tail):
        return False
    if wanted.simple:
        return len(name) >= len(wanted.head) + len(wanted.tail)
    return _greedy(wanted.tokens, [ord(character) for character in name])


def _greedy(tokens: tuple[Chars, ...], name: list[int]) -> bool:
    """Match with one point of return, at the latest star: no earlier star can do better."""
    at = place = 0
    star = resume = -1
    while place < len(name):
        if at < len(tokens) and tokens[at] == _STAR:
            star, resume = at, place
            at += 1
        elif at < len(tokens) and _has(tokens[at], name[place]):
            at += 1
            place += 1
        elif star >= 0:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return all(token == _STAR for token in tokens[at:])


def _product(a: tuple[Chars, ...], b: tuple[Chars, ...]) -> str:
    """The product of both automata, walked from the end: the shared rest of the name at each pair of places."""
    rests: list[list[str | None]] = [[None] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a), -1, -1):
        for j in range(len(b), -1, -1):
            rests[i][j] = _rest(a, b, i, j, rests)
    shared = rests[0][0]
    # Both cover the empty name only where both are nothing but stars, which cover any other name as well.
    return "" if shared is None else shared or "x"


def _rest(a: tuple[Chars, ...], b: tuple[Chars, ...], i: int, j: int, rests: list[list[str | None]]) -> str | None:
    if i == len(a) and j == len(b):
        return ""
    for star, behind in (
        (i < len(a) and a[i] == _STAR, (i + 1, j)),
        (j < len(b) and b[j] == _STAR, (i, j + 1)),
    ):
        if star and (rest := rests[behind[0]][behind[1]]) is not None:
            return rest
    if i == len(a) or j == len(b) or a[i] == b[j] == _STAR:
        return None
    if a[i] == _STAR:
        shared, rest = b[j], rests[i][j + 1]
    elif b[j] == _STAR:
        shared, rest = a[i], rests[i + 1][j]
    else:
        shared, rest = _both(a[i], b[j]), rests[i + 1][j + 1]
    return _pick(shared) + rest if shared and rest is not None else None


def _tokens(text: str) -> tuple[Chars, ...]:
    tokens: list[Chars] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "*":
            if not tokens or tokens[-1] != _STAR:
                tokens.append(_STAR)
        elif character == "?":
            tokens.append(_ANY)
        elif character == "[":
            chars, at = _set(text, at)
            tokens.append(chars)
        else:
            at += character == "\\"
            if at == len(text):
                raise Invalid(f"{text} ends in a lone backslash; write \\\\ for a backslash in a name")
            tokens.append(((ord(text[at]), ord(text[at])),))
        at += 1
    return tuple(tokens)


def _set(text: str, start: int) -> tuple[Chars, int]:
    """The set that opens at `start`, and where it closes. A `]` right after the opening stands for itself."""
    at = start + 1
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    first = at
    ranges: list[tuple[int, int]] = []
    while at < len(text) and (text[at] != "]" or at == first):
        at += text[at] == "\\" and at + 1 < len(text)
        low = high = ord(text[at])
        if text[at + 1 : at + 2] == "-" and text[at + 2 : at + 3] not in ("", "]"):
            at += 2
            at += text[at] == "\\" and at + 1 < len(text)
            high = ord(text[at])
        if low > high:
            raise Invalid(f"{text} has a range that runs backwards; write [a-z], not [z-a]")
        ranges.append((low, high))
        at += 1
    if at >= len(text):
        raise Invalid(f"{text} opens [ and never closes it; write \\[ for a bracket in a name")
    chars = _complement(ranges) if negated else _both(_merged(ranges), _ANY)
    if not chars:
        raise Invalid(f"{text} has a set of characters that covers nothing")
    return chars, at


def _literal_run(tokens: tuple[Chars, ...]) -> str:
    run = []
    for token in tokens:
        if len(token) != 1 or token[0][0] != token[0][1]:
            break
        run.append(chr(token[0][0]))
    return "".join(run)


def _merged(ranges: list[tuple[int, int]]) -> Chars:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(ranges: list[tuple[int, int]]) -> Chars:
    gaps, start = [], 1
    for low, high in _merged([*ranges, (ord("/"), ord("/"))]):
        if start < low:
            gaps.append((start, low - 1))
        start = max(start, high + 1)
    return tuple([*gaps, (start, _LAST)] if start <= _LAST else gaps)


def _both(a: Chars, b: Chars) -> Chars:
    return tuple(
        (max(low, other_low), min(high, other_high))
        for low, high in a
        for other_low, other_high in b
        if max(low, other_low) <= min(high, other_high)
    )


def _has(chars: Chars, code: int) -> bool:
    return any(low <= code <= high for low, high in chars)


def _pick(chars: Chars) -> str:
    """A character of the set, one that reads well where there is one."""
    return next((letter for letter in _PREFERRED if _has(chars, ord(letter))), chr(chars[0][0]))
