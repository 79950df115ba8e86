"""Sequences with wildcards: characters within a name, and names within a path.

Both levels have the same shape, a row of elements with gaps that take anything, so one function
decides both. Such rows need no product of automata: where each side has a gap, the two share a word
exactly when their heads agree and their tails agree, since everything between fits into the gaps
one after the other; where one side has none, the leftmost fit of each part is as good as any.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Generic, TypeVar

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import RANGE_CHARS_MAX

ESCAPABLE = r"\*?[]{},!^-"


@dataclass(frozen=True)
class Letters:
    """A set of characters of a name, or, negated, every character outside of it."""

    members: frozenset[str]
    negated: bool


Letter = str | Letters
Name = str | tuple[Sequence[Letter], ...]
"""A literal name, or the parts of a pattern of names, with a gap between each two."""
Route = tuple[tuple[Name, ...], ...]
"""The parts of a pattern of paths, with a gap for any number of names between each two."""

ANY_LETTER = Letters(frozenset(), negated=True)
ANY_NAME: Name = ((ANY_LETTER,), "")

_UNIT = re.compile(r"\\.|\[!?\]?(?:\\.|[^\]/\\])*\]|.", re.DOTALL)
_SPECIAL = re.compile(r"[*?\[\\]")

E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class _Level(Generic[E]):
    both: Callable[[E, E], str]
    """What both elements stand for, or ""."""
    anything: E
    filler: tuple[str, ...]
    """Put into a gap at the beginning of a word, for the reader."""


def shared_path(a: Route, b: Route, /) -> str:
    """A path on both routes, or ""."""
    return "/".join(_shared(a, b, _PATHS) or ())


def some_path(route: Route, /) -> str:
    """One path on the route."""
    return "/".join(_sample([name for part in route for name in part], _PATHS))


def name(text: str, /, *, folded: bool) -> Name:
    """Read one segment of a pattern; `folded` for comparing with casefolded names."""
    if not _SPECIAL.search(text):
        return text.casefold() if folded else text
    parts: list[list[Letter]] = [[]]
    for before, unit in pairwise(["", *_UNIT.findall(text)]):
        if unit == before == "*":
            raise Invalid(f"** stands for whole folders, not for a part of {text}; write * there")
        if unit == "*":
            parts.append([])
        else:
            parts[-1] += _letters(unit, text, folded)
    if not any(parts):
        return ANY_NAME
    joined = tuple(map(_joined, parts))
    return joined[0] if len(joined) == 1 and isinstance(joined[0], str) else joined


def _letters(unit: str, text: str, folded: bool) -> Sequence[Letter]:
    if unit == "?":
        return (ANY_LETTER,)
    if unit == "[":
        raise Invalid(f"[ is not closed within {text}; write \\[ for that character")
    if unit[0] == "[":
        return (_set(unit, text, folded),)
    return _plain(unit, text).casefold() if folded else _plain(unit, text)


def _plain(unit: str, text: str) -> str:
    if unit == "\\" or (unit[0] == "\\" and unit[1] not in ESCAPABLE):
        raise Invalid(f"{unit} in {text} escapes nothing; write / between folders and \\\\ for a backslash")
    return unit[-1]


def _set(unit: str, text: str, folded: bool) -> Letters:
    body = unit[1:-1]
    if body.startswith("^"):
        raise Invalid(f"{unit} in {text} is unclear; write [!{body[1:]}], or \\^ for that character")
    negated = body.startswith("!")
    units = re.findall(r"\\.|.", body[negated:], re.DOTALL)
    members: set[str] = set()
    while units:
        low = high = _plain(units.pop(0), text)
        if len(units) > 1 and units[0] == "-":
            high = _plain(units[1], text)
            del units[:2]
        if not 0 <= ord(high) - ord(low) < RANGE_CHARS_MAX:
            raise Invalid(f"{low}-{high} in {text} runs backwards or too far; write it like [a-z]")
        members.update(map(chr, range(ord(low), ord(high) + 1)))
    members.discard("/")
    if not members:
        raise Invalid(f"{unit} in {text} covers nothing; write / between folders")
    # A set stands for one character, and these fold to several, so [ß] could never meet ss.
    if long := sorted(member for member in members if len(member.casefold()) > 1):
        raise Invalid(f"{unit} in {text} holds {long[0]}, whose lower case is longer; write {{{long[0]},…}}")
    return Letters(frozenset(one.casefold() if folded else one for one in members), negated)


def _joined(part: list[Letter]) -> Sequence[Letter]:
    plain = [letter for letter in part if isinstance(letter, str)]
    return "".join(plain) if len(plain) == len(part) else tuple(part)


def _letter_in_both(a: Letter, b: Letter) -> str:
    if isinstance(a, str):
        fits = a == b if isinstance(b, str) else (a in b.members) != b.negated
        return a if fits else ""
    if isinstance(b, str):
        return b if (b in a.members) != a.negated else ""
    if a.negated and b.negated:
        taken = a.members | b.members
        # Folded names hold no capitals, so a capital would be no answer where case is ignored.
        letters = map(chr, chain(range(ord("x"), 0xD800), range(ord("0"), ord("x"))))
        return next((one for one in letters if one not in taken and one.casefold() == one), "")
    if a.negated or b.negated:
        return min((b.members - a.members) if a.negated else (a.members - b.members), default="")
    return min(a.members & b.members, default="")


def _name_in_both(a: Name, b: Name) -> str:
    if isinstance(a, str):
        if isinstance(b, str):
            return a if a == b else ""
        if b is ANY_NAME:
            return a
        a = (a,)
    elif isinstance(b, str):
        b = (b,)
    return "".join(_shared(a, b, _NAMES) or ())


def _shared(a: Sequence[Sequence[E]], b: Sequence[Sequence[E]], level: _Level[E]) -> list[str] | None:
    """A word of both rows of parts, or None."""
    if len(a) == 1:
        return _threaded(a[0], b, level)
    if len(b) == 1:
        return _threaded(b[0], a, level)
    head = _beside(a[0], b[0], level)
    if head is None:
        return None
    tail = _beside(a[-1][::-1], b[-1][::-1], level)
    if tail is None:
        return None
    middle = [element for part in (*a[1:-1], *b[1:-1]) for element in part]
    return [*(head or level.filler), *_sample(middle, level), *reversed(tail)]


def _threaded(word: Sequence[E], parts: Sequence[Sequence[E]], level: _Level[E]) -> list[str] | None:
    """Fit the parts into a row of fixed length, each as far left as it goes."""
    room = len(word) - sum(map(len, parts))
    if room < 0 or (room and len(parts) == 1):
        return None
    found: list[str] = []
    at, last = 0, len(parts) - 1
    for number, part in enumerate(parts):
        lowest = at + room if number == last else at
        highest = at if number == 0 else at + room
        for start in range(lowest, highest + 1):
            fit = _beside(word[start : start + len(part)], part, level)
            if fit is not None:
                break
        else:
            return None
        found += [*_sample(word[at:start], level), *fit]
        room -= start - at
        at = start + len(part)
    return found


def _beside(a: Sequence[E], b: Sequence[E], level: _Level[E]) -> list[str] | None:
    """Both rows from their beginnings on, to the end of the longer one."""
    if isinstance(a, str) and isinstance(b, str):
        return list(a) if a.startswith(b) else list(b) if b.startswith(a) else None
    size = min(len(a), len(b))
    found = []
    for mine, theirs in zip(a, b, strict=False):
        both = level.both(mine, theirs)
        if not both:
            return None
        found.append(both)
    return found + _sample(a[size:] or b[size:], level)


def _sample(row: Sequence[E], level: _Level[E]) -> list[str]:
    return list(row) if isinstance(row, str) else [level.both(element, level.anything) for element in row]


_NAMES: _Level[Letter] = _Level(both=_letter_in_both, anything=ANY_LETTER, filler=("x",))
_PATHS: _Level[Name] = _Level(both=_name_in_both, anything=ANY_NAME, filler=())
