"""JSON changed where it has to be, and nowhere else: the blanks, line ends and numbers of all else stay."""

import re
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # of the standard library, though not in its stubs
from typing import Any

from loomstack_mcp.core.clients.files.json_text import JsonTree, indent_of, json_spelled, leaf
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record

_BLANK = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r"[^\s,\]}]+")
_LAST_LINE = re.compile(r"(\r?\n)[^\n]*\Z")


@record
class _Place:
    """Where a value stands in the text; of an object or a list also where each of its parts does."""

    start: int
    end: int
    parts: "tuple[_Part, ...]" = ()


@record
class _Part:
    """A member of an object, or an element of a list, which has no name."""

    start: int
    name: str
    place: _Place


def edited(text: str, before: JsonTree, after: JsonTree, /) -> str:
    """The text, which says `before` and is valid JSON, so that it says `after`.

    Raises Invalid where objects lie deeper in one another than Python can follow.
    """
    try:
        root = _scanned(text, _after_blank(text, 0))
        return text[: root.start] + _Editor(text).respelled(root, before, after) + text[root.end :]
    except RecursionError:
        raise Invalid("is nested too deeply") from None


class _Editor:
    def __init__(self, text: str) -> None:
        self._text = text
        self._indent = indent_of(text)
        self._line = "\r\n" if "\r\n" in text else "\n"

    def respelled(self, place: _Place, before: Any, after: Any) -> str:
        """What stands there for `after`: what stood there, as far as it says the same."""
        text = self._text[place.start : place.end]
        if before == after:
            return text
        both = (before, after)
        if all(isinstance(each, dict) for each in both) or all(isinstance(each, list) for each in both):
            brackets = text[0] + text[-1]
            return brackets[0] + self._inside(place, *map(_members, both)) + brackets[1]
        return json_spelled(after, self._indent, self._line_of(place.start))

    def _inside(self, place: _Place, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> str:
        keys = list(before)
        ends = [place.start + 1, *(part.place.end for part in place.parts)]
        gaps = [self._text[end : part.start] for end, part in zip(ends, place.parts, strict=False)]
        first = gaps[0] if gaps else self._line_of(place.start) + self._indent
        last = self._text[ends[-1] : place.end - 1] if gaps else self._line_of(place.start)
        line = found[0] if (found := _LAST_LINE.search(first)) else ""
        shown: list[str] = []
        for key, value in after.items():
            if key in before:
                part, gap = place.parts[keys.index(key)], gaps[keys.index(key)]
                named = self._text[part.start : part.place.start]
                spelling = named + self.respelled(part.place, before[key], value)
            else:
                gap = "," + (line or " ")
                name = f"{leaf(key)}: " if isinstance(key, str) else ""
                spelling = name + json_spelled(value, self._indent if line else "", line)
            if not shown:
                gap = first
            elif "," not in gap:  # of what was the first one, and is no more
                gap = "," + (line or " ")
            shown.append(gap + spelling)
        return "".join([*shown, last]) if shown else ""

    def _line_of(self, start: int) -> str:
        """A line end, and the blanks at the beginning of the line that this place is on."""
        beginning = self._text.rfind("\n", 0, start) + 1
        blanks = _BLANK.match(self._text, beginning)
        return self._line + (blanks[0] if blanks else "")


def _members(value: Any) -> Mapping[Any, Any]:
    """What is in an object by its names; in a list, by what it is: equal ones by their order."""
    if isinstance(value, dict):
        return value
    seen: dict[Any, Any] = {}
    for each in value:
        number = sum(each == other for other in seen.values())
        seen[number, repr(each)] = each
    return seen


def _scanned(text: str, at: int) -> _Place:
    """The value that begins there, in JSON that is known to be valid."""
    if text[at] not in "{[":
        end = scanstring(text, at + 1)[1] if text[at] == '"' else _PLAIN.match(text, at).end()  # type: ignore[union-attr]  # valid
        return _Place(start=at, end=end)
    parts: list[_Part] = []
    here = _after_blank(text, at + 1)
    while text[here] not in "}]":
        start, name = here, ""
        if text[at] == "{":
            name, here = scanstring(text, here + 1)
            here = _after_blank(text, _after_blank(text, here) + 1)
        place = _scanned(text, here)
        parts.append(_Part(start=start, name=name, place=place))
        here = _after_blank(text, place.end)
        if text[here] == ",":
            here = _after_blank(text, here + 1)
    return _Place(start=at, end=here + 1, parts=tuple(parts))


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found
    return found.end()
