"""What pydantic finds wrong with the shape of a policy file, said to its author."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from loomstack_mcp.adapters.policy.models import Doc
from loomstack_mcp.adapters.policy.strict_yaml import YamlPlace

Wrong = Iterator[tuple[YamlPlace, str]]
"""Problems, each with its place relative to what was looked at."""

_SHOWN_CHARS_MAX = 60
_WORDS = {
    "string_type": "must be a text; put it in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "list_type": "must be a list, as in [a, b]",
    "dict_type": "must hold keys, as in {{key: value}}",
    "model_type": "must hold keys, as in {{key: value}}",
    "missing": "is missing",
    "string_too_short": "must have at least {min_length} characters",
    "too_short": "must not be empty",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match {pattern}",
}
_SCHEMA = Doc.model_json_schema()


def spoken(error: ErrorDetails, /) -> tuple[YamlPlace, str]:
    """Where in the file, and what is wrong; with the nearest spelling where one was meant."""
    place = tuple(step for step in error["loc"] if step != "[key]")
    kind, given = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = _keys(place[:-1])
        return place, f"is no key here{meant(str(place[-1]), known) or '; keys are ' + ', '.join(known)}"
    if kind == "literal_error":
        known = re.findall(r"[\w-]+(?='|$)", error["ctx"]["expected"])
        shown = str(given)[:_SHOWN_CHARS_MAX]
        return place, f"{shown} is none of {', '.join(known)}{meant(shown, known)}"
    ours = _WORDS.get(kind)
    return place, ours.format(**error.get("ctx", {})) if ours else error["msg"]


def meant(word: str, known: Iterable[str], /) -> str:
    """`; did you mean X?`, or "" where nothing is near."""
    near = {each.lower(): each for each in known}
    found = get_close_matches(word[:_SHOWN_CHARS_MAX].lower(), near, n=1)
    return f"; did you mean {near[found[0]]}?" if found else ""


def key_path(place: YamlPlace, /) -> str:
    """The place as people write it: `rules[0].where.paths`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


def _keys(place: YamlPlace) -> list[str]:
    node = _SCHEMA
    for step in place:
        node = _followed(node["items"] if isinstance(step, int) else node["properties"][step])
    return list(node.get("properties", ()))


def _followed(node: dict[str, Any]) -> dict[str, Any]:
    node = node.get("anyOf", [node])[0]  # the other way is null
    return _SCHEMA["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
