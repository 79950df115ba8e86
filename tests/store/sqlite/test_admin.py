"""What an admin does with a store that others work in: check, back up, export, query."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.core.policy.rules import Rulebook
from loomstack_mcp.core.policy.situation import Situation
from loomstack_mcp.edge.deciding import decided_action
from loomstack_mcp.edge.filling import fill_ledger
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.store.sqlite import admin, schema
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, recorded, started


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A store that is open, with something in each of its tables that people read; returns its file."""
    path = tmp_path / "a %20?#" / "loom.db"  # what a URI reads otherwise
    with open_loom(path) as loom:
        filled(loom)
    return path


def filled(loom: Loom) -> None:
    maker = started(loom, ANA)
    claimed(loom, ANA, "src/")
    loom.notes.share(ANA, "", kind="fact", text="line\nand “quotes”\u2028")
    started(loom, BEA)
    claimed(loom, BEA, "docs/")
    recorded(loom, ANA, maker.id, status="done", commits=["a" * 40])
    change = Change(sha="a" * 40, at_ms=maker.started_at_ms)
    fill_ledger(loom.ledger, SHOP, [change], since_ms=0, read=lambda _: [change])
    situation = Situation(point="mcp", actions=frozenset({"edit"}), now_ms=0)
    decided_action(loom.policy, BEA, "", Rulebook(hash="sha256:0"), situation)


def asked(path: Path, sql: str, limit: int = 9) -> list[dict[str, object]]:
    return [dict(row) for row in admin.query(path, sql, limit=limit, may_go_on=lambda: True)[0]]


def test_a_sound_store_is_found_sound_while_others_write(live: Path) -> None:
    with open_loom(live) as loom, loom.store.write(REPO):
        health = admin.check(live)

    assert (health.ok, health.problems, health.schema) == (True, (), schema.newest())


def test_a_row_that_points_nowhere_is_found(live: Path) -> None:
    with closing(sqlite3.connect(live, isolation_level=None)) as other:
        other.execute("UPDATE claim SET run_id = 'run_NONE'")
    health = admin.check(live)

    assert not health.ok
    assert "claim: a row points nowhere" in health.problems


def test_a_page_that_was_overwritten_is_found(live: Path) -> None:
    with live.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096)

    with pytest.raises(StoreUnavailable, match="last good copy"):
        admin.check(live)


def test_a_copy_has_all_that_was_acknowledged_and_opens_as_a_store(live: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with open_loom(live) as loom, loom.store.write(REPO):
        size_bytes = admin.back_up(live, copy)
    with open_loom(live) as loom, open_loom(copy) as copied:
        events = [one.events.since(REPO, since=0, limit=99)[0] for one in (loom, copied)]

    assert events[0] == events[1] != ()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.stat().st_size >= size_bytes > 0


def test_a_copy_overwrites_nothing_not_even_through_a_link(live: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "dangling").symlink_to("nowhere")

    for name in ("mine", "link", "dangling", "no/folder"):
        with pytest.raises(Invalid, match="choose a new name"):
            admin.back_up(live, tmp_path / name)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_an_export_has_each_public_view_and_one_line_for_each_row(live: Path, tmp_path: Path) -> None:
    views = [row["name"] for row in asked(live, "SELECT name FROM sqlite_schema WHERE type = 'view'")]
    counts = admin.export(live, tmp_path / "out")
    lines = {file.stem: file.read_text(encoding="utf-8").split("\n")[:-1] for file in (tmp_path / "out").iterdir()}

    assert set(views) <= set(counts)
    assert {name: len(texts) for name, texts in lines.items()} == counts
    assert counts["v_decisions"] == counts["note"] == 1
    assert json.loads(lines["note"][0])["text"] == "line\nand “quotes”\u2028"
    with pytest.raises(Invalid):
        admin.export(live, tmp_path / "out")


def test_what_does_not_run_is_told_the_views(live: Path) -> None:
    for sql in ("SELECT * FROM v_nothing", "DELETE FROM note", "SELECT 1; SELECT 2", "", "PRAGMA user_version = 9"):
        with pytest.raises(Invalid, match=r"v_runs, v_claims, v_decisions, v_approvals, v_conflicts, v_trace"):
            asked(live, sql)
    assert asked(live, "SELECT COUNT(*) AS notes FROM note") == [{"notes": 1}]


def test_a_query_without_an_end_is_ended(live: Path) -> None:
    asks = iter([True] * 5)
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"

    with pytest.raises(Invalid):
        admin.query(live, endless, limit=1, may_go_on=lambda: next(asks, False))


def test_a_query_says_whether_there_are_more_rows(live: Path) -> None:
    asks = [admin.query(live, "SELECT run FROM v_runs", limit=limit, may_go_on=lambda: True) for limit in (1, 2, 3)]

    assert [(len(found), more) for found, more in asks] == [(1, True), (2, False), (2, False)]


def test_the_views_tell_states_as_the_services_do(live: Path) -> None:
    assert asked(live, "SELECT who, state, status FROM v_runs ORDER BY who") == [
        {"who": "ana", "state": "ended", "status": "done"}, {"who": "bea", "state": "live", "status": ""},
    ]  # fmt: skip
    assert asked(live, "SELECT who, state, paths FROM v_claims ORDER BY who") == [
        {"who": "ana", "state": "released", "paths": '["src/"]'}, {"who": "bea", "state": "held", "paths": '["docs/"]'},
    ]  # fmt: skip
    with closing(sqlite3.connect(live, isolation_level=None)) as other:
        other.execute("UPDATE run SET expires_at_ms = 1")
        lapsed = [row["state"] for row in asked(live, "SELECT state FROM v_runs WHERE who = 'bea'")]
        other.execute("UPDATE run SET seen_at_ms = 1")

    assert lapsed == ["lapsed"]
    assert asked(live, "SELECT state FROM v_runs WHERE who = 'bea'") == [{"state": "lost"}]
    assert asked(live, "SELECT state FROM v_claims WHERE who = 'bea'") == [{"state": "lapsed"}]


@pytest.mark.parametrize("name", ["nothing", "folder", "garbage"])
def test_what_is_no_store_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage").write_bytes(b"garbage" * 999)

    with pytest.raises(StoreUnavailable):
        admin.check(tmp_path / name)
