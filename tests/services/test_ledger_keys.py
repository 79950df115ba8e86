"""A new key: nothing that was hashed with the old one is compared any more, and nothing else is lost."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.landings import landed_parts
from loomstack_mcp.core.changes.lines import key_name
from loomstack_mcp.core.changes.works import RunWork
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.ledger import LedgerService
from loomstack_mcp.services.ledger_keys import rotated_key
from loomstack_mcp.services.repos import REPOS
from loomstack_mcp.store.base import Statement, Store, Tx
from tests.factories import ANA, REPO, SHOP
from tests.services.support import recorded, started
from tests.services.test_ledger import commit, fill

SHA = "5" * 40
LANDED = Statement(
    "test.landed",
    "INSERT INTO landed (repo_id, sha, at_ms, made_at_ms, author, account, title, run_id, said)"
    " VALUES (:repo_id, :sha, 1, 1, '', '', '', '', 0)",
)


def test_the_ledgers_are_empty_and_filled_up_to_nowhere(loom: Loom) -> None:
    started(loom, ANA)
    recorded(loom, ANA, commits=[SHA])
    before = loom.ledger.key(SHOP)
    with loom.store.write(REPO) as tx:
        tx.run(LANDED, repo_id=REPO, sha=SHA)
        tx.run(Statement("test.filled", "UPDATE repo SET filled = 'x'"))
        tx.run(Statement("test.imprinted", "UPDATE binding SET imprinted = 1"))
    ids = rotated_key(loom.store, who="root")

    assert (ids, loom.ledger.key(SHOP) != before, loom.repos.filled(SHOP)) == ([REPO], True, "")
    with loom.store.read() as tx:
        assert tx.all(Statement("test.none", "SELECT sha FROM landed")) == []
        assert [row["imprinted"] for row in tx.all(Statement("test.bound", "SELECT imprinted FROM binding"))] == [0]
    last = loom.events.latest(REPO, limit=1)[0][0]
    assert (last.kind, last.payload) == ("ledger.emptied", {"who": "root"})
    assert len(loom.outcomes.of_runs([loom.runs.latest(REPO, limit=1)[0][0].id])) == 1


@pytest.mark.parametrize("is_joined", [True, False])
def test_lines_that_were_hashed_with_the_key_of_before_are_neither_taken_in_nor_compared(
    loom: Loom, is_joined: bool
) -> None:
    mirror = Checkout(identity="host/mirror")
    started(loom, ANA)
    named = key_name(loom.ledger.key(mirror))
    if is_joined:
        loom.repos.alias(SHOP, mirror.identity, who="ana")
    else:
        started(loom, ANA, mirror)
        rotated_key(loom.store, who="root")
    parts = tuple(landed_parts(commit(1, "a.py", at_ms=1), at_ms=1))

    with pytest.raises(StoreUnavailable, match="hashed with another key by now"):
        loom.ledger.take_in(mirror, parts, is_trunk=True, key_name=named)
    with pytest.raises(StoreUnavailable, match="hashed with another key by now"):
        loom.ledger.keep_work(mirror, RunWork(run_id="run_A"), key_name=named)
    for judge in (loom.conflicts.check, loom.conflicts.undoing):
        with pytest.raises(StoreUnavailable, match="hashed with another key by now"):
            judge(mirror, Proposal(changes=(), history=(), target="main", key_name=named))
    assert loom.ledger.lacking(mirror, [parts[0].sha], since_ms=0, is_trunk=True) == (parts[0].sha,)
    assert loom.ledger.take_in(mirror, parts, is_trunk=True, key_name=key_name(loom.ledger.key(mirror))) == 1


def test_a_change_of_another_repository_than_the_run_s_is_compared_with_nothing(loom: Loom) -> None:
    run = started(loom, ANA, Checkout(identity="host/other"))
    proposal = Proposal(changes=(), history=(), target="main", key_name=key_name(loom.ledger.key(SHOP)))

    with pytest.raises(StoreUnavailable, match="or these are of another one"):
        loom.conflicts.check_run(ANA, run.id, proposal)


class Rotating:
    """A store that gets a new key while a ledger is filled: from the first question of each change on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.threads: list[threading.Thread] = []

    @contextmanager
    def append(self) -> Iterator[Tx]:
        with self._store.append() as tx:
            ask, told = tx.all, self.threads

            def all_(statement: Statement, /, **params: Any) -> Any:
                found = ask(statement, **params)
                if statement.name.endswith("key") and not told:
                    told.append(threading.Thread(target=rotated_key, args=[self._store], kwargs={"who": "root"}))
                    told[0].start()
                    told[0].join(0.3)  # it waits for this change to end, if it is to come behind it
                return found

            tx.all = all_  # type: ignore[method-assign]  # of this transaction alone
            yield tx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_key_that_comes_while_a_ledger_is_filled_leaves_nothing_of_the_old_one(loom: Loom) -> None:
    started(loom, ANA)
    store = Rotating(loom.store)
    parts = tuple(landed_parts(commit(1, "a.py", at_ms=1), at_ms=1))
    came = LedgerService(store).take_in(SHOP, parts, is_trunk=True, key_name=key_name(loom.ledger.key(SHOP)))
    store.threads[0].join()

    assert (came, loom.ledger.lacking(SHOP, [parts[0].sha], since_ms=0, is_trunk=True)) == (1, (parts[0].sha,))


def test_a_new_key_waits_for_whoever_is_at_a_repo_and_may_yet_be_at_its_ledger(loom: Loom) -> None:
    started(loom, ANA)
    fill(loom, commit(1, "a.py", at_ms=1))
    with ThreadPoolExecutor(1) as beside:
        with loom.store.write(REPO) as tx:
            rotation = beside.submit(rotated_key, loom.store, who="root")
            with suppress(TimeoutError):
                rotation.result(0.3)
            tx.run(REPOS["forget_landed"], repo_id=REPO)

        assert rotation.result() == [REPO]
