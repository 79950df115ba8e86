"""The library: a store by its path, opened by whoever imports the package."""

import subprocess
import sys
from pathlib import Path

import pytest

import loomstack_mcp
from loomstack_mcp import Loom, open_loom
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.core.errors import LoomError, StoreUnavailable
from tests.factories import ANA, SHOP


def started(loom: Loom) -> str:
    found = loom.runs.start(
        ANA, SHOP, loop="loop", goal="goal", patterns=(), beside=(), checks_run="", finding="", key="", rules=(),
        budget_tokens=1_000,
    )  # fmt: skip
    return found.run.id


def runs(loom: Loom) -> list[str]:
    found, _ = loom.runs.latest(loom.repos.id_of(SHOP), limit=9)
    return [run.id for run in found]


@pytest.mark.parametrize("name", ["loom.db", "a ?#%&=.db", "ü\n.db", "~", "file:x.db", ":memory:", "sqlite:x"])
def test_a_store_lies_at_its_path_whatever_that_is(tmp_path: Path, name: str) -> None:
    with open_loom(tmp_path / name) as loom:
        run = started(loom)
    with open_loom(str(tmp_path / name)) as again:
        assert runs(again) == [run]

    assert (tmp_path / name).is_file()


def test_a_relative_path_is_one_below_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_loom("below/~/loom.db") as loom:
        monkeypatch.chdir("/")
        started(loom)

    assert (tmp_path / "below/~/loom.db").is_file()


def test_opening_writes_nothing(tmp_path: Path) -> None:
    with open_loom(tmp_path / "none/loom.db"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_two_that_are_open_at_once_see_each_others_runs(tmp_path: Path) -> None:
    with open_loom(tmp_path / "loom.db") as one, open_loom(tmp_path / "loom.db", full_sync=True) as other:
        first, second = started(one), started(other)

        assert sorted(runs(one)) == sorted(runs(other)) == sorted([first, second])


def test_a_store_that_is_not_spoken_is_refused_when_it_is_named() -> None:
    with pytest.raises(StoreUnavailable, match="use sqlite:///PATH"):
        open_loom(Settings(store="redis://localhost/x"))


def test_a_folder_in_its_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    with open_loom(tmp_path) as loom, pytest.raises(LoomError, match=tmp_path.name):
        started(loom)


def test_the_package_has_what_it_lists_and_says_what_it_has_not() -> None:
    assert [name for name in loomstack_mcp.__all__ if not hasattr(loomstack_mcp, name)] == []
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = loomstack_mcp.nothing


def test_importing_the_package_loads_no_service() -> None:
    program = "import sys, loomstack_mcp; print(*(name for name in sys.modules if name.startswith('loomstack_mcp')))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["loomstack_mcp"]
