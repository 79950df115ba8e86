"""A repo goes into another store whole: nothing doubled, nothing lost, nobody's word another's, fences that grow."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.repos import ORG, Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.copied_tables import LEDGER, LEFT, TABLES
from loomstack_mcp.services.copying import CopyWish, RepoCopy, copied_repo
from loomstack_mcp.services.ledger_keys import one_key
from loomstack_mcp.store import queries
from loomstack_mcp.store.base import Statement, Store
from loomstack_mcp.store.postgres.migrate import postgres_store
from loomstack_mcp.store.sqlite.migrate import migrating_store
from tests.conftest import Clocks
from tests.databases import PostgresServer, emptied, fresh_database
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, recorded, started

SHA = "5" * 40
NOT_COMPARED = frozenset({"words", "number"})
"""What PostgreSQL alone has, for its full-text search; and what each store counts for itself."""


@pytest.fixture(scope="session")
def _other_url(postgres_server: PostgresServer) -> str:
    return fresh_database(postgres_server)


@pytest.fixture(params=["into_sqlite", "into_postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path, clocks: Clocks, database: str) -> Iterator[Loom]:
    """Another store, empty."""
    if request.param == "into_sqlite":
        store: Store = migrating_store(tmp_path / "other.db", clock=clocks.clock())
    elif database == "postgres":
        pytest.skip("each kind into the other, and SQLite into itself, say it all")
    else:
        url = request.getfixturevalue("_other_url")
        emptied(url)
        store = postgres_store(url, clock_ms=lambda: clocks.wall_ms)
    with Loom(store, rework_max=3) as opened:
        yield opened


def wish(loom: Loom, other: Loom, **names: str) -> CopyWish:
    return CopyWish(who="root", names=names, has_ledger=one_key(loom.store, other.store))


def copied(loom: Loom, other: Loom, repo_id: str = REPO, **names: str) -> RepoCopy:
    return copied_repo(loom.store, other.store, repo_id, wish(loom, other, **names))


def rows(loom: Loom, table: str) -> list[tuple[Any, ...]]:
    read = Statement("test.rows", f"SELECT * FROM {table}")
    with loom.store.read() as tx:
        found = [tuple(value for name, value in row.items() if name not in NOT_COMPARED) for row in tx.all(read)]
        return sorted(found, key=repr)


def worked(loom: Loom) -> None:
    """A bit of everything."""
    loom.ledger.key(SHOP)
    started(loom, ANA, key="nightly")
    claimed(loom, ANA, "src/**", intent="net prices")
    started(loom, BEA)
    claimed(loom, BEA, "src/a.py")
    loom.notes.share(ANA, "", kind="decision", text="prices are net", patterns=["src/"], expires_hours=9)
    loom.notes.share(BEA, "", kind="decision", text="prices are gross", patterns=["src/"])
    loom.notes.add(SHOP, who="ana", kind="fact", text="ana says so")
    loom.evidence.add(SHOP, who="ana", sha=SHA, kind="tests", passed=True, link="")
    recorded(loom, ANA, commits=[SHA])


COMPARED = sorted({table.noun for table in (*TABLES, *LEDGER)} | {"line_key"})


@pytest.mark.sqlite
def test_every_table_comes_along_or_is_named_as_left(loom: Loom) -> None:
    read = Statement("test.tables", "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'note_fts%'")
    with loom.store.read() as tx:
        tables = {row["name"] for row in tx.all(read)}
    assert tables == {table.noun for table in (*TABLES, *LEDGER)} | LEFT


@pytest.mark.sqlite
@pytest.mark.parametrize("table", [*TABLES, *LEDGER], ids=lambda table: table.noun)
def test_every_column_comes_along(loom: Loom, table: object) -> None:
    noun = table.noun  # type: ignore[attr-defined]
    columns = Statement("test.columns", f"SELECT name FROM pragma_table_info('{noun}')")
    with loom.store.read() as tx:
        wanted = {row["name"] for row in tx.all(columns)} - {"number", "landed", "imprint", "attribution"}
    text = queries.statements("copying")[f"put_{noun}"].text

    assert {name for name in wanted if f":{name}" not in text.replace("\n", " ")} == set()


def test_an_empty_store_becomes_the_same(loom: Loom, other: Loom) -> None:
    worked(loom)
    result = copied(loom, other)

    assert (result.is_joined, result.has_ledger, result.before) == (False, True, "")
    mine, theirs = [{table: rows(one, table) for table in COMPARED} for one in (loom, other)]
    [came] = set(theirs["event"]) - set(mine["event"])
    assert (came[3], set(mine["event"]) - set(theirs["event"])) == ("repo.copied", set())
    for table in set(COMPARED) - {"event"}:
        assert theirs[table] == mine[table], table
    assert [run.key for run in other.runs.latest(REPO, limit=9)[0] if run.key] == ["nightly"]
    assert other.notes.latest(REPO, limit=9, query="gross")[0][0].who == "bea"


def test_what_came_is_not_copied_twice(loom: Loom, other: Loom) -> None:
    worked(loom)
    first = copied(loom, other)
    again = copied(loom, other)
    back = copied(other, loom)
    started(loom, ANA, loop="more")
    later = copied(loom, other)

    assert (first.before, again.before) == ("", "it came before, whole")
    assert back.before == "it came from there, and what is newer is not copied"
    assert later.before == "it came before; 1 newer event not copied"
    assert len(rows(other, "note")) == 3


def test_a_known_repo_gets_it_behind_what_it_has(loom: Loom, other: Loom) -> None:
    other.ledger.key(SHOP)
    started(other, Caller(principal="dan", session="s-dan"))
    held = other.claims.claim_paths(
        Caller(principal="dan", session="s-dan"), "", patterns=["src/b.py"], intent="w", mode="exclusive",
        ttl_ms=60_000, wait_ms=0,
    ).claim  # fmt: skip
    worked(loom)
    reached = other.events.cursor(REPO)
    result = copied(loom, other)

    assert (result.is_joined, result.has_ledger) == (True, False)
    assert [claim.run_id for claim in other.claims.held(REPO, limit=9)[0]] == [held.run_id]  # type: ignore[union-attr]
    fences = [row[3] for row in rows(other, "claim")]
    assert sorted(fences) == sorted(set(fences))
    assert min(row[3] for row in rows(other, "claim") if row[2] != held.run_id) > reached  # type: ignore[union-attr]
    seqs = [event.seq for event in other.events.since(REPO, since=0, limit=999)[0]]
    assert seqs == sorted(set(seqs))
    assert {run.state for run in other.runs.latest(REPO, limit=9)[0]} == {"live", "lost"}
    newer = claimed(other, Caller(principal="dan", session="s-dan"), "src/a.py").claim
    assert newer is not None
    assert newer.fence > max(fences)
    assert copied(loom, other).before == "it came before, whole"
    started(loom, ANA, loop="more")
    assert copied(loom, other).before == "it came before; 1 newer event not copied"


def test_the_ledger_stays_where_the_keys_differ(loom: Loom, other: Loom) -> None:
    worked(loom)
    other.ledger.key(SHOP)
    copied(loom, other)

    assert rows(other, "landed") == []
    assert {row[5] for row in rows(other, "binding")} == {0}
    assert {row[1] for row in rows(other, "path_key")} <= {"claim", "waiter", "run", "note"}
    assert other.repos.filled(SHOP) == ""


def test_a_taken_id_is_another_there_wherever_it_stands(loom: Loom, other: Loom) -> None:
    worked(loom)
    taken = loom.notes.latest(REPO, limit=9, query="net")[0][0]
    run_id = taken.run_id
    fork = Checkout(identity="github.com/acme/fork")
    started(other, BEA, fork)
    text = loom.notes.add(SHOP, who="ana", kind="fact", text=f"see {taken.id} of {run_id}").note.id
    with other.store.append() as tx:
        tx.run(Statement("t.run", "UPDATE run SET id = :id"), id=run_id)
        tx.run(Statement("t.event", "UPDATE event SET about = :id, run_id = :id"), id=run_id)
    copied(loom, other)
    there = {note.text: note for note in other.notes.latest(REPO, limit=9)[0]}
    moved = there["prices are net"]

    assert moved.run_id not in (run_id, None)
    assert moved.id == taken.id
    assert f"see {taken.id} of {moved.run_id}" in there
    assert [run.id for run in other.runs.latest(fork.identity, limit=9)[0]] == [run_id]
    events = [event for event in other.events.latest(REPO, limit=99)[0] if run_id in (event.run_id, event.about)]
    assert (events, there[f"see {taken.id} of {moved.run_id}"].id) == ([], text)


def test_people_are_called_by_their_new_names(loom: Loom, other: Loom) -> None:
    worked(loom)
    copied(loom, other, ana="ana@corp")

    assert {run.principal for run in other.runs.latest(REPO, limit=9)[0]} == {"ana@corp", "bea"}
    assert {note.who for note in other.notes.latest(REPO, limit=9)[0]} == {"ana@corp", "bea"}
    [began] = other.events.since(REPO, since=0, limit=1)[0]
    assert began.payload["who"] == "ana@corp"
    [fact] = rows(other, "evidence")
    assert "ana@corp" in fact


def test_two_repos_there_are_not_made_one(loom: Loom, other: Loom) -> None:
    worked(loom)
    loom.repos.alias(SHOP, "github.com/acme/old", who="ana")
    for identity in (REPO, "github.com/acme/old"):
        started(other, BEA, Checkout(identity=identity))

    with pytest.raises(Invalid, match="repo alias"):
        copied(loom, other)


def test_a_try_writes_nothing_and_counts(loom: Loom, other: Loom) -> None:
    worked(loom)
    tried = copied_repo(loom.store, other.store, REPO, CopyWish(who="root", names={}, has_ledger=True, is_tried=True))

    assert other.repos.ids() == ()
    assert tried.rows == copied(loom, other).rows > 10


@pytest.mark.parametrize("other", ["into_sqlite"], indirect=True)
def test_what_arrives_broken_is_not_kept(loom: Loom, other: Loom, tmp_path: Path) -> None:
    worked(loom)
    started(other, BEA, Checkout(identity="github.com/acme/fork"))
    with sqlite3.connect(tmp_path / "other.db") as writer:
        writer.execute("CREATE TRIGGER bad AFTER INSERT ON outcome BEGIN UPDATE outcome SET summary = 'x'; END")
    with pytest.raises(Exception, match="nothing of this repository was"):
        copied(loom, other)

    assert other.runs.latest(REPO, limit=9)[0] == ()
    assert rows(other, "note") == []


def test_the_organisations_notes_are_a_repo_that_one_may_leave(loom: Loom, other: Loom) -> None:
    loom.notes.add(None, who="ana", kind="decision", text="we are polite")
    assert loom.repos.ids() == (ORG,)
    copied(loom, other, ORG)
    assert other.notes.latest(ORG, limit=9)[0][0].text == "we are polite"


def test_two_copies_at_once_leave_one(loom: Loom, other: Loom) -> None:
    worked(loom)
    asked = wish(loom, other)
    barrier = threading.Barrier(2)
    found: list[RepoCopy] = []

    def copy() -> None:
        barrier.wait()
        found.append(copied_repo(loom.store, other.store, REPO, asked))

    threads = [threading.Thread(target=copy) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(bool(one.before) for one in found) == [False, True]
    assert rows(loom, "claim") == rows(other, "claim")
