"""What several do at once without a repo's lock: nobody waits in a circle, nothing is lost, nothing is done twice."""

import random
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from loomstack_mcp.core.errors import LoomError
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.notices import give_notice
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.databases import PostgresServer, fresh_database
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, recorded, started
from tests.services.test_ledger import commit, fill

ROUNDS = 4


@pytest.fixture
def loom(postgres_server: PostgresServer) -> Iterator[Loom]:
    with Loom(postgres_store(fresh_database(postgres_server)), rework_max=3) as opened:
        yield opened


def at_once(*calls: Callable[[], Any]) -> list[LoomError]:
    """What was raised, where all begin at the same instant."""
    barrier = threading.Barrier(len(calls))
    raised: list[LoomError] = []

    def work(call: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            call()
        except LoomError as error:
            raised.append(error)

    threads = [threading.Thread(target=work, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_fills_of_the_same_history_in_any_order_wait_in_no_circle(loom: Loom) -> None:
    run = started(loom, ANA)
    claimed(loom, ANA, "src/")
    for at in range(ROUNDS):
        changes = [
            commit(100 * at + k, *(f"src/f{k}_{n}.py" for n in range(20)), at_ms=run.started_at_ms + k)
            for k in range(1, 25)
        ]
        shuffled = [random.Random(way).sample(changes, len(changes)) for way in range(4)]
        told = [change.sha for change in changes[::2]]
        fills = [partial(fill, loom, *some) for some in shuffled]
        raised = at_once(*fills, partial(recorded, loom, ANA, commits=told[::-1]))

        assert raised == []
        with loom.store.read() as tx:
            found = tx.all(LANDED, repo_id=REPO)
        mine = {row["sha"] for row in found if row["run_id"] == run.id}
        assert {row["whole"] for row in found} == {1}
        assert {row["files"] for row in found} == {20}
        assert mine >= set(told)


def test_a_run_that_says_what_it_made_while_that_is_taken_in_is_known_as_its_maker(loom: Loom) -> None:
    run = started(loom, ANA)
    claimed(loom, ANA, "src/")
    for at in range(12):
        change = commit(0x900 + at, *(f"src/{at}_{n}.py" for n in range(60)), at_ms=run.started_at_ms + at)
        raised = at_once(partial(fill, loom, change), partial(recorded, loom, ANA, commits=[change.sha]))
        with loom.store.read() as tx:
            [row] = [row for row in tx.all(LANDED, repo_id=REPO) if row["sha"] == change.sha]

        assert (raised, row["run_id"]) == ([], run.id)


def test_each_notice_is_taken_once(loom: Loom) -> None:
    started(loom, ANA)
    with loom.store.write(REPO) as tx:
        for at in range(8):
            give_notice(tx, REPO, "run.stopped", about=f"a{at}", run_id="", text="hear")
    taken = []
    raised = at_once(*[lambda: taken.append(loom.notices.take()) for _ in range(8)])

    assert raised == []
    assert len({notice.id for notice in taken if notice}) == 8


def test_names_of_repositories_may_come_from_many_clones_at_once(loom: Loom) -> None:
    names = [f"host/shop{at}" for at in range(6)]
    clones = [
        Checkout(identity=names[0], clone=f"clone:{at}", others=tuple(random.Random(at).sample(names[1:], 5)))
        for at in range(8)
    ]
    callers = [Caller(principal="ana", session=f"s{at}") for at in range(8)]
    raised = at_once(*[partial(started, loom, w, c) for c, w in zip(clones, callers, strict=True)])

    assert raised == []
    assert loom.repos.ids() == (names[0],)


def test_a_run_that_starts_while_its_repo_is_joined_with_another_is_of_one_that_is_there(loom: Loom) -> None:
    started(loom, ANA)
    done: list[object] = []
    raised: list[LoomError] = []
    for at in range(3 * ROUNDS):
        mirror, bea = Checkout(identity=f"host/mirror{at}"), Caller(principal="bea", session=f"s{at}")
        with loom.store.append() as tx:
            tx.run(REPOS["insert"], repo_id=mirror.identity, ignore_case=0, now_ms=1)
            tx.run(REPOS["name"], repo_id=mirror.identity, identity=mirror.identity)
        start, join = partial(started, loom, bea, mirror), partial(loom.repos.alias, SHOP, mirror.identity, who="ana")
        raised += at_once(partial(told_done, done, start), partial(told_done, done, join))

    assert {error.code for error in raised} <= {"invalid", "not_found"}
    assert len(done) + len(raised) == 2 * 3 * ROUNDS


def told_done(done: list[object], call: Callable[[], object]) -> None:
    done.append(call())


def test_claims_of_two_repos_and_ends_of_their_sessions_wait_in_no_circle(loom: Loom) -> None:
    other = Checkout(identity="host/other", clone="clone:2")
    for at in range(ROUNDS):
        ana, bea = (Caller(principal=who.principal, session=f"{who.session}{at}") for who in (ANA, BEA))
        for caller in (ana, bea):
            started(loom, caller, SHOP)
            started(loom, caller, other)
        raised = at_once(*[partial(loom.sessions.end, caller) for caller in (ana, bea)])

        assert raised == []


def test_sweeps_and_sightings_wait_in_no_circle(loom: Loom) -> None:
    callers = [Caller(principal="ana", session=f"s{at}", folder="/shop") for at in range(8)]

    def saw(caller: Caller) -> None:
        for at in range(20):
            loom.sightings.saw_call(caller, f"toolu_{at}")

    assert at_once(*[partial(saw, caller) for caller in callers]) == []


LANDED = Statement(
    "test.landed",
    "SELECT l.sha, l.run_id, l.whole, (SELECT COUNT(*) FROM landed_file AS f WHERE f.landed = l.number) AS files "
    "FROM landed AS l WHERE l.repo_id = :repo_id",
)
