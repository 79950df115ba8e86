"""A store behind a real PgBouncer that gives each transaction another session."""

from pathlib import Path
from random import Random

import pytest

from tests.databases import own_server
from tests.fire.burning import Fire, Harm
from tests.lab.pooler import pooled, why_no_pooler

_WHY_NOT = why_no_pooler()


@pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT)
def test_a_short_fire_finds_nothing_behind_a_pooler_of_transactions(tmp_path: Path) -> None:
    with own_server() as server, pooled(server) as url:

        def restart(_: Random) -> None:
            server.stop("fast")
            server.start()

        fire = Fire(url, tmp_path, burn_s=3, seed=1, harms=[Harm("restart", restart, "database")])

        fire.burn_out()
