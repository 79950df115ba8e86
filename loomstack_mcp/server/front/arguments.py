"""The arguments of a call, held against the schema of its tool, with the SDK's leniency (pydantic's lax mode).

The schemas use seven keywords; a validator that knows all of JSON Schema would cost each start more than all else.
"""

import json
from typing import Any

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.server.front.messages import Json

_DIGITS_MAX = 4300
"""Characters of a text that spells a number: Python's own bound (sys.set_int_max_str_digits)."""
_FLOAT_MOST = 2.0**63
"""A float from here on stands for no whole number."""
_NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
_TOO_LARGE = "Unable to parse input string as an integer, exceeded maximum size"
_NO_MAPPING = "Input should be a valid dictionary"
_MAPPINGS = {"links": '{"pr": "https://…"}', "checks": '{"passed": 41, "failed": 1, "failing": ["tests/test_a.py"]}'}
"""What is meant by arguments that hold fields."""
_NO_MORE = "Extra inputs are not permitted"

WrongValues = list[tuple[str, str]]
"""Arguments that are wrong, by the names on the way to them, each with why."""


class WrongArguments(Invalid):
    """Arguments that a tool does not take."""

    def __init__(self, wrong: WrongValues) -> None:
        super().__init__("; ".join(f"{name}: {_taught(name, why)}" for name, why in wrong))
        self.wrong = wrong


def _taught(name: str, why: str) -> str:
    return f"{why}, such as {_MAPPINGS[name]}" if why == _NO_MAPPING and name in _MAPPINGS else why


class _Refused(Exception):
    """Why a value is none of its kind."""


def checked_arguments(schema: Json, arguments: Json) -> Json:
    """The arguments as the tool takes them. Raises WrongArguments, with all that are wrong."""
    wrong: WrongValues = []
    known, required = schema["properties"], schema.get("required", ())
    found: Json = {}
    for name, about in known.items():
        if name not in arguments:
            wrong += [(name, "Field required")] * (name in required)
            continue
        value = _given(arguments[name], about)
        # Models that learned to spell out what is missing send null.
        is_left_out = value is None and name not in required and about["type"] in ("array", "object")
        found[name] = None if is_left_out else _value(value, about, name, wrong)
    wrong += [(name, _NO_MORE) for name in arguments if name not in known]
    if wrong:
        raise WrongArguments(wrong)
    return found


def _given(value: Any, about: Json) -> Any:
    """What was given, unpacked where a client sent a list or an object as JSON text."""
    if not isinstance(value, str) or (about["type"] == "string" and "enum" not in about):
        return value
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if isinstance(held, str | int | float) else held


def _value(value: Any, about: Json, at: str, wrong: WrongValues) -> Any:
    """The value as its schema has it; what is wrong with it is added to `wrong`."""
    try:
        match about["type"]:
            case "array":
                return [
                    _value(part, about["items"], f"{at}.{number}", wrong) for number, part in enumerate(_list(value))
                ]
            case "object":
                return _fields(_mapping(value), about, at, wrong)
            case "integer":
                return _integer(value)
            case _:
                return _text(value, about.get("enum"))
    except _Refused as why:
        wrong.append((at, str(why)))


def _fields(given: Json, about: Json, at: str, wrong: WrongValues) -> Json:
    known, rest = about.get("properties", {}), about.get("additionalProperties")
    found: Json = {}
    for name in sorted(given, key=[*known, *given].index):  # in the order in which they are declared
        if name not in known and rest is True:  # of which nothing is said
            found[name] = given[name]
        elif name in known or rest:
            found[name] = _value(given[name], known.get(name, rest), f"{at}.{name}", wrong)
        else:
            wrong.append((f"{at}.{name}", _NO_MORE))
    return found


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Refused("Input should be a valid list")
    return value


def _mapping(value: Any) -> Json:
    if not isinstance(value, dict):
        raise _Refused(_NO_MAPPING)
    return value


def _text(value: Any, choices: list[str] | None) -> str:
    if choices is not None and value not in choices:
        *most, last = (f"'{choice}'" for choice in choices)
        raise _Refused(f"Input should be {', '.join(most)} or {last}" if most else f"Input should be {last}")
    if not isinstance(value, str):
        raise _Refused("Input should be a valid string")
    return value


def _integer(value: Any) -> int:
    """A whole number, also as a float without a fraction, a truth value, or a text that spells one."""
    if isinstance(value, str):
        return _spelled(value)
    if not isinstance(value, int | float):
        raise _Refused("Input should be a valid integer")
    if isinstance(value, float) and not value.is_integer():
        raise _Refused("Input should be a valid integer, got a number with a fractional part")
    if isinstance(value, float) and abs(value) >= _FLOAT_MOST:
        raise _Refused(_TOO_LARGE)
    return int(value)


def _spelled(text: str) -> int:
    whole, dot, fraction = text.strip().partition(".")
    digits = whole.removeprefix("-") if whole.startswith("-") else whole.removeprefix("+")
    is_plain = digits.isascii() and digits.replace("_", "").isdecimal()
    if not is_plain or fraction.strip("0") or bool(dot) != bool(fraction):
        raise _Refused(_NO_INTEGER)
    if len(digits) > _DIGITS_MAX:
        raise _Refused(_TOO_LARGE)
    try:
        return int(whole)
    except ValueError:  # underscores where none may be
        raise _Refused(_NO_INTEGER) from None
