"""Services over a hub answer as over a store, and say why where they cannot."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom, open_loom
from tests.remote.hubs import OTHER, Hub, a_hub, joined

ME = Caller(principal="whoever", session="claude:s-1", process="boot pid:[1] 4711 99", folder="/home/ana/shop")
SHOP = Checkout(identity="host/shop", clone="clone:0123", branch="main", worktree="/home/ana/shop")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with a_hub(tmp_path) as found:
        yield found


@pytest.fixture
def edge(tmp_path: Path, hub: Hub) -> Iterator[Loom]:
    with opened(joined(tmp_path / "home", hub)) as loom:
        yield loom


def opened(home: Path) -> Loom:
    return open_loom(load_settings({}, environment={"LOOMSTACK_HOME": str(home)}))


def test_two_people_on_two_machines_meet_in_a_hub(tmp_path: Path, hub: Hub, edge: Loom) -> None:
    with opened(joined(tmp_path / "bea", hub, token=OTHER)) as bea:
        run = edge.runs.start(ME, SHOP, loop="prices", goal="gross", budget_tokens=800).run
        held = edge.claims.claim_paths(ME, run.id, patterns=["src/"], intent="x", mode="exclusive", ttl_ms=60_000)
        theirs = bea.runs.start(replace(ME, session="s-2"), SHOP, loop="other", goal="net", budget_tokens=800).run
        found = bea.claims.claim_paths(
            replace(ME, session="s-2"), theirs.id, patterns=["src/a.py"], intent="y", mode="exclusive", ttl_ms=60_000
        )

    assert held.claim
    assert (run.principal, theirs.principal) == ("ana", "bea")
    assert [(blocker.loop, blocker.who) for blocker in found.blockers] == [("prices", "ana")]
