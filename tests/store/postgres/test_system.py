"""The machine's own PostgreSQL, where there is one: an older version than the one that the wheel brings."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.tokens import Principal
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Statement
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.postgres.spelling import positional
from tests.databases import PostgresServer, own_server, system_programs
from tests.deadlines import wait_until
from tests.factories import ANA, BEA, REPO
from tests.lab.balancer import made_certificate
from tests.services.support import claimed, recorded, started
from tests.services.test_ledger import commit, fill
from tests.store.postgres.test_statements import OURS


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    programs = system_programs()
    if programs is None:
        pytest.skip("no PostgreSQL is installed on this machine")
    with own_server(programs) as found:
        yield found


def test_every_statement_prepares_and_a_story_is_played(server: PostgresServer) -> None:
    with Loom(postgres_store(server.url()), rework_max=3) as loom:
        run = started(loom, ANA)
        started(loom, BEA)
        held = claimed(loom, ANA, "src/")
        refused = claimed(loom, BEA, "src/a.py")
        note = loom.notes.share(BEA, "", kind="fact", text="the snake_case of prices", patterns=["src/"]).note
        change = commit(7, "src/a.py", at_ms=run.started_at_ms + 1)
        recorded(loom, ANA, status="done", commits=[change.sha])
        fill(loom, change)
        found, _ = loom.notes.latest(REPO, limit=9, query="case snake_case")
        events, _ = loom.events.since(REPO, since=0, limit=99)
        loom.tokens.create(Principal(name="dee", role="admin"), owner="ana", role="agent")  # the private schema, too
    with psycopg.connect(server.url(), options="-c search_path=loom,loom_private") as connection:
        said = {
            statement.name: connection.pgconn.prepare(
                b"", positional(statement.postgres or statement.text)[0].encode()
            ).error_message
            for statement in OURS
        }

    assert {name: text for name, text in said.items() if text} == {}
    assert held.claim
    assert [blocker.run for blocker in refused.blockers] == [run.id]
    assert [one.id for one in found] == [note.id]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


ENCRYPTED = Statement("test.encrypted", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")


def encrypt(server: PostgresServer, certificate: Path, key: Path) -> None:
    """The server shows a certificate to whoever asks for one."""
    for name, file in (("server.crt", certificate), ("server.key", key)):
        place = shutil.copy(file, server.folder / "data" / name)
        os.chmod(place, 0o600)  # noqa: PTH101
        if os.geteuid() == 0:
            shutil.chown(place, "nobody")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET ssl = on")
        connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: connection.execute("SHOW ssl").fetchone() == ("on",))


def test_a_server_is_asked_where_its_certificate_holds_and_nowhere_else(server: PostgresServer, tmp_path: Path) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    for folder in (ours, others):
        folder.mkdir()
    certificate, key = made_certificate(ours, "127.0.0.1")
    foreign, _ = made_certificate(others, "127.0.0.1")
    encrypt(server, certificate, key)
    named = f"{server.url()}?sslmode=verify-full&sslrootcert="
    other_host = f"{server.url().replace('127.0.0.1', 'db.acme.example')}?hostaddr=127.0.0.1&sslmode=verify-full"
    with closing(postgres_store(f"{named}{certificate}")) as store, store.read() as tx:
        found = tx.all(ENCRYPTED)

    assert found == [{"ssl": 1}]
    refused = (
        (f"{named}{foreign}", "verify failed; see sslrootcert"),
        (f"{other_host}&sslrootcert={certificate}", "acme"),
    )
    for url, why in refused:
        with closing(postgres_store(url)) as store, pytest.raises(StoreUnavailable, match=why):
            store.read().__enter__()
