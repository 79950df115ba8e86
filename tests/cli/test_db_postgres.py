"""Commands, sessions and hooks over a PostgreSQL store: as over a file, and no word of its password."""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from loomstack_mcp.loom import open_store
from loomstack_mcp.store.base import Statement
from tests.cli.test_db import WRITING
from tests.conftest import Run, environment
from tests.databases import PostgresServer, fresh_database
from tests.hooks.support import claude_edit, hook
from tests.processes import run
from tests.wire import Server

SECRET = "s3cr3t"
COMMANDS = ("config", "db path", "db check", "db backup x", "doctor", "runs", "gate --base main")


@pytest.fixture
def url(postgres_server: PostgresServer, tmp_path: Path) -> str:
    """A database that the user's own settings name."""
    url = fresh_database(postgres_server).replace("postgres@", f"postgres:{SECRET}@")
    (tmp_path / "loomstack").mkdir()
    (tmp_path / "loomstack/config.yaml").write_text(f"store: {url}\n")
    return url


@pytest.fixture
def session(url: str, serve: Callable[..., Server]) -> Server:
    server = serve()
    server.answer("start_run", loop="loop", goal="goal")
    server.answer("claim_paths", paths=["src/a.py"], intent="prices")
    return server


def test_a_session_and_a_hook_meet_in_it(session: Server, shop: Path, tmp_path: Path) -> None:
    reply = hook(tmp_path, "claude", claude_edit(shop, str(shop / "src/a.py"), session="s-bea"))

    assert "src/a.py is claimed by" in json.dumps(reply)
    assert not (tmp_path / "loomstack/loom.db").exists()


def test_a_query_only_reads(session: Server, loomstack: Run) -> None:
    before = loomstack("db", "query", "SELECT * FROM run", "--json").stdout
    texts = [*(text for text in WRITING if "VACUUM" not in text), "SELECT 1; COMMIT; DELETE FROM run", "VACUUM"]
    done = [loomstack("db", "query", text) for text in texts]

    assert [one.returncode for one in done] == [1] * len(texts)
    assert loomstack("db", "query", "SELECT * FROM run", "--json").stdout == before
    assert "the store is read only here" in loomstack("db", "query", "DELETE FROM run").stderr


def test_the_views_answer_as_those_of_a_file(session: Server, loomstack: Run) -> None:
    [claim] = json.loads(loomstack("db", "query", "SELECT * FROM v_claims", "--json").stdout)
    [health] = json.loads(loomstack("db", "query", "SELECT * FROM v_loop_health", "--json").stdout)
    more = loomstack("db", "query", "SELECT * FROM generate_series(1, 1000000) AS n", "--limit", "2")

    assert (claim["state"], claim["paths"], claim["loop"]) == ("held", '["src/a.py"]', "loop")
    assert (health["runs"], health["live"], health["attempts"]) == (1, 1, 0)
    assert "only the first 2 rows" in more.stderr


def test_it_is_checked_and_a_row_that_points_nowhere_is_found(session: Server, url: str, loomstack: Run) -> None:
    sound = loomstack("db", "check", "--json")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE loom.claim SET run_id = 'run_gone'")
    damaged = loomstack("db", "check", "--json")

    assert (sound.returncode, json.loads(sound.stdout)["problems"]) == (0, [])
    assert (damaged.returncode, json.loads(damaged.stdout)["problems"]) == (
        1,
        ["claim_run_id_fkey: 1 rows point nowhere"],
    )


def test_it_is_exported(session: Server, shop: Path, loomstack: Run) -> None:
    counts = json.loads(loomstack("db", "export", "out", "--json").stdout)
    [claim] = [json.loads(line) for line in (shop / "out/v_claims.jsonl").read_text().splitlines()]

    assert (counts["v_runs"], counts["v_claims"], counts["note"], counts["event"]) == (1, 1, 0, 2)
    assert claim["intent"] == "prices"


@pytest.mark.parametrize(
    "command", ["config", "db path", "db check", "db backup x", "doctor", "runs", "gate --base main"]
)
def test_no_command_shows_the_password(session: Server, url: str, loomstack: Run, command: str) -> None:
    told = loomstack(*command.split())
    gone = loomstack(*command.split(), LOOMSTACK_STORE=url.replace(url[url.rindex(":") + 1 : url.rindex("/")], "1"))

    assert SECRET not in told.stdout + told.stderr + gone.stdout + gone.stderr
    assert "Traceback" not in told.stderr + gone.stderr


def test_a_server_side_hook_is_not_written_with_it(session: Server, url: str, loomstack: Run) -> None:
    told = loomstack("gate", "install", "--actor", "$GL_USERNAME", LOOMSTACK_STORE=url)

    assert SECRET not in told.stdout + told.stderr


def test_without_the_extra_it_is_said_what_to_install(url: str, shop: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from loomstack_mcp.start import main; sys.argv = ['loomstack-mcp', 'runs']; main()"
    )
    told = run([sys.executable, "-c", program], cwd=shop, env=environment(tmp_path))

    assert "install loomstack-mcp[postgres]" in told.stderr


def test_a_whole_repository_may_take_longer_than_a_session_may_stand_still(url: str) -> None:
    asked = Statement("still", "SELECT current_setting('idle_in_transaction_session_timeout') AS still")

    def still(*, is_read: bool) -> object:
        with closing(open_store(url, is_read=is_read)) as store, store.read() as tx:
            return tx.all(asked)[0]["still"]

    assert [still(is_read=each) for each in (True, False)] == ["1h", "1min"]
