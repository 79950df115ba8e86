"""A short fire of a whole hub. That it would see what it is for: test_store.py; in replicas, `--mutant`."""

from pathlib import Path

import pytest

from tests.deadlines import seconds
from tests.fire.hub import hub_fire
from tests.lab.balancer import why_no_nginx
from tests.lab.hosts import why_no_hosts

_WHY_NOT = why_no_hosts() or why_no_nginx()
pytestmark = pytest.mark.skipif(bool(_WHY_NOT), reason=_WHY_NOT)


def test_a_short_fire_of_two_replicas_finds_nothing(tmp_path: Path) -> None:
    with hub_fire(tmp_path, burn_s=4, seed=3, within_ms=round(seconds(6) * 1000)) as fire:
        assert fire.burn() == []
