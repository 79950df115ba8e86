"""The figures that this project's code must keep to, and how they are counted."""

from pathlib import Path

import pytest

from tests.house.bounds import FIGURES
from tests.house.shape import COMPLEX, Shape, percentile, shape
from tests.house.sources import sources

_ROOT = Path(__file__).parents[1]
_BOUND = [name for name, figure in FIGURES.items() if figure.bound()]
_SHOWN = 30
_CODE = '''\
"""A module."""
from functools import partial

class Public:
    """A class."""

    def told(self):
        """A method."""

    @property
    def one(self):
        """A property."""

    @one.setter
    def one(self, value):
        pass

    def untold(self):
        def inner(a, b):
            return a and b or [c for c in a if c] if b else None

        return inner

class _Private:
    def hidden(self):
        pass

async def silent(): ...
'''


@pytest.fixture(scope="module")
def ours() -> Shape:
    return shape(sources(_ROOT))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkout with one module that says something, two folder marks, and a test."""
    for name, text in {
        "src/shop/__init__.py": '"""A shop."""\n',
        "src/shop/desk/__init__.py": "",
        "src/shop/desk/till.py": _CODE,
        "src/shop/vendored/big.py": '"""Big."""\nx = 1\n',
        "src/shop/_inner.py": '"""Inner."""\ndef unseen(): ...\n',
        "tests/test_till.py": "\n" * 7,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", _BOUND)
def test_the_code_keeps_to_the_bound(ours: Shape, name: str) -> None:
    figure = FIGURES[name]
    kept = figure.holds(ours)

    assert kept, f"{figure.value(ours):.{figure.digits}f}, the bound is {figure.bound()}{_seen(ours, name)}"


def test_lines_are_counted_of_modules_that_hold_something(small: Path) -> None:
    found = shape(sources(small, without=["vendored"]))

    assert sorted(found.module_lines) == [2, len(_CODE.splitlines())]
    assert (found.code_lines, found.test_lines) == (1 + 0 + 2 + len(_CODE.splitlines()), 7)


def test_a_folder_is_left_out_only_where_it_is_named(small: Path) -> None:
    assert len(shape(sources(small)).module_lines) == 3


def test_functions_are_counted_with_methods_and_nested_ones(small: Path) -> None:
    found = {function.at.split()[1]: function for function in shape(sources(small)).functions}

    assert sorted(found) == ["hidden", "inner", "one", "silent", "told", "unseen", "untold"]
    # 1, and one each for `and`, `or`, the conditional, the comprehension and its `if`.
    assert (found["inner"].complexity, found["untold"].complexity) == (6, 1)
    assert (found["inner"].lines, found["untold"].lines) == (2, 5)


def test_what_is_public_is_asked_for_a_docstring(small: Path) -> None:
    found = shape(sources(small, without=["vendored"]))
    told = {name.rpartition("/")[2] for name in found.public}

    assert told == {
        "__init__.py", "till.py", "till.py:4 Public", "till.py:7 Public.told", "till.py:11 Public.one",
        "till.py:18 Public.untold", "till.py:28 silent",
    }  # fmt: skip
    assert [name.split()[1] for name in found.undocumented] == ["Public.untold", "silent"]


def test_a_checkout_without_a_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no package"):
        sources(tmp_path)


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 5), (51, 6), (90, 9), (95, 10), (100, 10)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(percent: int, value: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == value


def _seen(ours: Shape, name: str) -> str:
    """Where to begin, for the figures that name things."""
    if "complexity" in name:
        return "".join(f"\n{one.complexity:>4} {one.at}" for one in ours.above(COMPLEX)[:_SHOWN])
    return "".join(f"\n{thing}" for thing in ours.undocumented[:_SHOWN]) if "docstring" in name else ""
