"""YAML as policies may use it: one document of plain mappings, lists and scalars, each with its line.

Reads the parser's events instead of building objects: aliases, tags and deep nesting are refused as
they come by, before they cost anything. Scalars are those of YAML 1.2's core schema (section 10.3.2),
so that `on`, `no` and an unquoted `22:00` are the words that they look like.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import yaml

from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.records import record

BYTES_MAX = 256_000
DEPTH_MAX = 24
NODES_MAX = 20_000
NUMBER_CHARS_MAX = 32
"""Python refuses to read numbers of more than 4,300 digits, with an error of its own."""

YamlPlace = tuple[str | int, ...]
"""Keys and list positions from the root, as in `("rules", 0, "effect")`."""
Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None

_CONSTANTS: Mapping[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?i:inf)|\.(?i:nan)")
# What YAML does not allow, and what a reviewer does not see: libyaml ends a line, and with it a comment, at
# the first three of the second row; the others turn the order of what is shown (CVE-2021-42574).
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x85\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_BREAK = re.compile(r"\r\n?|\n")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@record
class Document:
    """What a file says, and on which line."""

    name: str
    value: Value
    key_lines: Mapping[YamlPlace, int]
    """Of each key, and of the beginning of each item of a list; from 1."""
    value_lines: Mapping[YamlPlace, int]
    """Of the beginning of each value."""

    def line(self, place: YamlPlace) -> int:
        """The line of this key or item; where it is not in the file, of the nearest one above it."""
        while place and place not in self.key_lines:
            place = place[:-1]
        return self.key_lines.get(place, 1)


def document(name: str, content: bytes) -> Document:
    """Read a file. Raises PolicyError, with `name` and the line, for the first thing that is refused."""
    text = _text(name, content)
    reader = _Reader(name, iter(yaml.parse(text, Loader=_Loader)))
    try:
        value = reader.only_document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(name, mark.line + 1 if mark else 1, f"is not valid YAML: {error.problem or error.context}")
    return Document(name=name, value=value, key_lines=reader.key_lines, value_lines=reader.value_lines)


def _text(name: str, content: bytes) -> str:
    if len(content) > BYTES_MAX:
        _refuse(name, 1, f"the file has {len(content)} bytes, {BYTES_MAX} is the most; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        _refuse(name, _line_at(before, len(before)), "is not UTF-8; save the file in that encoding")
    if found := _FORBIDDEN.search(text):
        what = f"U+{ord(found.group()):04X}"
        _refuse(name, _line_at(text, found.start()), f"holds the character {what}, which is not shown; delete it")
    return text


def _line_at(text: str, offset: int) -> int:
    return 1 + sum(1 for _ in _BREAK.finditer(text, 0, offset))


def _refuse(name: str, line: int, what: str) -> NoReturn:
    raise PolicyError(f"{name}:{line}: {what}")


class _Reader:
    """One pass over the events of a file."""

    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self.key_lines: dict[YamlPlace, int] = {}
        self.value_lines: dict[YamlPlace, int] = {}
        self._name = name
        self._events = events
        self._nodes = 0

    def only_document(self) -> Value:
        next(self._events)  # the start of the stream
        first = next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            _refuse(self._name, 1, "the file is empty; begin with `version: 1`")
        if first.version or first.tags:
            self._refuse(first, "directives (%) are not read; delete the line")
        value = self._value(next(self._events), ())
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document begins; a file holds one, make it a file of its own")
        return value

    def _value(self, event: Any, place: YamlPlace) -> Value:
        self._admit(event, place)
        self.value_lines[place] = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        return self._mapping(place) if isinstance(event, yaml.MappingStartEvent) else self._list(place)

    def _admit(self, event: Any, place: YamlPlace) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            self._refuse(event, f"more than {NODES_MAX} keys and values; split the file")
        if len(place) > DEPTH_MAX:
            self._refuse(event, f"nested more than {DEPTH_MAX} levels deep")
        if event.anchor is not None:
            what = "alias" if isinstance(event, yaml.AliasEvent) else "anchor"
            self._refuse(event, f"{what} {event.anchor}: anchors and aliases are not read; write the value out")
        if event.tag is not None:
            self._refuse(event, f"tag {event.tag}: tags are not read; delete it")

    def _mapping(self, place: YamlPlace) -> Value:
        found: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, place)
            here = (*place, key)
            line = event.start_mark.line + 1
            if key in found:
                self._refuse(event, f"{key}: is already on line {self.key_lines[here]}; keep one of them")
            self.key_lines[here] = line
            found[key] = self._value(next(self._events), here)
        return found

    def _key(self, event: Any, place: YamlPlace) -> str:
        self._admit(event, place)
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str):
            self._refuse(event, "a key must be a word; put a number, true, false or null in quotes")
        if key == "<<":
            self._refuse(event, "<<: merge keys are not read; write the keys out")
        return key

    def _list(self, place: YamlPlace) -> Value:
        found: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*place, len(found))
            self.key_lines[here] = event.start_mark.line + 1
            found.append(self._value(event, here))
        return found

    def _scalar(self, event: Any) -> Value:
        text: str = event.value
        if "\0" in text:
            self._refuse(event, "holds the character NUL; delete it")
        if event.style:  # quoted, or a block; "" or None where it is plain
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        whole, real = _WHOLE.fullmatch(text), _REAL.fullmatch(text)
        if (whole or real) and len(text) > NUMBER_CHARS_MAX:
            self._refuse(event, f"a number of {len(text)} characters, {NUMBER_CHARS_MAX} is the most")
        if whole:
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan")) if real else text

    def _refuse(self, event: Any, what: str) -> NoReturn:
        _refuse(self._name, event.start_mark.line + 1, what)
