"""`@record` makes what `@dataclass(frozen=True, kw_only=True)` makes, as far as anybody can see."""

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.records import record


@record
class Crate:
    """What the tests carry about."""

    label: str
    weight: int = 1
    contents: list[str] = field(default_factory=list)
    owner: str = field(default="", compare=False)
    secret: str = field(default="", repr=False)


@record
class Labelled(Crate):
    """A crate with one thing more."""

    colour: str = "red"


def _both(fill: Callable[[type], type]) -> type:
    class Pair:
        left: int
        right: "tuple[int, ...]" = ()
        unseen: int = field(default=0, compare=False)

    return fill(Pair)


_OURS: Any = _both(record)
_PYTHONS: Any = _both(dataclass(frozen=True, kw_only=True))
_VALUES = st.fixed_dictionaries(
    {"left": st.integers(0, 2)}, optional={"right": st.tuples(st.integers(0, 1)), "unseen": st.integers(0, 2)}
)


@given(_VALUES, _VALUES)
def test_records_are_equal_and_hash_alike_where_dataclasses_do(one: dict[str, Any], other: dict[str, Any]) -> None:
    ours, pythons = (_OURS(**one), _OURS(**other)), (_PYTHONS(**one), _PYTHONS(**other))

    assert (ours[0] == ours[1]) == (pythons[0] == pythons[1])
    assert (hash(ours[0]) == hash(ours[1])) == (hash(pythons[0]) == hash(pythons[1]))
    assert repr(ours[0]) == repr(pythons[0])
    assert asdict(ours[0]) == asdict(pythons[0])
    assert list(vars(ours[0])) == list(vars(pythons[0]))


def test_a_record_is_a_dataclass() -> None:
    crate = Crate(label="apples", contents=["a"])

    assert is_dataclass(crate)
    assert [each.name for each in fields(crate)] == ["label", "weight", "contents", "owner", "secret"]
    assert replace(crate, weight=3) == Crate(label="apples", weight=3, contents=["a"])
    assert asdict(crate) == {"label": "apples", "weight": 1, "contents": ["a"], "owner": "", "secret": ""}


def test_a_record_is_copied_and_pickled_whole() -> None:
    crate = Crate(label="apples", owner="ana")

    for copied in (copy.copy(crate), copy.deepcopy(crate), pickle.loads(pickle.dumps(crate))):
        assert (copied, copied.owner) == (crate, "ana")


def test_each_record_has_a_default_of_its_own() -> None:
    one, other = Crate(label="apples"), Crate(label="apples")

    one.contents.append("core")

    assert other.contents == []


def test_a_record_that_inherits_has_the_fields_of_both() -> None:
    crate = Labelled(label="pears", colour="green")

    assert (crate.label, crate.weight, crate.colour) == ("pears", 1, "green")
    assert crate != Crate(label="pears")
    assert crate == Labelled(label="pears", colour="green")


def test_what_is_secret_is_not_shown() -> None:
    shown = repr(Crate(label="gold", secret="hunter2"))

    assert shown == "Crate(label='gold', weight=1, contents=[], owner='')"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "Crate lacks 'label'"),
        ({"label": "x", "wieght": 2}, "Crate has no 'wieght'"),
        ({"wieght": 2}, "Crate lacks 'label', has no 'wieght'"),
    ],
)
def test_a_wrong_field_is_named(values: dict[str, Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        Crate(**values)


def test_a_record_does_not_change() -> None:
    crate: Any = Crate(label="apples")

    with pytest.raises(FrozenInstanceError, match="cannot change 'label' of a Crate"):
        crate.label = "pears"
    with pytest.raises(FrozenInstanceError, match="cannot change 'label' of a Crate"):
        del crate.label


def test_what_a_class_defines_itself_stays() -> None:
    @record
    class Loud:
        word: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Loud) and self.word.lower() == other.word.lower()

        def __repr__(self) -> str:
            return self.word.upper()

    assert Loud(word="Hey") == Loud(word="hey")
    assert repr(Loud(word="hey")) == "HEY"
    assert hash(Loud(word="hey")) == hash(Loud(word="hey"))


def test_what_takes_a_signature_finds_the_fields() -> None:
    ours, pythons = inspect.signature(_OURS), inspect.signature(_PYTHONS)

    assert list(ours.parameters.values()) == list(pythons.parameters.values())
    assert inspect.signature(Crate).parameters["label"].default is inspect.Parameter.empty
    assert inspect.signature(Crate).parameters["contents"].default is not inspect.Parameter.empty


def test_a_record_without_fields_equals_its_like() -> None:
    @record
    class Nothing:
        """It says all by being there."""

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
