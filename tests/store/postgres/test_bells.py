"""Who waits in one process is woken by what happens in another; and who is not looks by itself."""

import subprocess
import sys
from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest

from loomstack_mcp.loom import Loom
from loomstack_mcp.store.postgres.backend import PostgresStore
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.databases import PostgresServer, fresh_database
from tests.deadlines import seconds, wait_until
from tests.factories import ANA, REPO
from tests.services.support import claimed, started

_LISTENERS = """
SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN loom_news' AND datname = current_database()
"""
_CLAIMS = """
import sys
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.postgres.migrate import postgres_store
from tests.factories import ANA
from tests.services.support import claimed
with Loom(postgres_store(sys.argv[1]), rework_max=3) as loom:
    claimed(loom, ANA, "src/a.py")
"""


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return fresh_database(postgres_server)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    store = postgres_store(url)
    started(Loom(store, rework_max=3), ANA)
    yield store
    store.close()


def listeners(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        found = connection.execute(_LISTENERS)
        return [pid for (pid,) in found]


def test_who_waits_is_woken_by_another_process_for_its_own_repo_alone(store: PostgresStore, url: str) -> None:
    with store.listening(REPO) as mine, store.listening("another") as other:
        wait_until(lambda: listeners(url))
        assert mine.wait(seconds(2))  # as whoever begins to listen: what happened before was told to nobody
        mine.clear()
        other.clear()
        subprocess.run([sys.executable, "-c", _CLAIMS, url], check=True)

        assert mine.wait(seconds(5))
        assert not other.is_set()


def test_many_changes_are_few_words(store: PostgresStore, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("LISTEN loom_news")
        loom = Loom(store, rework_max=3)
        for number in range(40):
            claimed(loom, ANA, f"src/{number}.py")
        store.close()
        told = list(connection.notifies(timeout=0.5))

    assert 1 <= len(told) < 40
    assert {word.payload for word in told} == {f'["{REPO}"]'}


@pytest.mark.parametrize(
    "statement",
    ["SELECT pg_terminate_backend(%(listener)s)", "SELECT pg_notify('loom_news', 'hello')"],
    ids=["its connection is lost", "a word that is nobody's"],
)
def test_who_listens_goes_on(store: PostgresStore, url: str, statement: LiteralString) -> None:
    with store.listening(REPO) as news:
        [first] = wait_until(lambda: listeners(url))
        wait_until(news.is_set)
        news.clear()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement, {"listener": first})

        assert news.wait(seconds(5))  # what was told meanwhile was lost, so that it looks
        assert wait_until(lambda: listeners(url)) != [first]


def test_behind_a_pooler_nobody_listens(url: str) -> None:
    store = postgres_store(f"{url}?pooler=transaction")
    with store.listening(REPO) as news:
        started(Loom(store, rework_max=3), ANA)

        assert listeners(url) == []
        assert not news.is_set()
    store.close()
