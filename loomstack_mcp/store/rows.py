"""_Record to row and back: the one place that knows which columns hold JSON."""

import json
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from loomstack_mcp.store.base import Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LISTS = frozenset(
    {
        "paths",
        "patterns",
        "failing",
        "commits",
        "contradicts",
        "marks",
        "own_marks",
        "hints",
        "others",
        "repos",
        "flags",
    }
)
_OBJECTS = frozenset({"links", "payload"})

_JSON = _LISTS | _OBJECTS
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # `json.dumps` would make one at each call

_Record = TypeVar("_Record", bound="DataclassInstance")


def json_column(value: object, /) -> str:
    """JSON as the columns hold it: compact, in the order given."""
    return _COMPACT.encode(value)


def list_column(column: str, /) -> tuple[Any, ...]:
    """A list as a column holds it."""
    return tuple(json.loads(column))


def object_column(column: str, /) -> dict[str, Any]:
    """An object as a column holds it."""
    found: dict[str, Any] = json.loads(column)
    return found


def row(record: "DataclassInstance", /, *, only: Iterable[str] = ()) -> dict[str, Any]:
    """The columns of a record, or only some of them, as parameters of a statement."""
    names = only or _fields(type(record))
    values = ((name, getattr(record, name)) for name in names)
    return {name: json_column(value) if name in _JSON else value for name, value in values}


def as_record(kind: type[_Record], row: Row, /) -> _Record:
    """One row as a record of `kind`; columns the record does not have are left out."""
    known = _fields(kind)
    return kind(
        **{name: _value(name, value) if name in _JSON else value for name, value in row.items() if name in known}
    )


def as_records(kind: type[_Record], rows: Iterable[Row], /) -> tuple[_Record, ...]:
    """All rows as records of `kind`, in their order."""
    return tuple(as_record(kind, row) for row in rows)


@cache
def _fields(kind: "type[DataclassInstance]") -> dict[str, None]:
    """The names of a record's fields, in their order."""
    return dict.fromkeys(field.name for field in fields(kind))


def _value(name: str, value: str) -> Any:
    return list_column(value) if name in _LISTS else json.loads(value)
