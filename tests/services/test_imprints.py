"""Imprints in the store: hints that bind nothing alone, and rows whose numbers meant something else."""

from dataclasses import replace

import pytest

from loomstack_mcp.core.changes.meaning import MEANING
from loomstack_mcp.core.changes.works import work_of
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import ledger, slices
from loomstack_mcp.services.imprints import keep_imprint
from tests.conftest import Clocks
from tests.factories import ANA, REPO
from tests.services.support import CHEN, started
from tests.services.test_ledger import commit, fill, stored


def test_a_trailer_is_a_hint_at_a_run_of_this_repository_which_binds_what_that_made(loom: Loom, clocks: Clocks) -> None:
    mine, theirs = started(loom, ANA).id, started(loom, CHEN, Checkout(identity="elsewhere")).id
    runs = (mine, mine, theirs, "run_NONE", "'; --")
    changes = [commit(at, "a.py", at_ms=clocks.wall_ms, hint=run) for at, run in enumerate(runs, start=1)]
    keep_imprint(loom.store, REPO, mine, [work_of(changes[0])])
    fill(loom, *changes)
    found = [stored(loom, "a.py")[change.sha] for change in changes]

    assert [(one.run, one.hints) for one in found] == [(mine, (mine,)), ("", (mine,)), ("", ()), ("", ()), ("", ())]


def test_what_is_of_another_meaning_is_read_again(loom: Loom, clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    change = commit(1, "a.py", at_ms=clocks.wall_ms)
    fill(loom, change)
    for module in (ledger, slices):
        monkeypatch.setattr(module, "MEANING", MEANING + 1)
    newer = replace(change, files=commit(2, "a.py", at_ms=1).files)
    again = fill(loom, newer), fill(loom, newer)

    assert again == (1, 0)
    assert stored(loom, "a.py")[change.sha].files == newer.files
