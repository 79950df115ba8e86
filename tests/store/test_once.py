"""A call that changes state is done at most once by its id, whoever sends it again and whatever dies in between."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from loomstack_mcp.core.errors import Invalid, LoomError, NotFound, StoreUnavailable
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.claims import ClaimService
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement, Store
from loomstack_mcp.store.once import KEPT_MS, OnceCall, answered_once
from loomstack_mcp.store.sqlite.backend import SqliteStore
from tests.conftest import Clocks
from tests.factories import REPO, SHOP
from tests.services.support import CHEN, claimed, started

KNOWN = queries.statements("repos")["get"]
NOTED = Statement(name="test.noted", text="UPDATE repo SET seq = seq + 1 WHERE id = :repo_id")
CALL = OnceCall(id="6f1c", principal="chen", method="claims.release_paths", digest="d1")


def told_once(store: Store, call: OnceCall, do: Callable[[Store], str]) -> str:
    """The answer, which is kept at once."""
    answer = answered_once(store, call, do)
    if answer.keep:
        answer.keep()
    return answer.text


def releasing(store: Store) -> str:
    return ",".join(ClaimService(store).release_paths(CHEN, "").released)


def failing(store: Store) -> str:
    with store.append() as tx:
        tx.all(KNOWN, repo_id=REPO)
        raise AssertionError("it was done again")


def kinds(loom: Loom) -> list[str]:
    return [event.kind for event in loom.events.since(REPO, since=0, limit=999)[0]]


@pytest.fixture
def held(loom: Loom) -> Loom:
    started(loom, CHEN)
    claimed(loom, CHEN, "src/a.py")
    return loom


def test_a_call_that_is_sent_again_is_answered_as_the_first_time_and_not_done_again(held: Loom) -> None:
    first = told_once(held.store, CALL, releasing)
    claimed(held, CHEN, "src/b.py")

    assert first.startswith("claim_")
    assert told_once(held.store, CALL, releasing) == first
    assert told_once(held.store, CALL, failing) == first
    assert kinds(held).count("claim.released") == 1


@pytest.mark.sqlite("the file is taken away")
def test_a_call_that_is_done_is_answered_though_its_answer_cannot_be_kept(held: Loom) -> None:
    assert isinstance(held.store, SqliteStore)
    file = held.store.path

    def done(store: Store) -> str:
        answer = releasing(store)
        file.rename(file.with_name("away.db"))
        return answer

    assert told_once(held.store, CALL, done).startswith("claim_")


@pytest.mark.parametrize("other", [{"principal": "ana"}, {"method": "claims.claim_paths"}, {"digest": "d2"}], ids=str)
def test_an_id_that_another_call_has_is_refused_and_nothing_is_told_of_that(held: Loom, other: dict[str, str]) -> None:
    first = told_once(held.store, CALL, releasing)

    with pytest.raises(Invalid) as refused:
        told_once(held.store, replace(CALL, **other), failing)
    assert first not in str(refused.value)
    assert "chen" not in str(refused.value)


def test_a_repo_that_nobody_knows_is_unknown_to_a_call_that_is_done_once(loom: Loom) -> None:
    def writing(store: Store) -> str:
        with store.write("nowhere"):
            return "done"

    started(loom, CHEN)
    with pytest.raises(NotFound, match="repository nowhere is unknown"):
        told_once(loom.store, CALL, writing)


def test_what_was_refused_before_it_wrote_anything_may_be_sent_again(loom: Loom) -> None:
    started(loom, CHEN)

    def ending(store: Store) -> str:
        return ",".join(ClaimService(store).release_paths(CHEN, "", claims=["claim_none"]).released)

    for _ in range(2):
        with pytest.raises(NotFound):
            told_once(loom.store, CALL, ending)
    assert told_once(loom.store, CALL, releasing) == ""


def test_a_call_whose_answer_was_not_kept_is_not_done_again(held: Loom) -> None:
    def lost(store: Store) -> str:
        releasing(store)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        told_once(held.store, CALL, lost)
    claimed(held, CHEN, "src/b.py")

    with pytest.raises(StoreUnavailable, match="may have been done"):
        told_once(held.store, CALL, releasing)
    assert kinds(held).count("claim.released") == 1


def test_a_call_of_several_transactions_begins_with_the_first(loom: Loom) -> None:
    def starting(store: Store) -> str:
        from loomstack_mcp.services.runs import RunService

        return RunService(store).start(CHEN, SHOP, loop="loop", goal="goal", budget_tokens=100).run.id

    def half(store: Store) -> str:
        with store.append():
            pass
        raise ConnectionError

    run = told_once(loom.store, CALL, starting)
    with pytest.raises(ConnectionError):
        told_once(loom.store, replace(CALL, id="7a"), half)

    assert told_once(loom.store, CALL, starting) == run
    with pytest.raises(StoreUnavailable):
        told_once(loom.store, replace(CALL, id="7a"), starting)
    assert kinds(loom).count("run.started") == 1


def test_of_many_that_do_the_same_call_at_once_one_does_it(held: Loom) -> None:
    barrier, ends = threading.Barrier(8), list[str]()

    def send() -> None:
        barrier.wait()
        try:
            ends.append(told_once(held.store, CALL, releasing))
        except LoomError as error:
            ends.append(error.code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = {end for end in ends if end != "store_unavailable"}

    assert len(ends) == 8
    assert answers == {told_once(held.store, CALL, failing)}
    assert kinds(held).count("claim.released") == 1


def test_what_changes_nothing_else_is_refused_too_and_not_done(held: Loom) -> None:
    """A write of which nothing is asked goes with the end of its transaction, once it is known to be the first."""

    def noting(store: Store) -> str:
        with store.append() as tx:
            tx.later(NOTED, repo_id=REPO)
        return "done"

    before = held.events.cursor(REPO)

    assert told_once(held.store, CALL, noting) == told_once(held.store, CALL, noting) == "done"
    assert held.events.cursor(REPO) == before + 1


def test_a_day_later_it_is_forgotten_in_small_steps(held: Loom, clocks: Clocks) -> None:
    for number in range(6):
        told_once(held.store, replace(CALL, id=f"old-{number}"), releasing)
    clocks.pass_minutes(KEPT_MS / 60_000 + 1)
    started(held, CHEN)
    for number in range(3):
        told_once(held.store, replace(CALL, id=f"new-{number}"), releasing)

    with pytest.raises(AssertionError, match="done again"):
        told_once(held.store, replace(CALL, id="old-5"), failing)
    assert told_once(held.store, replace(CALL, id="new-0"), failing) == ""


def test_a_long_answer_is_not_kept(held: Loom) -> None:
    def telling(store: Store) -> str:
        return releasing(store) + "x" * 1_000_000

    told_once(held.store, CALL, telling)

    with pytest.raises(StoreUnavailable):
        told_once(held.store, CALL, failing)


_KILLED = """
import os, signal, sys
from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.loom import open_loom
from tests.store.test_once import CALL, releasing, told_once

def killed(store):
    releasing(store)
    os.kill(os.getpid(), signal.SIGKILL)

told_once(open_loom(Settings(store=sys.argv[1])).store, CALL, killed)
"""


def test_a_process_that_dies_before_the_answer_is_kept_leaves_a_call_that_is_not_done_again(
    held: Loom, store_url: str
) -> None:
    died = subprocess.run([sys.executable, "-c", _KILLED, store_url], check=False)

    assert died.returncode == -signal.SIGKILL
    with pytest.raises(StoreUnavailable, match="may have been done"):
        told_once(held.store, CALL, failing)
    assert kinds(held).count("claim.released") == 1
