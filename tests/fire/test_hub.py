"""A short fire of a whole hub, and that it would see a replica that goes wrong."""

from pathlib import Path

import pytest

from tests.databases import PostgresServer, fresh_database
from tests.deadlines import seconds
from tests.fire.findings import is_wrong
from tests.fire.hub import hub_fire, mutant_fire
from tests.lab.balancer import why_no_nginx
from tests.lab.hosts import why_no_hosts

_WHY_NOT = why_no_hosts() or why_no_nginx()


@pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT)
def test_a_short_fire_of_two_replicas_finds_nothing(tmp_path: Path) -> None:
    with hub_fire(tmp_path, burn_s=4, seed=3, within_ms=round(seconds(6) * 1000)) as fire:
        fire.burn_out()


def test_a_replica_that_goes_wrong_is_told(tmp_path: Path, postgres_server: PostgresServer) -> None:
    # The other mutant, too: `python -m tests.fire hub --mutant stale`.
    with mutant_fire(tmp_path, fresh_database(postgres_server), mutant="blind", seed=1) as fire:
        assert "cannot all have been true" in str(fire.burn(until=is_wrong))
