"""A lost connection, a server that stops, a holder that stands still, a wrong URL: said, and nothing done twice."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.postgres.address import database_address
from loomstack_mcp.store.postgres.backend import PostgresStore
from loomstack_mcp.store.postgres.failures import explained_database
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.databases import PostgresServer, fresh_database, own_server
from tests.store.postgres.test_backend import add_repo, seq_of
from tests.store.postgres.wires import Wire, relayed

NEXT_SEQ = queries.statements("repos")["next_seq"]
KILL = (
    b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    b"WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
SECRET = "s3cr3t"


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return fresh_database(postgres_server)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    opened = postgres_store(url)
    add_repo(opened)
    yield opened
    opened.close()


@pytest.fixture
def wire(url: str) -> Iterator[Wire]:
    with relayed(int(database_address(url).parameters["port"])) as found:
        yield found


def through(wire: Wire, url: str, **options: int) -> PostgresStore:
    address = database_address(url)
    return postgres_store(url.replace(str(address.parameters["port"]), str(wire.port)), **options)


def count(store: PostgresStore) -> None:
    with store.write("r") as tx:
        tx.all(NEXT_SEQ, repo_id="r")


def lose_all(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(KILL)


def test_connections_that_were_lost_at_rest_are_opened_anew(store: PostgresStore, url: str) -> None:
    lose_all(url)
    count(store)
    lose_all(url)

    assert seq_of(store) == 1


def test_one_that_is_lost_in_a_change_undoes_it_and_says_so(store: PostgresStore, url: str) -> None:
    with pytest.raises(StoreUnavailable, match="Nothing was written"), store.write("r") as tx:
        tx.all(NEXT_SEQ, repo_id="r")
        lose_all(url)
        tx.all(NEXT_SEQ, repo_id="r")

    assert seq_of(store) == 0


def test_an_end_that_is_not_answered_is_told_as_what_it_is(store: PostgresStore, url: str, wire: Wire) -> None:
    far = through(wire, url)
    count(far)
    with pytest.raises(StoreUnavailable, match="may or may not have been made") as raised, far.write("r") as tx:
        tx.all(NEXT_SEQ, repo_id="r")
        wire.cut_after = b"COMMIT"
    count(far)

    assert "Nothing was written" not in str(raised.value)
    assert seq_of(store) == 3  # it had been made, and was not made again


def test_what_the_server_says_is_told_and_not_where_it_said_so(url: str) -> None:
    ended = b"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '57P01', MESSAGE = 'terminating connection'; END $$"
    with psycopg.connect(url) as connection, pytest.raises(StoreUnavailable) as told, explained_database("here"):
        connection.execute(ended)

    assert str(told.value).startswith("store here: terminating connection; check")


def test_a_server_that_stands_still_is_given_up_and_used_again_when_it_goes_on() -> None:
    with own_server() as server, contextlib.closing(postgres_store(server.url(), answer_ms=300)) as store:
        add_repo(store)
        server.pause()
        try:
            with pytest.raises(StoreUnavailable, match="connection timeout expired"):
                count(store)
        finally:
            server.resume()
        before = seq_of(store)
        count(store)

        assert seq_of(store) == before + 1


def test_a_commit_that_a_server_keeps_for_itself_may_have_been_made() -> None:
    with own_server() as server, contextlib.closing(postgres_store(server.url(), answer_ms=300)) as store:
        add_repo(store)
        try:
            with pytest.raises(StoreUnavailable, match="may or may not have been made"), store.write("r") as tx:
                tx.all(NEXT_SEQ, repo_id="r")
                server.pause()
        finally:
            server.resume()


def test_a_cut_network_is_told_and_used_again_when_it_is_back(url: str, wire: Wire) -> None:
    far = through(wire, url)
    add_repo(far)
    wire.cut()
    count(far)

    assert seq_of(far) == 1


def test_a_server_that_stops_is_told_and_used_again_when_it_is_back() -> None:
    with own_server() as server:
        store = postgres_store(server.url())
        add_repo(store)
        server.stop()
        with pytest.raises(StoreUnavailable, match="refused; check that it runs") as raised:
            count(store)
        server.start()
        count(store)

        assert server.url() not in str(raised.value)
        assert seq_of(store) == 1


def test_a_holder_that_stands_still_is_ended_before_those_give_up_who_wait(url: str, store: PostgresStore) -> None:
    slow, quick = postgres_store(url, still_ms=500), postgres_store(url)
    with pytest.raises(StoreUnavailable, match="stood still too long"), slow.write("r") as tx:
        tx.all(NEXT_SEQ, repo_id="r")
        count(quick)
        tx.all(NEXT_SEQ, repo_id="r")

    assert seq_of(store) == 1


def test_who_waits_too_long_for_a_repo_says_so(url: str, store: PostgresStore) -> None:
    hasty = postgres_store(url, wait_ms=100)
    with store.write("r"), pytest.raises(StoreUnavailable, match="holds this repository for too long"):
        count(hasty)


def test_what_takes_too_long_is_ended(store: PostgresStore) -> None:
    slow = Statement("test.slow", "SELECT CAST(pg_sleep(60) AS TEXT) AS slept")
    limit = Statement("test.limit", "SELECT set_config('statement_timeout', '50', true) AS set")
    with pytest.raises(StoreUnavailable, match="took too long"), store.read() as tx:
        tx.all(limit)
        tx.all(slow)


def test_a_statement_that_failed_is_not_passed_over(store: PostgresStore) -> None:
    with pytest.raises(StoreUnavailable, match="nothing was written"), store.write("r") as tx:
        tx.all(NEXT_SEQ, repo_id="r")
        with pytest.raises(psycopg.errors.UniqueViolation):
            tx.run(Statement("test.twice", "INSERT INTO repo (id, created_at_ms) VALUES ('r', 0)"))

    assert seq_of(store) == 0


def test_connections_are_bounded_and_given_back(url: str) -> None:
    store = postgres_store(url, connections_max=2, wait_ms=200)
    with store.read(), store.read(), pytest.raises(StoreUnavailable, match="all 2 connections are in use"):
        store.read().__enter__()
    with store.read(), store.read():
        pass

    store.close()


def test_a_fork_has_connections_of_its_own_and_leaves_its_parent_its(store: PostgresStore) -> None:
    count(store)
    child = os.fork()
    if not child:
        status = 1
        try:
            count(store)
            store.close()
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    count(store)

    assert (status, seq_of(store)) == (0, 3)


def test_threads_share_a_store(store: PostgresStore) -> None:
    threads = [threading.Thread(target=count, args=[store]) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seq_of(store) == 30


@pytest.mark.parametrize("pooler", ["", "?pooler=transaction"])
def test_a_transaction_leaves_nothing_in_its_session_behind_a_pooler(url: str, pooler: str) -> None:
    store = postgres_store(url + pooler)
    add_repo(store)
    for _ in range(8):
        count(store)
    line = store._connections.borrowed()
    with line.connection.cursor() as cursor:
        prepared = cursor.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        path = cursor.execute("SHOW search_path").fetchone()

    assert (prepared == (0,), path == ('"$user", public',)) == (bool(pooler), bool(pooler))
    store._connections.give_back(line)
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ana:{SECRET}@x@host/db",
        f"postgresql://ana:{SECRET}/x@host/db",
        f"postgresql://ana:{SECRET}?x@host/db",
        f"postgresql://ana:{SECRET}@host/db?nonsense=1",
        f"postgresql://ana:{SECRET}@host:port/db",
        f"postgresql://ana:{SECRET}@host/db?pooler=session",
        f"postgresql://ana:{SECRET}@[::1/db",
        f"postgresql://ana:%zz{SECRET}@host/db",
    ],
)
def test_a_url_that_cannot_be_read_is_not_shown(text: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be read") as raised:
        postgres_store(text)

    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_password_is_in_no_error_and_in_no_name(url: str) -> None:
    port = database_address(url).parameters["port"]
    store = postgres_store(f"postgresql://nobody_here:{SECRET}@127.0.0.1:{port}/postgres?connect_timeout=2")
    with pytest.raises(StoreUnavailable) as raised:
        store.read().__enter__()

    shown = f"{raised.value} {store.address} {store.address!r} {vars(store)!r}"
    assert 'role "nobody_here" does not exist' in str(raised.value)
    assert SECRET not in shown


def test_what_a_url_says_of_tls_is_what_libpq_is_told(tmp_path: Path) -> None:
    told = database_address(f"postgresql://ana@host/db?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem").parameters

    assert (told["sslmode"], told["sslrootcert"]) == ("verify-full", f"{tmp_path}/ca.pem")


def test_a_server_without_tls_is_refused_where_the_url_asks_for_it(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="server does not support SSL"):
        postgres_store(f"{url}?sslmode=require").read().__enter__()


def test_of_several_servers_the_one_that_takes_writes_is_asked(url: str) -> None:
    address = database_address("postgresql://ana@one,two/db")

    assert address.parameters["target_session_attrs"] == "read-write"
    assert "target_session_attrs" not in database_address(url).parameters
