"""`datasette`: what it writes opens the views of a store in the real Datasette, of either version, and nothing else.

The real ones are asked where they are: `python3 -m venv .datasette/0`, then `.datasette/0/bin/pip install
'datasette==0.65.*'`, and the same for `.datasette/1` with `--pre 'datasette>=1.0a0'`.
"""

import json
import re
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from loomstack_mcp.loom import open_loom
from loomstack_mcp.store.exports import VIEWS
from tests.conftest import Run
from tests.factories import ANA, BEA
from tests.ports import kept_port
from tests.processes import start
from tests.services.support import claimed, recorded, started

ROOT = Path(__file__).parents[2]
QUERIES = {
    "trace": {"ref": "a1a1a1"},
    "unattributed": {"repo": ""},
    "conflicts_by_path": {"path": "src"},
    "needs_human": {},
    "loop_health": {"repo": ""},
    "spend": {},
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "loomstack" / "loom.db"
    path.parent.mkdir()
    with open_loom(path) as loom:
        started(loom, ANA, loop="billing", goal="<script>alert(1)</script>")
        claimed(loom, ANA, "src/**")
        recorded(loom, ANA, status="done", commits=["a1" * 20])
        started(loom, BEA, loop="triage")
    return path


def tables(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]


def test_every_view_is_shown_every_table_is_closed_and_every_question_runs(loomstack: Run, store: Path) -> None:
    done = loomstack("datasette")
    again = loomstack("datasette")
    written = yaml.safe_load((store.parent / "datasette.yaml").read_text())["databases"]["loom"]
    closed = {name for name, one in written["tables"].items() if one.get("allow") is False}
    with closing(sqlite3.connect(store)) as connection:
        connection.row_factory = sqlite3.Row
        answers = {
            name: connection.execute(one["sql"], QUERIES[name]).fetchall() for name, one in written["queries"].items()
        }
        columns = {view: [row[1] for row in connection.execute(f"PRAGMA table_info({view})")] for view in VIEWS}

    assert done.returncode == again.returncode == 0, done.stderr
    assert f"datasette {store} -" in done.stdout
    assert written["allow_sql"] is False
    assert closed == set(tables(store))
    assert written["tables"].keys() - closed == set(VIEWS)
    for view in VIEWS:
        one = written["tables"][view]
        named = {*one["facets"], one["sort_desc"], *one.get("columns", ()), one.get("label_column", one["sort_desc"])}
        assert named <= set(columns[view]), view
    assert answers.keys() == QUERIES.keys()
    assert {row["loop"] for row in answers["loop_health"]} == {"billing", "triage"}


def test_what_somebody_else_wrote_stays(loomstack: Run, store: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("title: mine\n")

    assert "written by somebody else" in loomstack("datasette", "--out", str(mine)).stderr
    assert mine.read_text() == "title: mine\n"


@pytest.mark.parametrize("major", ["0", "1"])
def test_the_real_datasette_shows_it(loomstack: Run, store: Path, major: str, tmp_path: Path) -> None:
    folder = ROOT / ".datasette" / major / "bin"
    if not (folder / "datasette").exists():
        pytest.skip(f"no Datasette {major}.x in .datasette/{major}; the head of this file says how to get it")
    told = loomstack("datasette", PATH=f"{folder}:/usr/bin:/bin").stdout
    [line] = re.findall(r"^  datasette (.*)$", told, re.MULTILINE)
    port = kept_port()
    with start([str(folder / "datasette"), *line.split(), "--port", str(port)], cwd=tmp_path, env={}) as process:
        try:
            pages = Pages(port)
            pages.wait()
            views = {view: pages.json(f"/loom/{view}.json") for view in VIEWS}
            answers = {name: pages.json(f"/loom/{name}.json", **given) for name, given in QUERIES.items()}
            status = {name: pages.get(f"/loom/{name}.json")[0] for name in tables(store)}
            page = pages.get("/loom/v_runs")[1]
            own = {
                pages.get(path)[0]
                for path in ("/loom.json?sql=select+1", "/loom/-/query.json?sql=select+1", "/loom.db")
            }
        finally:
            process.terminate()

    assert len(views["v_runs"]["rows"]) == 2
    assert len(answers["loop_health"]["rows"]) == 2
    assert {name for name, found in status.items() if found != 403} == set()
    assert "<script>alert(1)" not in page
    assert "facet" in page
    assert own & {200} == set()


class Pages:
    """What a server on this machine answers."""

    def __init__(self, port: int) -> None:
        self._origin = f"http://127.0.0.1:{port}"

    def wait(self) -> None:
        for _ in range(300):
            try:
                self.get("/")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Datasette never answered")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self._origin + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def json(self, path: str, /, **given: str) -> Any:
        words = "&".join(f"{name}={value}" for name, value in given.items())
        status, text = self.get(f"{path}?{words}")
        assert status == 200, path
        return json.loads(text)
