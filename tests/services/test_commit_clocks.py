"""Whose a commit is, although machines' clocks differ."""

import time
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.named_commits import seen_commits
from loomstack_mcp.core.outcomes import MadeCommit, SeenCommits
from loomstack_mcp.loom import Loom
from loomstack_mcp.store.base import Statement
from tests.adapters.git.support import commit as committed
from tests.conftest import MINUTE_MS, Clocks, commit_all, git
from tests.edge.support import here
from tests.factories import ANA, SHOP
from tests.services.support import claimed, recorded, started
from tests.services.test_ledger import commit, fill, stored

BOUND = Statement("test.bound", "SELECT sha, made_at_ms FROM binding WHERE run_id = :run_id")


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


PRICES = {name: "".join(f"{name}_{at} = gross({at})\n" for at in range(9)) for name in ("dear", "cheap")}


@pytest.mark.parametrize(("told", "hours_behind"), [("outcome", 2), ("outcome", -2), ("hook", 2), ("trailer", 2)])
def test_a_squash_is_its_run_s_whatever_that_machine_s_clock_said(
    loom: Loom, clocks: Clocks, shop: Path, tmp_path: Path, told: str, hours_behind: int
) -> None:
    """Ana's machine is behind the store, or ahead of it; whoever takes her squash back is told of it."""
    git(shop, "config", "user.name", "test")
    git(shop, "config", "user.email", "test@localhost")
    clocks.wall_ms = round(time.time() * 1000) + hours_behind * 60 * MINUTE_MS
    found = here(shop, tmp_path / "home")
    checkout = found.checkout()
    committed(shop, {f"src/{name}.py": text for name, text in PRICES.items()})
    git(shop, "checkout", "--quiet", "-b", "net")
    run = started(loom, ANA, checkout)
    claimed(loom, ANA, "src/", intent="net prices")
    for name, text in PRICES.items():
        (shop / f"src/{name}.py").write_text(text.replace("gross", "net"))
        commit_all(shop, f"Net\n\nLoom-Run: {run.id}" if told == "trailer" else "Net")
    tip = git(shop, "rev-parse", "HEAD")
    clocks.wall_ms = round(time.time() * 1000) + hours_behind * 60 * MINUTE_MS
    with found.repository() as repo:
        if told == "outcome":
            recorded(loom, ANA, status="done", commits=[tip], seen=seen_commits(repo, run.repo_id, [tip]))
        if told == "hook":
            loom.commits.bind_commit(ANA, checkout, tip, named=[], paths=["src/cheap.py"])
        found.imprint(repo, loom.ledger, checkout)
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "--squash", "net")
    commit_all(shop, f"Net prices (#7)\n\n* Loom-Run: {run.id}" if told == "trailer" else "Net prices (#7)")
    git(shop, "checkout", "--quiet", "-b", "undo")
    committed(shop, {f"src/{name}.py": text for name, text in PRICES.items()})
    with found.repository() as repo:
        result = loom.conflicts.check(checkout, found.landing(repo, loom.ledger, checkout).proposal())

    [undo] = result.conflicts
    assert (result.verdict, undo.with_run, undo.intent) == ("stop", run.id, "net prices")


def test_however_many_commits_were_rewritten_each_is_its_run_s_made_now(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA)
    old, rewritten = "a" * 40, [f"{number:040x}" for number in range(1_201)]
    loom.commits.bind_commit(ANA, SHOP, old, named=[run.id], paths=[])
    clocks.pass_minutes(1)
    loom.commits.rebind_commits(SHOP, [(old, new) for new in rewritten])
    with loom.store.read() as tx:
        found = {row["sha"]: row["made_at_ms"] for row in tx.all(BOUND, run_id=run.id)}

    assert found == {old: clocks.wall_ms - MINUTE_MS, **dict.fromkeys(rewritten, clocks.wall_ms)}
