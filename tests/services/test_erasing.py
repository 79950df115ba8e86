"""What is erased is gone from every row, on both databases, and every row stays."""

from functools import partial
from typing import Any

import pytest

from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.loom import Loom
from loomstack_mcp.services.copied_tables import TABLES
from loomstack_mcp.services.erasing import erased_note, erased_person, erased_repo
from loomstack_mcp.store.base import Statement
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, recorded, started


def text_of(loom: Loom) -> str:
    """All that the tables of the store say."""
    with loom.store.read() as tx:
        reads = [Statement("test.rows", f"SELECT * FROM {table.noun}") for table in TABLES]
        return repr([[{**row, "words": ""} for row in tx.all(read)] for read in reads])


@pytest.fixture
def ended(loom: Loom, clocks: Clocks) -> Loom:
    """A store in which people worked, and nobody works."""
    first, second = started(loom, ANA, goal="zanzibar").id, started(loom, BEA).id
    claimed(loom, ANA, "src/**", intent="quagga")
    claimed(loom, BEA, "src/a.py")
    loom.notes.share(ANA, "", kind="decision", text="okapi forever", patterns=["src/"], expires_hours=9)
    loom.notes.share(BEA, "", kind="decision", text="not as ana says", patterns=["src/"])
    recorded(loom, ANA, summary="dugong")
    for run in (first, second):
        loom.levers.stop_run(run, who="ana", why="numbat")
    return loom


def counts(loom: Loom) -> list[int]:
    with loom.store.read() as tx:
        reads = [Statement("test.rows", f"SELECT COUNT(*) AS n FROM {table.noun}") for table in TABLES]
        return [tx.all(read)[0]["n"] for read in reads]


def test_a_person_is_nowhere_and_can_be_told_again_by_one_name(ended: Loom) -> None:
    before = [event.kind for event in ended.events.latest(REPO, limit=99)[0]]
    tried = erased_person(ended.store, ["ana"], who="root", is_tried=True)
    done = erased_person(ended.store, ["ana"], who="root", is_tried=False)

    assert [one.rows for one in tried] == [one.rows for one in done]
    assert [word for word in ("ana", "zanzibar", "quagga", "okapi", "dugong", "numbat") if word in text_of(ended)] == []
    *kinds, last = [event.kind for event in ended.events.latest(REPO, limit=99)[0]]
    assert (kinds, last) == (before, "erased")
    assert len({run.principal for run in ended.runs.latest(REPO, limit=9)[0]}) == 2
    assert ended.notes.latest(REPO, limit=9, query="okapi")[0] == ()


def test_a_note_goes_with_its_quotations_alone(ended: Loom) -> None:
    [note] = ended.notes.latest(REPO, limit=9, query="okapi")[0]
    erased_note(ended.store, note.id, who="root", is_tried=False)

    assert ("okapi" in text_of(ended), "zanzibar" in text_of(ended)) == (False, True)
    with pytest.raises(NotFound):
        erased_note(ended.store, "note_00000000", who="root", is_tried=False)


def test_a_repo_is_nowhere_and_its_numbers_stay(ended: Loom) -> None:
    before = counts(ended)
    seq = ended.events.cursor(REPO)
    [done] = erased_repo(ended.store, REPO, who="root", is_tried=False)
    after = counts(ended)

    assert [word for word in (REPO, "src/", "zanzibar", "okapi", "numbat") if word in text_of(ended)] == []
    changed = [(table.noun, now - was) for table, was, now in zip(TABLES, before, after, strict=True) if now != was]
    assert changed == [("path_key", -before[3]), ("event", 1)]
    assert (ended.repos.ids(), ended.events.cursor(done.repo)) == ((done.repo,), seq + 1)
    assert started(ended, BEA).seq == 1


class Meanwhile:
    """A store in which a person starts a run just before it is written to."""

    def __init__(self, loom: Loom) -> None:
        self._loom = loom

    def write(self, repo_id: str) -> Any:
        started(self._loom, ANA)
        return self._loom.store.write(repo_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loom.store, name)


def test_who_comes_while_their_words_are_erased_keeps_them(ended: Loom) -> None:
    for erase in (partial(erased_person, people=["ana"]), partial(erased_repo, repo_id=REPO)):
        with pytest.raises(Invalid, match="still live: run_"):
            erase(Meanwhile(ended), who="root", is_tried=False)
        ended.levers.stop_run(ended.runs.latest(REPO, limit=1)[0][0].id, who="ana", why="numbat")

    assert "zanzibar" in text_of(ended)


def test_a_run_whose_lease_is_over_keeps_nobody_s_words(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA, goal="zanzibar")
    clocks.pass_minutes(31)
    erased_person(loom.store, ["ana"], who="root", is_tried=False)

    assert "zanzibar" not in text_of(loom)


def test_what_is_live_or_unknown_is_not_erased(loom: Loom) -> None:
    run = started(loom, ANA)
    with pytest.raises(Invalid, match=run.id):
        erased_person(loom.store, ["ana"], who="root", is_tried=False)
    with pytest.raises(Invalid, match=run.id):
        erased_repo(loom.store, REPO, who="root", is_tried=False)
    for name in (ORG, "github.com/acme/none"):
        with pytest.raises(NotFound):
            erased_repo(loom.store, name, who="root", is_tried=False)
    with pytest.raises(NotFound):
        erased_person(loom.store, ["nobody"], who="root", is_tried=False)
    assert loom.repos.id_of(SHOP) == REPO
