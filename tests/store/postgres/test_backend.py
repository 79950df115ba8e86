"""The PostgreSQL backend: what the seam promises, on a real server."""

import threading

import pytest

from loomstack_mcp.core.errors import NotFound, OlderStore
from loomstack_mcp.store import queries
from loomstack_mcp.store.postgres.backend import PostgresStore
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.databases import PostgresServer, fresh_database

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
