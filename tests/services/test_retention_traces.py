"""What landed is answered for however old it is."""

import pytest

from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Statement
from tests.conftest import Clocks
from tests.factories import REPO
from tests.services.support import CHEN, recorded, started
from tests.services.test_retention import pruned
from tests.services.test_traces import SHA, run  # noqa: F401 a fixture: the story of the traces

USAGE = Statement("test.usage", "INSERT INTO usage VALUES (:run_id, 'model', 1, 1, 1, 0, 0, 9, 0, 1)")


@pytest.mark.usefixtures("run")
def test_a_trace_of_long_ago_is_told_in_the_same_words(loom: Loom, clocks: Clocks) -> None:
    for loop in ("idle", "costly"):
        made = started(loom, CHEN, loop=loop)
        with loom.store.append() as tx:
            tx.run(USAGE, run_id=made.id) if loop == "costly" else None
        recorded(loom, CHEN, made.id, status="abandoned")
    clocks.pass_minutes(200 * 24 * 60)
    pruned(loom, days=1_000)  # which gives up whom nobody saw since
    before = trace_shown(loom.traces.kept_trace(REPO, SHA), full=True)
    done = pruned(loom)

    assert trace_shown(loom.traces.kept_trace(REPO, SHA), full=True) == before
    assert (done.kept["made"], done.kept["usage"], done.rows["run"]) == (3, 1, 1)
