"""`forget`: what was erased is found in no byte of the store's files, and everything that is counted stays."""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import Unauthorized
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import open_loom
from tests.cli.test_cli import on_terminal
from tests.conftest import Run, environment
from tests.factories import BEA, REPO, SHOP
from tests.processes import SCRIPT
from tests.services.support import claimed, recorded, started

DANA = Caller(principal="dana", session="s-dana-77")
SECRETS = ("dana", "s-dana-77", "zanzibar", "quagga", "okapi", "numbat", "wombat", "dugong")
SHA = "5" * 40


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "loomstack" / "loom.db"
    path.parent.mkdir()
    with open_loom(path) as loom:
        mine = started(loom, DANA, goal="zanzibar prices").id
        claimed(loom, DANA, "src/**", intent="quagga for dana")
        theirs = started(loom, BEA).id
        claimed(loom, BEA, "src/a.py", intent="src for bea")
        loom.notes.share(DANA, "", kind="decision", text="okapi prices are net", patterns=["src/"], to=theirs)
        loom.notes.share(BEA, "", kind="decision", text="gross, not as dana says", patterns=["src/"])
        loom.notes.add(SHOP, who="dana", kind="fact", text="numbat")
        loom.evidence.add(SHOP, who="dana", sha=SHA, kind="tests", passed=True, link="https://dana/wombat")
        recorded(
            loom,
            DANA,
            summary="dugong",
            status="failed",
            commits=[SHA],
            checks=CheckCounts(failed=1, failing=("test_dana",)),
        )
        for run in (mine, theirs):
            loom.levers.stop_run(run, who="dana", why="wombat day")
    return path


def told(store: Path, *secrets: str) -> list[tuple[str, str]]:
    """Which files hold what."""
    files = [path for path in store.parent.iterdir() if path.is_file()]
    return [(path.name, secret) for path in files for secret in secrets if secret.encode() in path.read_bytes()]


def counts(loomstack: Run) -> list[object]:
    asked = [
        "SELECT loop, runs, live, lost, done, abandoned, attempts, outcomes_with_commits FROM v_loop_health",
        "SELECT seq, at_ms, kind, run_id FROM event WHERE kind <> 'erased' ORDER BY seq",
        "SELECT id, kind, seq, authority FROM note",
        "SELECT id, seq, passed, failed, status FROM outcome",
    ]
    return [json.loads(loomstack("db", "query", text, "--json").stdout) for text in asked]


@pytest.fixture
def forget(tmp_path: Path, shop: Path) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str, answer: str = "y\n") -> tuple[int, str]:
        command = [SCRIPT, "forget", *arguments]
        return on_terminal(command, cwd=shop, env=environment(tmp_path), question="[y/N]", answer=lambda: answer)

    return run


def test_a_person_is_in_no_byte_and_all_counts_stay(
    store: Path, loomstack: Run, forget: Callable[..., tuple[int, str]]
) -> None:
    before = counts(loomstack)
    first = {secret for _, secret in told(store, *SECRETS)}
    tried, _ = forget("--person", "dana", "--dry-run"), told(store, *SECRETS)
    refused = forget("--person", "dana", answer="n\n")
    kept = {secret for _, secret in told(store, *SECRETS)}
    done = forget("--person", "dana")

    assert (first, kept) == (set(SECRETS), set(SECRETS))
    assert (tried[0], "nothing was erased" in tried[1], refused[0]) == (0, True, 130)
    assert (done[0], told(store, *SECRETS)) == (0, []), done[1]
    assert counts(loomstack) == before
    [erased] = json.loads(loomstack("db", "query", "SELECT about FROM event WHERE kind = 'erased'", "--json").stdout)
    notes = json.loads(loomstack("db", "query", "SELECT who, text FROM note ORDER BY seq", "--json").stdout)
    assert [note["who"] for note in notes] == [erased["about"], "bea", erased["about"]]
    assert [note["text"] for note in notes] == ["", f"gross, not as {erased['about']} says", ""]
    assert forget("--person", "dana")[0] == 1
    assert json.loads(loomstack("db", "check", "--json").stdout)["ok"]


def test_a_note_is_in_no_byte_wherever_it_was_quoted(
    store: Path, loomstack: Run, forget: Callable[..., tuple[int, str]]
) -> None:
    [note] = json.loads(loomstack("db", "query", "SELECT id FROM note WHERE text LIKE 'okapi%'", "--json").stdout)
    done = forget("--note", note["id"])

    assert (done[0], told(store, "okapi")) == (0, []), done[1]
    assert told(store, "zanzibar") != []
    assert forget("--note", "note_00000000")[0] == 1


def test_a_repository_is_in_no_byte_and_begins_anew(
    store: Path, loomstack: Run, forget: Callable[..., tuple[int, str]]
) -> None:
    before = counts(loomstack)
    done = forget("--repo", REPO)

    hidden = [secret for secret in SECRETS if secret not in ("dana",)]
    assert (done[0], told(store, REPO, "acme", "src/", *hidden)) == (0, []), done[1]
    assert counts(loomstack) == before
    with open_loom(store) as loom:
        assert loom.repos.listed()[0].names == ()
        assert started(loom, BEA).seq == 1


def test_what_is_live_is_ended_first(tmp_path: Path, forget: Callable[..., tuple[int, str]]) -> None:
    (tmp_path / "loomstack").mkdir()
    with open_loom(tmp_path / "loomstack/loom.db") as loom:
        run = started(loom, DANA)
    person, repo = forget("--person", "dana"), forget("--repo", REPO)

    assert (person[0], repo[0]) == (1, 1)
    assert run.id in person[1]
    assert run.id in repo[1]


def test_older_copies_are_named(store: Path, forget: Callable[..., tuple[int, str]]) -> None:
    copy = store.with_name("loom.db.v9-20260101T000000.0.backup")
    copy.write_bytes(b"old")
    done = forget("--person", "dana")

    assert f"not erased: {copy} is an older copy" in done[1].replace("\r\n", "")


def test_only_a_person_erases(store: Path, loomstack: Run) -> None:
    assert loomstack("forget", "--person", "dana").returncode == 1
    assert told(store, "zanzibar") != []


def test_what_a_reader_keeps_is_told_and_cleared_afterwards(
    store: Path, forget: Callable[..., tuple[int, str]]
) -> None:
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM note").fetchall()
        done = forget("--person", "dana")
    freed = forget("--free")

    assert (done[0], "forget --free" in done[1]) == (0, True), done[1]
    assert (freed[0], told(store, *SECRETS)) == (0, []), freed[1]


def test_the_tokens_of_a_person_open_nothing_and_name_nobody(
    store: Path, loomstack: Run, forget: Callable[..., tuple[int, str]]
) -> None:
    dana = loomstack("token", "create", "--for", "dana", "--role", "developer").stdout.strip()
    loomstack("token", "create", "--for", "bea", "--role", "developer")
    done = forget("--person", "dana")
    listed = json.loads(loomstack("token", "list", "--json").stdout)

    assert (done[0], told(store, "dana")) == (0, []), done[1]
    assert sorted((one["for"][:7], one["expires"] == "revoked") for one in listed) == [
        ("bea", False),
        ("person_", True),
    ]
    with open_loom(store) as loom, pytest.raises(Unauthorized, match="was revoked; ask"):
        loom.tokens.checked(dana)
