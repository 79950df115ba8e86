"""How far a ledger was filled is said of a repository by a clone that has all of it, and by no other."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.adapters.git.support import commit
from tests.conftest import git
from tests.wire import Server

PRICES = "".join(f"price_{at} = net({at}) + tax({at})\n" for at in range(9))


@pytest.mark.parametrize("few", [["--depth=1"], ["--filter=blob:none"]])
def test_a_clone_that_lacks_some_of_the_history_keeps_no_other_from_bringing_it(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], few: list[str]
) -> None:
    for number in range(4):
        commit(shop, {"src/a.py": PRICES.replace("net", f"net_{number}")})
    git(shop, "config", "uploadpack.allowFilter", "true")
    known = []
    for name, options in (("few", few), ("whole", []), ("again", [])):
        git(tmp_path, "clone", "--quiet", *options, f"file://{shop}", name)
        serve(cwd=tmp_path / name).answer("start_run", loop="loop", goal="goal")
        known.append(_kept(tmp_path))

    assert [marked for _, marked in known] == [False, True, True]
    assert [landed for landed, _ in known][1:] == [5, 5]
    assert known[0][0] < 5


def _kept(home: Path) -> tuple[int, bool]:
    """How many landed changes the store knows, and whether it takes those for all."""
    with closing(sqlite3.connect(home / "loomstack/loom.db")) as store:
        [landed] = store.execute("SELECT COUNT(*) FROM landed").fetchone()
        [filled] = store.execute("SELECT MAX(filled) FROM repo").fetchone()
    return landed, filled != ""
