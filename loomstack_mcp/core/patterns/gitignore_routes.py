"""A gitignore pattern as a route of names, or why it is none."""

import re
from collections.abc import Sequence
from functools import lru_cache

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import PATTERN_CHARS_MAX, RANGE_CHARS_MAX
from loomstack_mcp.core.patterns.segments import as_it_stands
from loomstack_mcp.core.patterns.spellings import Fold
from loomstack_mcp.core.patterns.wildcards import (
    ANY_LETTER,
    ANY_NAME,
    Letter,
    Letters,
    Name,
    Reading,
    Readings,
    Route,
)

# A set ends at the first ] that is not its first member.
_UNIT = re.compile(r"\\.|\[[!^]?+(?:\\.|[^\\])(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_MEMBER = re.compile(r"\\.|[^\\]", re.DOTALL)
_TRAILING_BLANK = re.compile(r"(?<!\\)(?:\\\\)*\s\Z")


@lru_cache(maxsize=4_096)
def route_of(text: str, fold: Fold, /, *, spelled: bool = False) -> Route:
    """The names that a covered path has, folded, with a last part for what is below them.

    With `spelled` a set also stands for the text that spells it, as in the names of routes, `[id]`.
    Raises Invalid for a text that is no pattern, or that git reads in a surprising way.
    """
    _admit(text)
    body = text.removesuffix("/").removeprefix("/")
    floats = "/" not in text.removesuffix("/")
    segments = ["**", body] if floats else body.split("/")
    route: list[tuple[Name, ...]] = [()]
    for segment in segments:
        if segment == "**":
            route.append(())
        else:
            route[-1] = (*route[-1], _readings(segment, text, fold) if spelled else _name(segment, text, fold))
    if segments[-1] == "**":
        route[-1] = (ANY_NAME,)
    route.append((ANY_NAME,) if text.endswith("/") else ())
    return (route[0], *(part for part in route[1:-1] if part), route[-1])


def _admit(text: str) -> None:
    if not text.strip("/"):
        raise Invalid("a pattern is empty; name a path, or /** for all")
    if len(text) > PATTERN_CHARS_MAX:
        raise Invalid(f"a pattern of {len(text)} characters, {PATTERN_CHARS_MAX} is the most; name the folder")
    if text[0] in "!#":
        why = "there is no taking back; use `except`" if text[0] == "!" else "that would be a comment"
        raise Invalid(f"{text} begins with {text[0]}: {why}, or write \\{text[0]} for that character")
    if _TRAILING_BLANK.search(text):
        raise Invalid(f"{text!r} ends with a blank; delete it, or write a backslash before it")
    if "\0" in text:
        raise Invalid("a pattern holds NUL, which no path has; delete it")


def _readings(segment: str, text: str, fold: Fold) -> Name:
    read = _name(segment, text, fold)
    as_text = _UNIT.sub(lambda unit: as_it_stands(unit[0]) if len(unit[0]) > 1 else unit[0], segment)
    return read if as_text == segment else Readings(readings=(read, _name(as_text, text, fold)))


def _name(segment: str, text: str, fold: Fold) -> Reading:
    if segment == "*":
        return ANY_NAME
    parts: list[list[Letter]] = [[]]
    before = ""
    for unit in _UNIT.findall(segment):
        if unit == before == "*":
            raise Invalid(f"{text}: ** stands for whole folders, not for a part of a name; write * there")
        if unit == "*":
            parts.append([])
        else:
            parts[-1].append(_letter(unit, text, fold))
        before = unit
    if len(parts) == 1 and all(isinstance(letter, str) for letter in parts[0]):
        return _literal("".join(map(str, parts[0])), text, fold)
    done = tuple(_run(part, fold) for part in parts)
    return done if any(done) else ANY_NAME


def _literal(name: str, text: str, fold: Fold) -> str:
    if name in ("", ".", ".."):
        what = f"the segment {name}" if name else "an empty segment"
        raise Invalid(f"{text} has {what}, which no path has; write it like /src/app.py")
    return fold(name) or name


def _run(part: list[Letter], fold: Fold) -> Sequence[Letter]:
    """The letters between two stars: folded together, since a letter and its accent may be one."""
    if all(isinstance(letter, str) for letter in part):
        return fold("".join(map(str, part)))
    run: list[Letter] = []
    plain = ""
    for letter in (*part, ANY_LETTER):
        if isinstance(letter, str):
            plain += letter
        else:
            run += [*fold(plain), letter]
            plain = ""
    return tuple(run[:-1])


def _letter(unit: str, text: str, fold: Fold) -> Letter:
    if unit == "?":
        return ANY_LETTER
    if unit == "[":
        raise Invalid(f"{text}: [ is not closed within its segment; write \\[ for that character")
    if unit == "\\":
        raise Invalid(f"{text}: \\ escapes nothing; write \\\\ for a backslash")
    return _set(unit, text, fold) if unit[0] == "[" else unit[-1]


def _set(unit: str, text: str, fold: Fold) -> Letters:
    if "[:" in unit[1:]:
        raise Invalid(f"{text}: {unit} is a POSIX class; write it out, as in [a-z]")
    negated = unit[1] in "!^"
    units = _MEMBER.findall(unit[1 + negated : -1])
    members: set[str] = set()
    while units:
        low = high = units.pop(0)[-1]
        if len(units) > 1 and units[0] == "-":
            high = units[1][-1]
            del units[:2]
        if not 0 <= ord(high) - ord(low) < RANGE_CHARS_MAX:
            raise Invalid(f"{text}: the range {low}-{high} runs backwards or too far; write it like [a-z]")
        members.update(fold(chr(code)) for code in range(ord(low), ord(high) + 1))
    if long := sorted(member for member in members if len(member) > 1):
        raise Invalid(f"{text}: {unit} holds a letter whose lower case is {long[0]}, more than one; leave it out")
    return Letters(members=frozenset(members - {"/", ""}), negated=negated)
