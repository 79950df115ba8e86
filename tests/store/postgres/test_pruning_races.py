"""What is too old goes at the instant at which somebody finds something that is its: neither ends with an error."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from loomstack_mcp.core.changes.attributions import CommitFacts
from loomstack_mcp.core.changes.mentions import Mentions
from loomstack_mcp.core.runs import Run
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.attributed import found_attribution, keep_attribution
from loomstack_mcp.services.run_groups import RETENTION
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Statement, Tx
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.conftest import Clocks
from tests.databases import PostgresServer, fresh_database
from tests.factories import ANA, REPO, SHOP
from tests.services.support import recorded, started
from tests.services.test_retention import pruned
from tests.services.test_usage import entry

SHA = "e" * 40
_WAITING = Statement(
    "test.waiting",
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
)
_BOUND_S = 30


@pytest.fixture
def loom(postgres_server: PostgresServer, clocks: Clocks) -> Iterator[Loom]:
    with Loom(postgres_store(fresh_database(postgres_server), clock_ms=lambda: clocks.wall_ms), rework_max=3) as opened:
        yield opened


@pytest.fixture
def old(loom: Loom, clocks: Clocks) -> Run:
    """A run that left nothing, long ago."""
    run = started(loom, ANA)
    recorded(loom, ANA, run.id, status="abandoned")
    clocks.pass_minutes(200 * 24 * 60)
    return run


def after_it_waited(loom: Loom, held: Any, act: Callable[[Tx], object], call: Callable[[], Any]) -> Any:
    """What a call gives that had to wait for another transaction."""
    with ThreadPoolExecutor(1) as pool:
        with held as tx:
            act(tx)
            asked = pool.submit(call)
            _wait(loom, asked)
        return asked.result(_BOUND_S)


def _wait(loom: Loom, asked: "Future[Any]") -> None:
    until = time.monotonic() + _BOUND_S
    while not asked.done():
        with loom.store.read() as tx:
            if tx.all(_WAITING):
                return
        assert time.monotonic() < until
        threading.Event().wait(0.01)


def gone(run: Run, tx: Tx) -> None:
    ids = rows.json_column([run.id])
    for what in ("outcomes", "runs"):
        tx.run(RETENTION[f"delete_{what}"], ids=ids, limit=10)


def facts_naming(run: Run) -> CommitFacts:
    return CommitFacts(sha=SHA, made_at_ms=run.started_at_ms + 1, mentions=Mentions(trailers=(run.id,)))


def test_a_commit_of_a_run_that_goes_meanwhile_is_nobodys(loom: Loom, old: Run) -> None:
    asked = partial(loom.attributions.attributed, SHOP, facts_naming(old))
    found = after_it_waited(loom, loom.store.write(REPO), partial(gone, old), asked)

    assert (found.run_id, found.candidates) == ("", ())
    assert loom.attributions.of_prefix(REPO, SHA) == (found,)


def test_a_run_whose_a_commit_is_found_to_be_meanwhile_stays(loom: Loom, old: Run) -> None:
    def keep(tx: Tx) -> None:
        keep_attribution(tx, REPO, found_attribution(tx, REPO, facts_naming(old)))

    done = after_it_waited(loom, loom.store.append(), keep, partial(pruned, loom, days=100))

    assert done.rows.keys() & {"run", "outcome"} == set()
    assert [one.run_id for one in loom.attributions.of_run(old.id)] == [old.id]


def test_what_is_told_of_a_run_that_goes_meanwhile_is_taken_in(loom: Loom, old: Run) -> None:
    asked = partial(loom.usage.take_in, ANA, [entry("a", named_run=old.id)])
    taken = after_it_waited(loom, loom.store.write(REPO), partial(gone, old), asked)
    again = loom.usage.take_in(ANA, [entry("a", named_run=old.id), entry("b")])

    assert (taken.kept, taken.refused) == (1, 0)
    assert (again.kept, again.known) == (1, 1)
    assert loom.usage.of_runs([old.id]) == ()
