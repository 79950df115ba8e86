"""A short fire over both databases, and that it would see what it is for."""

from pathlib import Path
from random import Random

import pytest

from tests.databases import own_server
from tests.fire.burning import LONG_TTL_MS, Fire, Harm
from tests.fire.findings import is_wrong
from tests.fire.old import old_things

_SHORT_S = 3


def test_a_short_fire_finds_nothing_in_a_file(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/loom.db"
    fire = Fire(store, tmp_path, burn_s=_SHORT_S, seed=1, harms=[old_things(store)])

    fire.burn_out()


def test_a_short_fire_finds_nothing_in_a_database_that_is_stopped_meanwhile(tmp_path: Path) -> None:
    with own_server() as server:

        def restart(_: Random) -> None:
            server.stop("fast")  # its disk is not waited for: what a crash may undo is not asked here
            server.start()

        fire = Fire(server.url(), tmp_path, burn_s=_SHORT_S, seed=1, harms=[Harm("restart", restart, "database")])

        fire.burn_out()


@pytest.mark.parametrize("mutant", ["stale", "blind"])
def test_a_history_of_what_goes_wrong_on_purpose_is_told(tmp_path: Path, mutant: str) -> None:
    store = f"sqlite:///{tmp_path}/loom.db"
    fire = Fire(store, tmp_path, burn_s=0, seed=1, mutant=mutant, ttl_ms=LONG_TTL_MS)

    assert "cannot all have been true" in str(fire.burn(until=is_wrong))
