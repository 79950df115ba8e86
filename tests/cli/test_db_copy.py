"""`db copy` on a machine: a try, an interruption, a second time, and what it says of what stays behind."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import open_loom
from tests.cli.test_cli import on_terminal
from tests.conftest import Run, environment
from tests.factories import ANA, SHOP
from tests.processes import SCRIPT
from tests.services.support import started

REPOS = [f"github.com/acme/r{number}" for number in range(6)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "loom.db"
    with open_loom(path) as loom:
        loom.ledger.key(SHOP)
        loom.notes.add(None, who="ana", kind="fact", text="of the organisation")
        for identity in REPOS:
            checkout = Checkout(identity=identity)
            started(loom, ANA, checkout)
            for number in range(40):
                loom.notes.add(checkout, who="ana", kind="fact", text=f"fact {number}")
    return path


def told(loomstack: Run, store: Path, sql: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(loomstack("--store", str(store), "db", "query", sql, "--json").stdout)
    return found


def test_a_try_makes_no_file_and_then_all_arrives(tmp_path: Path, source: Path, loomstack: Run) -> None:
    target = tmp_path / "new.db"
    urls = (f"sqlite:///{source}", f"sqlite:///{target}")
    tried = loomstack("db", "copy", *urls, "--dry-run", "--json")
    is_made = target.exists()
    done = loomstack("db", "copy", *urls, "--as", "ana=ana@corp", "--json")
    again = loomstack("db", "copy", *urls, "--json")

    assert (tried.returncode, is_made, "nothing was written" in tried.stderr) == (0, False, True)
    assert [(one["repo"], one["rows"]) for one in json.loads(tried.stdout)] == [
        (one["repo"], one["rows"]) for one in json.loads(done.stdout)
    ]
    assert {one["before"] for one in json.loads(again.stdout)} == {"it came before, whole"}
    counted = "SELECT COUNT(*) AS n, COUNT(DISTINCT repo_id) AS r, MIN(who) AS who FROM note"
    assert told(loomstack, target, counted) == [{"n": 240, "r": 6, "who": "ana@corp"}]
    assert loomstack("--store", str(target), "db", "check").returncode == 0


def test_what_was_killed_goes_on_where_it_was(tmp_path: Path, source: Path, loomstack: Run) -> None:
    target = tmp_path / "new.db"
    urls = (f"sqlite:///{source}", f"sqlite:///{target}")
    for after_s in (0.5, 0.8, 1.1):
        process = subprocess.Popen([SCRIPT, "db", "copy", *urls], cwd=tmp_path, env=environment(tmp_path))
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    half = "SELECT repo_id FROM note GROUP BY repo_id HAVING COUNT(*) <> 40"
    kept = told(loomstack, target, half) if target.exists() else []
    done = loomstack("db", "copy", *urls, "--json")

    assert (kept, done.returncode) == ([], 0)
    assert told(loomstack, target, "SELECT COUNT(*) AS n, COUNT(DISTINCT text) AS t FROM note") == [{"n": 240, "t": 40}]


def test_it_says_what_stays_behind(tmp_path: Path, source: Path, loomstack: Run) -> None:
    target = tmp_path / "known.db"
    with open_loom(target) as loom:
        loom.ledger.key(SHOP)
    done = loomstack("db", "copy", f"sqlite:///{source}", f"sqlite:///{target}", "--org")

    assert "7 ledgers left behind" in done.stderr
    assert "not checked" in done.stderr
    assert told(loomstack, target, "SELECT COUNT(*) AS n FROM note WHERE repo_id = 'org'") == [{"n": 1}]


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("{0}", "{0}"), 1, "one store"),
        (("sqlite:////nowhere.db", "{0}"), 1, "no store at"),
        (("{0}", "sqlite:////tmp/x.db", "--as", "ana"), 64, "OLD=NEW"),
        (("mysql://x/y", "{0}"), 1, "not spoken"),
    ],
)
def test_what_cannot_be_copied_says_why(
    source: Path, loomstack: Run, arguments: tuple[str, ...], status: int, word: str
) -> None:
    done = loomstack("db", "copy", *(one.format(f"sqlite:///{source}") for one in arguments))

    assert (done.returncode, word in done.stderr, "Traceback" in done.stderr) == (status, True, False)


def test_an_agent_copies_no_store(source: Path, tmp_path: Path, loomstack: Run) -> None:
    done = loomstack("db", "copy", f"sqlite:///{source}", f"sqlite:///{tmp_path}/new.db", CLAUDECODE="1")

    assert (done.returncode, (tmp_path / "new.db").exists()) == (1, False)


def test_a_terminal_is_shown_how_far_it_is(tmp_path: Path, source: Path) -> None:
    argv = [SCRIPT, "db", "copy", f"sqlite:///{source}", f"sqlite:///{tmp_path}/new.db"]
    status, shown = on_terminal(
        argv, cwd=tmp_path, env=environment(tmp_path), question="1 of 6: github.com/acme/r0", answer=str
    )

    assert (status, "6 of 6: github.com/acme/r5" in shown, "\r… 41 rows" in shown) == (0, True, True)
