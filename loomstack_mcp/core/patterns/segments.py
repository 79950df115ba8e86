"""One segment of a claim's pattern: its letters, sets and stars, read as what wildcards compare."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import RANGE_CHARS_MAX
from loomstack_mcp.core.patterns.wildcards import ANY_LETTER, ANY_NAME, Letter, Letters, Name, Reading, Readings

_ESCAPABLE = r"\*?[]{},!^-"

_UNIT = re.compile(r"\\.|\[!?\]?(?:\\.|[^\]/\\])*\]|.", re.DOTALL)
_CHARACTER = re.compile(r"\\.|[*?\[\]{}]", re.DOTALL)
_MEMBER = re.compile(r"\\.|.", re.DOTALL)
_RANGE = re.compile(r"(\\.|[^\\])-(\\.|[^\\])", re.DOTALL)
_SPECIAL = re.compile(r"[*?\[\\]")


def name_of(segment: str, /, *, folded: bool) -> Name:
    """The names that one segment of a pattern stands for; `folded` for comparing with casefolded names.

    A set stands for one character of it, and for the text that spells it, too: whether a name like `[id]` is meant
    as it stands does not depend on the files that are there. Raises Invalid for what is no pattern of names.
    """
    read = _reading(segment, folded)
    spelled = with_sets(segment, as_it_stands)
    return read if spelled == segment else Readings(readings=(read, _reading(spelled, folded)))


def with_sets(text: str, replaced: Callable[[str], str], /) -> str:
    """The text of a pattern with something else in the place of every set of characters."""
    return _UNIT.sub(lambda unit: replaced(unit[0]) if len(unit[0]) > 1 and unit[0][0] == "[" else unit[0], text)


def as_it_stands(unit: str, /) -> str:
    """A set as the text that spells it."""
    return _CHARACTER.sub(lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", unit)


def without_false_sets(text: str, /) -> str:
    """The text with a backslash before what can only be a name: a set has a range that runs backwards, `[top-bar]`."""
    return with_sets(text, lambda unit: as_it_stands(unit) if _is_backwards(unit) else unit)


def _is_backwards(unit: str) -> bool:
    return any(low[-1] > high[-1] for low, high in _RANGE.findall(unit[1:-1].removeprefix("!")))


def _reading(segment: str, folded: bool) -> Reading:
    if not _SPECIAL.search(segment):
        return segment.casefold() if folded else segment
    parts: list[list[Letter]] = [[]]
    for before, unit in pairwise(["", *_UNIT.findall(segment)]):
        if unit == before == "*":
            raise Invalid(f"** stands for whole folders, not for a part of {segment}; write * there")
        if unit == "*":
            parts.append([])
        else:
            parts[-1] += _letters(unit, segment, folded)
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
    if unit == "\\" or (unit[0] == "\\" and unit[1] not in _ESCAPABLE):
        raise Invalid(f"{unit} in {text} escapes nothing; write / between folders and \\\\ for a backslash")
    return unit[-1]


def _set(unit: str, text: str, folded: bool) -> Letters:
    body = unit[1:-1]
    if body.startswith("^"):
        raise Invalid(f"{unit} in {text} is unclear; write [!{body[1:]}], or \\^ for that character")
    negated = body.startswith("!")
    members = _members(body[negated:], text) - {"/"}
    if not members:
        raise Invalid(f"{unit} in {text} covers nothing; write / between folders")
    # A set stands for one character, and these fold to several, so [ß] could never meet ss.
    if long := sorted(member for member in members if len(member.casefold()) > 1):
        raise Invalid(f"{unit} in {text} holds {long[0]}, whose lower case is longer; write {{{long[0]},…}}")
    return Letters(members=frozenset(one.casefold() if folded else one for one in members), negated=negated)


def _members(body: str, text: str) -> set[str]:
    """The characters of a set, its ranges spelled out; a hyphen at either end is one of them."""
    units = _MEMBER.findall(body)
    members: set[str] = set()
    while units:
        low = high = _plain(units.pop(0), text)
        if len(units) > 1 and units[0] == "-":
            high = _plain(units[1], text)
            del units[:2]
        if not 0 <= ord(high) - ord(low) < RANGE_CHARS_MAX:
            raise Invalid(f"{low}-{high} in {text} runs backwards or too far; write it like [a-z]")
        members.update(map(chr, range(ord(low), ord(high) + 1)))
    return members


def _joined(part: list[Letter]) -> Sequence[Letter]:
    plain = [letter for letter in part if isinstance(letter, str)]
    return "".join(plain) if len(plain) == len(part) else tuple(part)
