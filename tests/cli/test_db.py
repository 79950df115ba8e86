"""`db`: it only reads, and what it cannot do or say it tells in a line."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.store.exports import VIEWS
from tests.conftest import Run
from tests.wire import Server


@pytest.fixture
def store(tmp_path: Path, serve: Callable[..., Server]) -> Path:
    serve().answer("start_run", loop="loop", goal="goal")
    return tmp_path / "loomstack/loom.db"


WRITING = (
    "DELETE FROM run",
    "INSERT INTO run SELECT * FROM run RETURNING id",
    "UPDATE run SET goal = 'x' RETURNING id",
    "VACUUM INTO 'copy.db'",
    "ATTACH 'other.db' AS other",
    "CREATE TABLE mine (a)",
    "PRAGMA user_version = 7",
    "SELECT 1; DELETE FROM run",
    "",
)


def test_a_query_only_reads(store: Path, shop: Path, loomstack: Run) -> None:
    before = loomstack("db", "query", "SELECT * FROM run", "--json").stdout
    done = [loomstack("db", "query", text) for text in WRITING]

    assert [one.returncode for one in done] == [1] * len(WRITING)
    assert [one.stderr.count("\n") for one in done] == [1] * len(WRITING)
    assert loomstack("db", "query", "SELECT * FROM run", "--json").stdout == before
    assert list(shop.glob("*.db")) == []


@pytest.mark.parametrize("sql", [sql for sql in WRITING if ";" not in sql])
def test_a_write_is_told_that_this_reads_only(store: Path, loomstack: Run, sql: str) -> None:
    told = loomstack("db", "query", sql).stderr

    assert "the store is read only here and nothing was changed: give one SELECT" in told
    assert ", ".join(VIEWS) in told


def test_the_views_are_named_where_a_query_is_and_exported(store: Path, shop: Path, loomstack: Run) -> None:
    views = ["v_runs", "v_claims", "v_decisions", "v_approvals", "v_conflicts", "v_loop_health"]
    exported = json.loads(loomstack("db", "export", "out", "--json").stdout)

    assert [view for view in views if view not in loomstack("db", "query", "--help").stdout] == []
    assert [view for view in views if view not in exported or not (shop / f"out/{view}.jsonl").exists()] == []
    assert json.loads((shop / "out/v_runs.jsonl").read_text().splitlines()[0])["loop"] == "loop"


@pytest.mark.parametrize(
    ("flag", "value"), [("--store", "foo"), ("--store", "sqlite:///foo"), ("--home", "foo"), ("--home", "foo/bar")]
)
def test_a_store_that_would_be_made_in_this_folder_is_refused(
    shop: Path, loomstack: Run, flag: str, value: str
) -> None:
    done = [loomstack(flag, value, *command.split()) for command in ("runs", "claims", "config", "db path")]
    kinds = {one.returncode for one in done if "whole path" in one.stderr}

    assert kinds == {1}
    assert done[0].returncode == 1
    assert not (shop / "foo").exists()


def test_a_store_of_this_folder_that_is_there_is_opened(store: Path, shop: Path, loomstack: Run) -> None:
    loomstack("db", "backup", "copy.db")

    assert json.loads(loomstack("--store", "copy.db", "runs", "--json").stdout)[0]["loop"] == "loop"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x'00ff'", "00ff"),
        ("1e999", "inf"),
        ("-1e999", "-inf"),
        ("NULL", None),
        ("9223372036854775807", 2**63 - 1),
        ("char(27, 8238, 10)", "\x1b\u202e\n"),
    ],
)
def test_every_value_of_sqlite_is_json(store: Path, loomstack: Run, value: str, shown: object) -> None:
    done = loomstack("db", "query", f"SELECT {value} AS a", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout, parse_constant=pytest.fail) == [{"a": shown}]


def test_a_query_is_cut_at_its_limit_and_says_so(store: Path, loomstack: Run) -> None:
    two = "SELECT 1 AS a UNION ALL SELECT 2"
    cut = loomstack("db", "query", two, "--limit", "1", "--json")
    whole = loomstack("db", "query", two, "--limit", "2", "--json")

    assert (json.loads(cut.stdout), "only the first 1 row;" in cut.stderr) == ([{"a": 1}], True)
    assert (json.loads(whole.stdout), whole.stderr) == ([{"a": 1}, {"a": 2}], "")


@pytest.mark.parametrize("place", ["taken", "taken/below", "/proc/loomstack"])
def test_an_export_that_cannot_be_written_says_where_it_can(
    store: Path, shop: Path, loomstack: Run, place: str
) -> None:
    (shop / "taken").write_text("mine")
    done = loomstack("db", "export", place)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "choose a new folder" in done.stderr
    assert (shop / "taken").read_text() == "mine"


def test_an_export_overwrites_nothing(store: Path, shop: Path, loomstack: Run) -> None:
    (shop / "out").mkdir()
    (shop / "out/note.jsonl").write_text("mine")
    done = loomstack("db", "export", "out")

    assert (done.returncode, "note.jsonl" in done.stderr) == (1, True)
    assert (shop / "out/note.jsonl").read_text() == "mine"


def test_without_a_store_an_export_makes_no_folder(shop: Path, loomstack: Run) -> None:
    done = loomstack("db", "export", "out")

    assert (done.returncode, "there is no store at" in done.stderr) == (1, True)
    assert not (shop / "out").exists()


def test_a_copy_is_private_and_opens_as_a_store(store: Path, shop: Path, loomstack: Run) -> None:
    loomstack("db", "backup", "a ?#%.db")
    copy = shop / "a ?#%.db"
    runs = json.loads(loomstack("--store", str(copy), "runs", "--json").stdout)

    assert copy.stat().st_mode & 0o777 == 0o600
    assert [run["loop"] for run in runs] == ["loop"]


def test_a_check_tells_of_rows_that_point_nowhere(store: Path, loomstack: Run) -> None:
    with sqlite3.connect(store) as writer:
        writer.execute("PRAGMA foreign_keys = OFF")
        writer.execute("UPDATE run SET repo_id = 'nowhere'")
        writer.execute("PRAGMA user_version = 18")
    done = loomstack("db", "check", "--json")
    *rows, older = json.loads(done.stdout)["problems"]

    assert (done.returncode, json.loads(done.stdout)["ok"]) == (1, False)
    assert rows == ["run: a row points nowhere"]
    assert older.startswith("schema 18; this version has ")
    assert older.endswith("the next session upgrades it, as `loomstack-mcp runs` does now")


@pytest.mark.parametrize("since", ["-1", str(2**63), "x"])
def test_a_cursor_that_cannot_be_one_is_wrong_usage(loomstack: Run, since: str) -> None:
    done = loomstack("events", "--since", since)

    assert (done.returncode, "--since" in done.stderr, "Traceback" in done.stderr) == (64, True, False)
