"""`.loomstack/people.yaml`: who is who, read as strictly as rules are."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from loomstack_mcp.adapters.policy.messages import meant
from loomstack_mcp.adapters.policy.strict_yaml import Document, YamlPlace, document
from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.people import PEOPLE_FILE, Person

_KEYS = ("version", "people")
_FIELDS = ("addresses", "users", "handles", "tokens", "roles")
_NAME = re.compile(r"[^\s:]{1,100}")
"""Of a person and of a role: `role:lead` must be nobody's name."""
_WORD = re.compile(r"[^\s\x00-\x1f]{1,200}")

_Told = Iterator[tuple[YamlPlace, str]]


def people_in(content: bytes, /) -> tuple[Person, ...]:
    """The persons of a file, in its order. Raises PolicyError with every problem, `file:line: key: what is wrong`."""
    read = document(PEOPLE_FILE, content)
    if problems := [_problem(read, place, text) for place, text in _wrong(read.value)]:
        raise PolicyError("\n".join(problems))
    assert isinstance(read.value, dict)
    listed: Any = read.value["people"]
    return tuple(
        Person(name=name, **{field: tuple(each) for field, each in (fields or {}).items()})
        for name, fields in listed.items()
    )


def _problem(read: Document, place: YamlPlace, text: str) -> str:
    key = ".".join(map(str, place)) or "the file"
    return f"{read.name}:{read.line(place)}: {key}: {text}"


def _wrong(value: Any) -> _Told:
    if not isinstance(value, dict):
        yield (), "must hold the keys version and people"
        return
    yield from (((key,), f"is no key here{meant(key, _KEYS)}") for key in value if key not in _KEYS)
    version, people = value.get("version"), value.get("people")
    if type(version) is not int or version != 1:
        yield ("version",), "must be 1"
    if not (isinstance(people, dict) and people):  # an empty one would say that everybody is a developer
        yield ("people",), "must hold a key for each person: the name by which rules call them"
        return
    shaped = [problem for name, fields in people.items() for problem in _wrong_person(name, fields)]
    yield from shaped or _shared(people)


def _wrong_person(name: str, fields: Any) -> _Told:
    place: YamlPlace = ("people", name)
    if not (_NAME.fullmatch(name) and name.isprintable()):
        yield place, "is no name: one word without a colon"
    if fields is None:
        return
    if not isinstance(fields, dict):
        yield place, f"must hold keys: {', '.join(_FIELDS)}"
        return
    for field, words in fields.items():
        if wrong := _wrong_words(field, words):
            yield (*place, field), wrong


def _wrong_words(field: str, words: Any) -> str:
    if field not in _FIELDS:
        return f"is no key here{meant(field, _FIELDS) or '; keys are ' + ', '.join(_FIELDS)}"
    fit = _NAME if field == "roles" else _WORD
    is_list = isinstance(words, list) and all(
        isinstance(word, str) and word.isprintable() and fit.fullmatch(word) for word in words
    )
    return "" if is_list else "must be a list of single words, as in [a, b]"


def _shared(people: Mapping[str, Any]) -> _Told:
    """No two persons are called the same, whatever by: else nobody could say who acts."""
    first: dict[str, str] = {}
    for name, fields in people.items():
        called = [((), name), *(((field,), word) for field in _FIELDS[:-1] for word in (fields or {}).get(field, ()))]
        for place, word in called:
            other = first.setdefault(normalize("NFKC", word).casefold(), name)
            if other != name:
                yield ("people", name, *place), f"{word} is {other} already; one name is one person's"
