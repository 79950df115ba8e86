"""Values as JSON and back: what fits its annotation arrives as it was, and nothing else arrives at all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.records import record
from loomstack_mcp.core.wire import built_value, told_json


@record
class Inner:
    """A record in another."""

    name: str
    count: int = 0


@record
class Outer:
    """A record with one of each kind."""

    word: Literal["a", "b"]
    inner: Inner
    many: tuple[Inner, ...] = ()
    pair: tuple[str, int] = ("", 0)
    named: Mapping[str, float] | None = None
    raw: bytes = b""
    is_so: bool = False
    anything: Any = None


_TEXTS = st.text(st.characters(codec="utf-8"))
_INTEGERS = st.integers(-(2**63), 2**64 - 1)
_INNERS = st.builds(Inner, name=_TEXTS, count=_INTEGERS)
_OUTERS = st.builds(
    Outer,
    word=st.sampled_from(["a", "b"]),
    inner=_INNERS,
    many=st.lists(_INNERS).map(tuple),
    pair=st.tuples(_TEXTS, _INTEGERS),
    named=st.none() | st.dictionaries(_TEXTS, st.floats(allow_nan=False, allow_infinity=False)),
    raw=st.binary(),
    is_so=st.booleans(),
    anything=st.none() | _TEXTS,
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["word", "inner", "name"]), inner),
    max_leaves=8,
)


@given(_OUTERS)
def test_a_record_arrives_as_it_was(sent: Outer) -> None:
    assert built_value(json.loads(json.dumps(told_json(sent))), Outer) == sent


@given(_JSON)
def test_other_json_is_refused_and_breaks_nothing(found: Any) -> None:
    try:
        arrived = built_value(found, Outer)
    except Invalid:
        return
    assert isinstance(arrived.inner, Inner)
    assert arrived.word in ("a", "b")


def test_versions_a_little_apart_understand_each_other() -> None:
    assert built_value({"name": "x", "new": [1]}, Inner) == Inner(name="x")
    with pytest.raises(Invalid, match="name"):
        built_value({"count": 1}, Inner)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (True, int),
        (2**64, int),
        (1.5, int),
        ("1", int),
        (float("nan"), float),
        (1, bool),
        (1, str),
        ("\ud800", str),
        ("?", bytes),
        ("ab", tuple[str, ...]),
        (["a"], tuple[str, int]),
        ([1], Sequence[str]),
        ({"a": 1}, Mapping[str, str]),
        ([], Literal["a"]),
        ({}, Literal["a"]),
        ("c", Literal["a"]),
        ("x", type(None)),
        ([], Inner),
    ],
)
def test_what_does_not_fit_is_refused_without_being_repeated(found: Any, kind: Any) -> None:
    with pytest.raises(Invalid) as refused:
        built_value(found, kind)
    assert str(found) not in str(refused.value) or len(str(found)) < 3
