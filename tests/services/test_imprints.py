"""Imprints in the store: hints that bind nothing alone, and rows whose numbers meant something else."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.works import work_of
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import ledger, slices
from loomstack_mcp.services.imprints import keep_imprint
from loomstack_mcp.store.base import Statement
from tests.conftest import Clocks
from tests.factories import ANA, REPO
from tests.services.support import CHEN, started
from tests.services.test_ledger import commit, fill, stored

MADE_AT = Statement("test.made_at", "SELECT made_at_ms FROM imprint WHERE run_id = :run_id")


def test_a_trailer_is_a_hint_at_a_run_of_this_repository_which_binds_what_that_made(loom: Loom, clocks: Clocks) -> None:
    mine, theirs = started(loom, ANA).id, started(loom, CHEN, Checkout(identity="elsewhere")).id
    runs = (mine, mine, theirs, "run_NONE", "'; --")
    changes = [commit(at, "a.py", at_ms=clocks.wall_ms, hint=run) for at, run in enumerate(runs, start=1)]
    keep_imprint(loom.store, REPO, mine, [work_of(changes[0])])
    fill(loom, *changes)
    found = [stored(loom, "a.py")[change.sha] for change in changes]

    assert [(one.run, one.hints) for one in found] == [(mine, (mine,)), ("", (mine,)), ("", ()), ("", ()), ("", ())]


@pytest.mark.parametrize(("made_at_ms", "known_ms"), [((7, 5, 9), 5), ((7, 0, 9), 7), ((0, 9), 9), ((0,), 0)])
def test_the_first_of_what_a_run_made_is_known_where_anybody_told_when(
    loom: Loom, made_at_ms: tuple[int, ...], known_ms: int
) -> None:
    mine = started(loom, ANA).id
    for number, at_ms in enumerate(made_at_ms, start=1):
        keep_imprint(loom.store, REPO, mine, [work_of(commit(number, "a.py", at_ms=at_ms))])
    with loom.store.read() as tx:
        found = tx.all(MADE_AT, run_id=mine)

    assert found == [{"made_at_ms": known_ms}]


def test_what_is_of_another_meaning_is_read_again(loom: Loom, clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    change = commit(1, "a.py", at_ms=clocks.wall_ms)
    fill(loom, change)
    for module in (ledger, slices):
        monkeypatch.setattr(module, "MEANING", MEANING + 1)
    newer = replace(change, files=commit(2, "a.py", at_ms=1).files)
    again = fill(loom, newer), fill(loom, newer)

    assert again == (1, 0)
    assert stored(loom, "a.py")[change.sha].files == newer.files
