"""Arguments and records of services as JSON, and back by their annotations alone: how an edge speaks with its hub.

What comes back is held to its annotation, for it comes from another machine. Two versions apart by little
understand each other: a field that the receiver does not know is left out, one that is missing takes its default.
"""

import base64
import binascii
import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, Union

from loomstack_mcp.core.errors import Invalid

_Build = Callable[[Any], Any]
_INTEGER_MAX = 2**64
"""Hashes of lines are as long."""


def told_json(value: Any, /) -> Any:
    """A value as what JSON has: a record is an object of its fields, bytes are base64."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        return [told_json(one) for one in value]
    if isinstance(value, Mapping):
        return {name: told_json(one) for name, one in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return {each.name: told_json(getattr(value, each.name)) for each in dataclasses.fields(value)}


def built_value(found: Any, kind: Any, /) -> Any:
    """What JSON had as a value of a kind: an annotation, or a record's class. Raises Invalid where it is none."""
    return _builder(kind)(found)


@cache
def argument_kinds(method: Callable[..., Any], /) -> Mapping[str, Any]:
    """The kind of each argument of a function, by name, and under `return` that of its answer."""
    return typing.get_type_hints(method)


@cache
def _builder(kind: Any) -> _Build:
    """How a value of a kind is built: found out once for each."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in _PARTED:
        return _PARTED[origin](inner)
    assert dataclasses.is_dataclass(kind), kind
    return _record_builder(kind)


def _record_builder(kind: Any) -> _Build:
    hints = typing.get_type_hints(kind)
    fields = {each.name: hints[each.name] for each in dataclasses.fields(kind)}

    def build(found: Any) -> Any:
        if not isinstance(found, dict):
            raise _not_a(kind.__name__, found)
        try:
            return kind(**{name: _builder(one)(found[name]) for name, one in fields.items() if name in found})
        except TypeError as error:  # of a field that is missing
            raise Invalid(f"{kind.__name__}: {error}") from None

    return build


def _optional(inner: tuple[Any, ...]) -> _Build:
    [one] = [each for each in inner if each is not type(None)]

    def build(found: Any) -> Any:
        return None if found is None else _builder(one)(found)

    return build


def _literal(inner: tuple[Any, ...]) -> _Build:
    def build(found: Any) -> Any:
        if not isinstance(found, str) or found not in inner:
            raise _not_a(f"one of {', '.join(map(str, inner))}", found)
        return found

    return build


def _listed(inner: tuple[Any, ...]) -> _Build:
    """Of any length."""

    def build(found: Any) -> Any:
        return tuple(map(_builder(inner[0]), _list(found)))

    return build


def _tuple(inner: tuple[Any, ...]) -> _Build:
    if inner[-1] is ...:
        return _listed(inner)

    def build(found: Any) -> Any:
        if len(_list(found)) != len(inner):
            raise _not_a(f"a list of {len(inner)}", found)
        return tuple(_builder(kind)(one) for kind, one in zip(inner, found, strict=True))

    return build


def _mapping(inner: tuple[Any, ...]) -> _Build:
    def build(found: Any) -> Any:
        if not isinstance(found, dict):
            raise _not_a("an object", found)
        return {_builder(inner[0])(name): _builder(inner[1])(one) for name, one in found.items()}

    return build


def _text(found: Any) -> str:
    if not isinstance(found, str) or not (found.isascii() or _is_encodable(found)):
        raise _not_a("a text", found)
    return found


def _integer(found: Any) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not -_INTEGER_MAX <= found < _INTEGER_MAX:
        raise _not_a("a whole number", found)
    return found


def _number(found: Any) -> float:
    if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
        raise _not_a("a number", found)
    return found


def _truth(found: Any) -> bool:
    if not isinstance(found, bool):
        raise _not_a("true or false", found)
    return found


def _nothing(found: Any) -> None:
    if found is not None:
        raise _not_a("null", found)


def _bytes(found: Any) -> bytes:
    try:
        return base64.b64decode(_text(found), validate=True)
    except (binascii.Error, ValueError):
        raise _not_a("base64", found) from None


def _anything(found: Any) -> Any:
    return found


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise _not_a("a list", found)
    return found


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_a(kind: str, found: Any) -> Invalid:
    """Nothing of what was found is repeated: it may be anything."""
    return Invalid(f"expected {kind}, got {_NAMES.get(type(found), 'something else')} that is none")


_PLAIN: dict[Any, _Build] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _truth,
    bytes: _bytes,
    type(None): _nothing,
    Any: _anything,
    object: _anything,
}
_PARTED: dict[Any, Callable[[tuple[Any, ...]], _Build]] = {
    Union: _optional,
    types.UnionType: _optional,
    Literal: _literal,
    tuple: _tuple,
    list: _listed,
    Sequence: _listed,
    dict: _mapping,
    Mapping: _mapping,
}
_NAMES: dict[type, str] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    list: "a list",
    dict: "an object",
}
