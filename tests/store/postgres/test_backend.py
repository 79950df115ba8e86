"""The PostgreSQL backend: what the seam promises, on a real server."""

import threading

import psycopg
import pytest

from loomstack_mcp.core.errors import NotFound, OlderStore, StoreUnavailable
from loomstack_mcp.loom import Loom
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement, Tx
from loomstack_mcp.store.postgres.backend import PostgresStore
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.databases import PostgresServer, fresh_database
from tests.factories import ANA, BEA, REPO
from tests.services.support import claimed, heard, started

REPOS = queries.statements("repos")


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return fresh_database(postgres_server)


def add_repo(store: PostgresStore, repo_id: str = "r") -> None:
    with store.append() as tx:
        tx.run(REPOS["insert"], repo_id=repo_id, ignore_case=0, now_ms=tx.now_ms)


def seq_of(store: PostgresStore, repo_id: str = "r") -> int:
    with store.read() as tx:
        return int(tx.all(REPOS["get"], repo_id=repo_id)[0]["seq"])


def test_what_is_written_is_read_and_what_raises_is_not(url: str) -> None:
    store = postgres_store(url)
    add_repo(store)

    with pytest.raises(RuntimeError), store.write("r") as tx:
        tx.all(REPOS["next_seq"], repo_id="r")
        raise RuntimeError
    with store.write("r") as tx:
        tx.all(REPOS["next_seq"], repo_id="r")

    assert seq_of(store) == 1
    store.close()


def test_an_unknown_repo_cannot_be_written_to(url: str) -> None:
    with pytest.raises(NotFound, match="repository nowhere is unknown"), postgres_store(url).write("nowhere"):
        pass


def test_who_may_not_upgrade_says_so(postgres_server: PostgresServer) -> None:
    with pytest.raises(OlderStore), PostgresStore(postgres_server.url("template1")).read():
        pass


def test_one_writes_to_a_repo_at_a_time_and_others_to_others(url: str) -> None:
    store = postgres_store(url)
    add_repo(store)
    add_repo(store, "other")
    order: list[str] = []

    def second() -> None:
        with store.write("r"):
            order.append("second")

    with store.write("r"):
        thread = threading.Thread(target=second)
        thread.start()
        with store.write("other"):
            order.append("other")
        with store.append() as tx:
            tx.run(REPOS["name"], identity="a name", repo_id="r")
        order.append("first")
    thread.join()

    assert order == ["other", "first", "second"]
    store.close()


def test_the_database_s_clock_is_read_behind_the_lock_and_never_goes_back_in_a_repo(url: str) -> None:
    wall = {"ms": 1_000_000}
    store = postgres_store(url, clock_ms=lambda: wall["ms"])
    add_repo(store)
    with store.write("r") as tx:
        tx.all(REPOS["next_seq"], repo_id="r")
    wall["ms"] = 500_000  # a standby whose clock is behind was promoted
    with store.write("r") as tx:
        held_back = tx.now_ms
        tx.all(REPOS["next_seq"], repo_id="r")
    wall["ms"] = 1_000_001
    with store.write("r") as tx:
        later = tx.now_ms

    assert (held_back, later) == (1_000_000, 1_000_001)
    store.close()


def test_who_waited_for_a_repo_judges_by_the_time_it_got_in(url: str) -> None:
    store = postgres_store(url)
    add_repo(store)
    asked = threading.Event()
    found: list[int] = []

    def wait() -> None:
        asked.set()
        with store.write("r") as tx:
            found.append(tx.now_ms)

    with store.write("r") as tx:
        thread = threading.Thread(target=wait)
        thread.start()
        asked.wait()
        slept = tx.all(Statement("test.sleep", "SELECT CAST(pg_sleep(0.3) AS TEXT) AS slept"))
        began_ms = tx.now_ms
    thread.join()

    assert slept
    assert found[0] >= began_ms + 300
    store.close()


@pytest.mark.parametrize("former", ["r", "joined and no more"])
def test_a_repo_that_is_told_by_the_store_holds_under_the_lock(url: str, former: str) -> None:
    store = postgres_store(url)
    add_repo(store)
    add_repo(store, "other")
    asked: list[str] = []

    def moved(tx: Tx) -> str:
        """As of a claim whose repository was joined to another one, just before it was locked."""
        asked.append(former if not asked else "other")
        return asked[-1]

    with store.write(moved) as tx:
        tx.all(REPOS["next_seq"], repo_id="other")

    assert asked == [former, *["other"] * (3 if former == "r" else 2)]
    assert (seq_of(store), seq_of(store, "other")) == (0, 1)
    store.close()


def test_a_repo_that_is_recorded_while_it_is_told_stays_recorded(url: str) -> None:
    store = postgres_store(url)

    def recorded(tx: Tx) -> str:
        tx.run(REPOS["insert"], repo_id="new", ignore_case=0, now_ms=tx.now_ms)
        return "new"

    with pytest.raises(RuntimeError), store.write(recorded) as tx:
        tx.all(REPOS["next_seq"], repo_id="new")
        raise RuntimeError

    assert seq_of(store, "new") == 0
    store.close()


def test_a_read_sees_one_moment_and_waits_for_nobody(url: str) -> None:
    store = postgres_store(url)
    add_repo(store)
    with store.read() as tx:
        before = tx.all(REPOS["get"], repo_id="r")
        with store.write("r") as writing:
            writing.all(REPOS["next_seq"], repo_id="r")
            during = seq_of(store)
        after = tx.all(REPOS["get"], repo_id="r")

    assert (during, after, seq_of(store)) == (0, before, 1)
    store.close()


def test_what_only_reads_cannot_write(url: str) -> None:
    store = postgres_store(url)
    with pytest.raises(StoreUnavailable, match="read only"), store.read() as tx:
        tx.run(REPOS["insert"], repo_id="r", ignore_case=0, now_ms=1)
    store.close()


def test_many_that_come_at_once_to_an_empty_database_make_one_schema(postgres_server: PostgresServer) -> None:
    url = fresh_database(postgres_server)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA loom CASCADE")
    raised: list[Exception] = []

    def use() -> None:
        try:
            with postgres_store(url).append():
                pass
        except StoreUnavailable as error:
            raised.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert raised == []


def test_a_newer_schema_and_a_foreign_one_are_refused(url: str, postgres_server: PostgresServer) -> None:
    foreign = fresh_database(postgres_server)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE loom.schema_version SET version = 9999")
    with psycopg.connect(foreign, autocommit=True) as connection:
        connection.execute("DROP TABLE loom.schema_version")

    with pytest.raises(StoreUnavailable, match=r"upgraded by a newer loomstack-mcp \(schema 9999"):
        postgres_store(url).read().__enter__()
    with pytest.raises(StoreUnavailable, match="another program's tables"):
        postgres_store(foreign).read().__enter__()


def test_a_read_that_owes_something_is_answered_while_nobody_can_write(url: str) -> None:
    hasty = postgres_store(url, wait_ms=50)
    with Loom(postgres_store(url), rework_max=3) as loom, Loom(hasty, rework_max=3) as other:
        for caller in (ANA, BEA):
            started(loom, caller)
        claimed(loom, BEA, "src/")
        claimed(loom, ANA, "src/")
        loom.claims.release_paths(BEA, "")
        with loom.store.write(REPO):
            meanwhile = heard(other, ANA)

        assert (meanwhile, [alert.kind for alert in heard(loom, ANA)]) == ((), ["freed"])
