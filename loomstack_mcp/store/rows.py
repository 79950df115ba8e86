"""_Record to row and back: the one place that knows which columns hold JSON."""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from loomstack_mcp.store.base import Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LISTS = frozenset({"paths", "patterns", "failing", "commits", "contradicts", "marks", "hints", "others"})
_OBJECTS = frozenset({"links", "payload"})

_Record = TypeVar("_Record", bound="DataclassInstance")


def json_column(value: object, /) -> str:
    """JSON as the columns hold it: compact, in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def list_column(column: str, /) -> tuple[str, ...]:
    """A list as a column holds it."""
    return tuple(json.loads(column))


def row(record: "DataclassInstance", /) -> dict[str, Any]:
    """The columns of a record, as parameters of a statement."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: json_column(value) if name in _LISTS | _OBJECTS else value for name, value in values.items()}


def record(kind: type[_Record], row: Row, /) -> _Record:
    """One row as a record of `kind`; columns the record does not have are left out."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: _value(name, value) for name, value in dict(row).items() if name in known})


def records(kind: type[_Record], rows: Iterable[Row], /) -> tuple[_Record, ...]:
    """All rows as records of `kind`, in their order."""
    return tuple(record(kind, row) for row in rows)


def _value(name: str, value: Any) -> Any:
    if name in _LISTS:
        return tuple(json.loads(value))
    return json.loads(value) if name in _OBJECTS else value
