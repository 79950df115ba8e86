"""Whose a commit is, although machines' clocks differ."""

import pytest

from loomstack_mcp.core.outcomes import MadeCommit, SeenCommits
from loomstack_mcp.loom import Loom
from tests.conftest import MINUTE_MS, Clocks
from tests.factories import ANA
from tests.services.support import recorded, started
from tests.services.test_ledger import commit, fill, stored


@pytest.mark.parametrize(("minutes_before", "is_its"), [(10, True), (11, False)])
def test_a_run_made_no_commit_that_is_older_than_it_but_for_what_clocks_differ(
    loom: Loom, clocks: Clocks, minutes_before: int, is_its: bool
) -> None:
    run = started(loom, ANA)
    change = commit(1, "a.py", at_ms=clocks.wall_ms - minutes_before * MINUTE_MS)
    recorded(loom, ANA, commits=[change.sha])
    fill(loom, change)

    assert stored(loom, "a.py")[change.sha].run == (run.id if is_its else "")


@pytest.mark.parametrize("is_landed", [True, False])
def test_what_was_seen_to_be_made_by_a_run_is_its_whatever_that_machine_s_clock_said(
    loom: Loom, clocks: Clocks, is_landed: bool
) -> None:
    run = started(loom, ANA)
    change = commit(1, "a.py", at_ms=clocks.wall_ms - 120 * MINUTE_MS)  # by a clock two hours behind the store's
    made = MadeCommit(sha=change.sha, age_ms=0, by="ana", is_ours=True)
    seen = SeenCommits(repo_id=run.repo_id, made={change.sha: made}, problems={})
    if is_landed:
        fill(loom, change)
    recorded(loom, ANA, commits=[change.sha], seen=seen)
    fill(loom, change)

    assert stored(loom, "a.py")[change.sha].run == run.id
