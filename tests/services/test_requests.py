"""What a claim costs the store: statements and JSON, counted on real calls, and that few of them miss nothing."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.core.changes.attributions import CommitFacts
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.traces import TraceWanted
from loomstack_mcp.loom import Loom, open_loom
from loomstack_mcp.services.path_index import FIRST_PAGE
from loomstack_mcp.store import rows
from tests.factories import REPO, SHOP
from tests.processes import run
from tests.services.support import CHEN, claimed, recorded, started

ANA = Caller(principal="ana", session="s-ana")
Counted = Callable[[Callable[[], object]], tuple[int, int]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """How many statements SQLite runs in a call, BEGIN, COMMIT and PRAGMA among them, and how much JSON is written."""
    statements: list[str] = []
    written: list[object] = []
    connect, json_column = sqlite3.connect, rows.json_column

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(statements.append)
        return connection

    def noted(value: object, /) -> str:
        written.append(value)
        return json_column(value)

    def count(call: Callable[[], object]) -> tuple[int, int]:
        statements.clear()
        written.clear()
        call()
        return len(statements), len(written)

    monkeypatch.setattr(sqlite3, "connect", traced)
    monkeypatch.setattr(rows, "json_column", noted)
    return count


@pytest.fixture
def shop(counted: Counted, tmp_path: Path) -> Iterator[Loom]:
    with open_loom(tmp_path / "loom.db") as loom:
        for caller in (ANA, CHEN):
            started(loom, caller)
        claimed(loom, ANA, "src/held.py")
        yield loom


def asked(loom: Loom, caller: Caller, *patterns: str, wait_s: int = 0) -> None:
    """As a server asks: who calls, from where, and the claim."""
    loom.sightings.known_caller(caller, "toolu_1")
    claimed(loom, caller, *patterns, wait_s=wait_s)


def test_a_grant_is_few_statements(shop: Loom, counted: Counted) -> None:
    assert counted(lambda: asked(shop, ANA, "src/a.py", "docs/{b,c}.md")) == (14, 4)


def test_a_renewal_is_few_statements(shop: Loom, counted: Counted) -> None:
    assert counted(lambda: asked(shop, ANA, "src/held.py")) == (14, 3)


def test_a_refusal_is_few_statements(shop: Loom, counted: Counted) -> None:
    assert counted(lambda: asked(shop, CHEN, "src/held.py")) == (18, 6)


def test_a_place_that_is_kept_is_few_statements(shop: Loom, counted: Counted) -> None:
    asked(shop, CHEN, "src/held.py", wait_s=9)

    assert counted(lambda: asked(shop, CHEN, "src/held.py", wait_s=9)) == (17, 6)


def test_a_first_edit_of_a_file_is_few_statements(shop: Loom, counted: Counted) -> None:
    shop.edits.hold(ANA, SHOP, ["src/a.py"])

    assert counted(lambda: shop.edits.hold(ANA, SHOP, ["src/b.py"])) == (16, 5)
    assert counted(lambda: shop.edits.hold(ANA, SHOP, ["src/c.py", "src/d.py"])) == (21, 9)


def test_a_further_edit_of_a_file_is_few_statements(shop: Loom, counted: Counted) -> None:
    shop.edits.hold(ANA, SHOP, ["src/a.py"])

    assert counted(lambda: shop.edits.hold(ANA, SHOP, ["src/a.py"])) == (14, 3)


def test_a_call_enters_its_run_in_one_transaction(shop: Loom, counted: Counted) -> None:
    statements, _ = counted(lambda: shop.claims.release_paths(ANA, ""))

    assert statements == 10


def test_a_look_at_all_that_goes_on_is_few_statements_however_much_that_is(shop: Loom, counted: Counted) -> None:
    asked(shop, CHEN, "src/held.py", wait_s=9)
    for at in range(5):
        caller = Caller(principal=f"p{at}", session=f"s-{at}")
        started(shop, caller)
        claimed(shop, caller, "src/held.py", f"src/{at}.py", wait_s=9)

    assert counted(lambda: shop.live.live(REPO)) == (13, 5)
    assert counted(lambda: shop.loops.health(REPO, limit=50)) == (9, 1)


def test_a_run_that_holds_one_path_and_asks_for_it_among_very_many_renews_its_claim(shop: Loom) -> None:
    first = claimed(shop, ANA, "src/**/*.py", mode="shared")
    for at in range(0, FIRST_PAGE * 2, 64):
        claimed(shop, CHEN, *(f"src/{number}.py" for number in range(at, at + 64)), mode="shared")
    again = claimed(shop, ANA, "src/**/*.py", mode="shared")

    assert first.claim
    assert again.claim
    assert (again.claim.id, again.claim.fence) == (first.claim.id, first.claim.fence)


@pytest.mark.parametrize("wanted", ["src/b.py", "src/", "src/*.py", "**/*.py", "{docs/a,src/b}.py"])
def test_a_note_near_a_granted_path_is_told_however_it_is_asked_for(shop: Loom, wanted: str) -> None:
    shop.notes.share(CHEN, "", kind="warning", text="leave it", patterns=["src/b.py"])

    told = claimed(shop, ANA, wanted, mode="shared").warnings

    assert [warning.text for warning in told] == ["leave it"]


def test_a_note_of_the_organisation_is_told_to_who_is_granted_its_path(shop: Loom) -> None:
    shop.notes.add(None, who="lead", kind="warning", text="frozen", patterns=["src/b.py"])

    assert [warning.text for warning in claimed(shop, ANA, "src/").warnings] == ["frozen"]


def test_what_claims_load_is_nothing_of_landed_changes_and_no_random_numbers() -> None:
    done = run([sys.executable, "-c", "import sys, loomstack_mcp.services.claims; print(*sys.modules)"])
    loaded = set(done.stdout.split())

    assert "loomstack_mcp.services.claims" in loaded
    assert loaded.isdisjoint({"secrets", "hashlib", "random", "loomstack_mcp.services.landed"})
    assert not [name for name in loaded if name.startswith("loomstack_mcp.core.changes")]


def test_a_refused_request_that_nobody_is_told_of_any_more_is_settled_by_its_grant(shop: Loom) -> None:
    claimed(shop, CHEN, "src/held.py")
    shop.claims.release_paths(ANA, "")  # who keeps no place leaves the index once it was told
    claimed(shop, CHEN, "src/held.py")

    assert shop.claims.release_paths(CHEN, "").alerts == ()


def test_a_trace_is_as_many_statements_for_many_runs_as_for_one(shop: Loom, counted: Counted) -> None:
    shas = [f"{at:040x}" for at in range(1, 4)]
    for sha in shas:
        run = started(shop, ANA)
        claimed(shop, ANA, f"{sha}.py", run=run.id)
        recorded(shop, ANA, run.id, commits=[sha])
        shop.attributions.attributed(SHOP, CommitFacts(sha=sha, made_at_ms=2**41))
    one, three = (TraceWanted(asked="x", kind="pr", shas=tuple(some)) for some in (shas[:1], shas))

    few, _ = counted(lambda: shop.traces.chain(REPO, one))
    many, _ = counted(lambda: shop.traces.chain(REPO, three))

    assert (few, many - few) == (17, 2)  # which notes lie on its paths is asked for each run
