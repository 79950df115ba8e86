"""The arguments of a call, held against the schema of its tool, with the SDK's leniency (pydantic's lax mode).

The schemas use seven keywords; a validator that knows all of JSON Schema would cost each start more than all else.
"""

import json
from collections.abc import Callable
from typing import Any

from loomstack_mcp.core.errors import Invalid

Json = dict[str, Any]

_DIGITS_MAX = 4300
"""Of a number in a text, as `int` reads it (PEP 644's neighbour, sys.set_int_max_str_digits)."""


class _Wrong(Exception):
    """What is wrong, and where: the names on the way to it, the outermost first."""

    def __init__(self, why: str, *at: str) -> None:
        super().__init__(why)
        self.at = at


def checked_arguments(schema: Json, arguments: Json) -> Json:
    """The arguments as the tool takes them. Raises WrongArguments, with each that is wrong."""
    properties = schema["properties"]
    required = schema.get("required", ())
    wrong: list[tuple[str, str]] = []
    found: Json = {}
    for name, about in properties.items():
        if name in arguments:
            try:
                found[name] = _argument(arguments[name], about, optional=name not in required)
            except _Wrong as problem:
                wrong.append((".".join((name, *problem.at)), str(problem)))
        elif name in required:
            wrong.append((name, "Field required"))
    wrong += [(name, "Extra inputs are not permitted") for name in arguments if name not in properties]
    if wrong:
        raise WrongArguments(wrong)
    return found


class WrongArguments(Invalid):
    """Arguments that a tool does not take."""

    def __init__(self, wrong: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(name for name, _ in wrong))
        self.wrong = wrong


def _argument(value: Any, about: Json, *, optional: bool) -> Any:
    """One argument. Lists and objects may come as JSON text, as some clients send them, and as null where optional."""
    kind = about["type"]
    if isinstance(value, str) and (kind != "string" or "enum" in about):
        value = _unpacked(value)
    if value is None and optional and kind in ("array", "object"):
        return None
    return _value(value, about)


def _unpacked(text: str) -> Any:
    """What a JSON text holds, where that is more than a text or a number; else the text."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(held, str | int | float) else held


def _value(value: Any, about: Json) -> Any:
    if "enum" in about:
        return _one_of(value, about["enum"])
    return _KINDS[about["type"]](value, about)


def _one_of(value: Any, choices: list[str]) -> str:
    if isinstance(value, str) and value in choices:
        return value
    *most, last = (f"'{choice}'" for choice in choices)
    raise _Wrong(f"Input should be {', '.join(most)} or {last}" if most else f"Input should be {last}")


def _string(value: Any, _: Json) -> str:
    if not isinstance(value, str):
        raise _Wrong("Input should be a valid string")
    return value


def _integer(value: Any, _: Json) -> int:
    """A whole number, also as a float without a fraction, a truth value, or a text that spells one."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not value.is_integer():
            raise _Wrong("Input should be a valid integer, got a number with a fractional part")
        return int(value)
    if isinstance(value, str):
        return _spelled(value)
    raise _Wrong("Input should be a valid integer")


def _spelled(text: str) -> int:
    whole, dot, fraction = text.strip().partition(".")
    digits = whole[1:] if whole[:1] in ("+", "-") else whole
    is_plain = digits.replace("_", "").isdecimal() and digits.isascii() and not fraction.strip("0")
    if not is_plain or (dot and not fraction and not digits) or len(digits) > _DIGITS_MAX:
        raise _Wrong("Input should be a valid integer, unable to parse string as an integer")
    try:
        return int(whole)
    except ValueError:
        raise _Wrong("Input should be a valid integer, unable to parse string as an integer") from None


def _array(value: Any, about: Json) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong("Input should be a valid list")
    return [_below(part, about["items"], str(number)) for number, part in enumerate(value)]


def _object(value: Any, about: Json) -> Json:
    """A mapping whose values are of one kind, or the fields that are known; others of it are left out."""
    if not isinstance(value, dict):
        raise _Wrong("Input should be a valid dictionary")
    if "properties" not in about:
        return {name: _below(part, about["additionalProperties"], name) for name, part in value.items()}
    known = about["properties"]
    return {name: _below(part, known[name], name) for name, part in value.items() if name in known}


def _below(value: Any, about: Json, name: str) -> Any:
    try:
        return _value(value, about)
    except _Wrong as problem:
        raise _Wrong(str(problem), name, *problem.at) from None


_KINDS: dict[str, Callable[[Any, Json], Any]] = {
    "string": _string,
    "integer": _integer,
    "array": _array,
    "object": _object,
}
