"""`db prune`, and what a setting has done once a day."""

import json
import time
from pathlib import Path

import pytest

from loomstack_mcp.loom import open_loom
from tests.bench.year import Year, filled
from tests.conftest import Run

_WAIT_S = 30


@pytest.fixture
def year(tmp_path: Path) -> Path:
    path = tmp_path / "loomstack" / "loom.db"
    path.parent.mkdir(mode=0o700)
    with open_loom(path) as loom:
        filled(loom.store, Year(runs=400, repos=2, days=300))
    return path


def run_count(loomstack: Run) -> int:
    [found] = json.loads(loomstack("db", "query", "SELECT COUNT(*) AS n FROM v_runs", "--json").stdout)
    return int(found["n"])


def test_it_says_what_goes_and_what_went_and_the_file_is_smaller(year: Path, loomstack: Run) -> None:
    size = year.stat().st_size
    tried = loomstack("db", "prune", "--keep", "90d", "--dry-run", "--json")
    kept = run_count(loomstack)
    done = loomstack("db", "prune", "--keep", "90d")
    again = loomstack("db", "prune", "--keep", "90d", "--json")
    sizes = json.loads(loomstack("db", "check", "--json").stdout)

    would = json.loads(tried.stdout)
    assert (kept, would["dry_run"], would["rows"]["run"] > 50) == (400, True, True)
    goes, stays, gone, *_, space = done.stdout.splitlines()
    assert goes.partition(": ")[2] == gone.partition(": ")[2]
    assert f"{would['rows']['run']} runs" in gone
    assert f"{would['kept']['made']} runs made commits" in stays
    assert f"{year.stat().st_size / 1e6:,.1f} MB" in space
    assert year.stat().st_size < size
    assert run_count(loomstack) == 400 - would["rows"]["run"]
    assert json.loads(again.stdout)["rows"] == {}
    assert (sizes["size_bytes"], sizes["log_bytes"], sizes["free_bytes"]) == (year.stat().st_size, 0, 0)
    told = loomstack("--repo", "example.com/team/repo-0", "events", "--since", "3")
    assert "too old to be kept" in told.stderr


@pytest.mark.usefixtures("year")
def test_what_is_no_time_to_keep_and_who_is_no_person_is_refused(loomstack: Run) -> None:
    said = [loomstack("db", "prune", *given) for given in ([], ["--keep", "9d"], ["--keep", "9h"])]
    said.append(loomstack("db", "prune", "--keep", "90d", CLAUDECODE="1"))

    assert all(done.returncode for done in said)
    whys = ("--keep 90d", "keep 30 days at least", "keep whole days", "only a person")
    for done, why in zip(said, whys, strict=True):
        assert why in done.stderr
    assert run_count(loomstack) == 400


def test_where_the_settings_say_so_it_is_done_once_a_day(year: Path, loomstack: Run) -> None:
    mark = year.with_name("loom.db-tidied")
    loomstack("runs", LOOMSTACK_KEEP_DAYS="90")
    assert not mark.exists()  # a repository sets the environment of its sessions
    (year.parent / "config.yaml").write_text("keep_days: 90\n")
    loomstack("runs")
    until_s = time.monotonic() + _WAIT_S
    while (left := run_count(loomstack)) == 400 and time.monotonic() < until_s:
        time.sleep(0.2)
    first = mark.stat().st_mtime
    loomstack("runs")

    assert left < 400
    assert mark.stat().st_mtime == first
