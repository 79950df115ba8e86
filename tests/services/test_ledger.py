"""The ledger: filled by anybody, each commit once; and whose a commit is, whenever the run says so."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import landed
from tests.conftest import MINUTE_MS, Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import CHEN, claimed, recorded, started

OTHER_CLONE = replace(SHOP, clone="clone:2")


def commit(number: int, *paths: str, at_ms: int, run: str = "") -> Change:
    hunk = Hunk(before=1, before_lines=1, after=1, after_lines=1, removed=(number << 8,), added=(number << 8 | 1,))
    files = tuple(FileChange(path=path, old_path=path, before="1", after="2", hunks=(hunk,)) for path in paths)
    sha = f"{number:x}".ljust(40, "0")
    return Change(sha=sha, author="ana", at_ms=at_ms, message=f"change {number}", files=files, run=run)


def fill(loom: Loom, *changes: Change, checkout: Checkout = SHOP, since_ms: int = 0, is_trunk: bool = True) -> int:
    known = {change.sha: change for change in changes}

    def read(shas: Sequence[str]) -> list[Change]:
        return [known[sha] for sha in shas]

    return loom.ledger.fill(checkout, changes, since_ms=since_ms, is_trunk=is_trunk, read=read)


def stored(loom: Loom, *paths: str) -> dict[str, Change]:
    with loom.store.read() as tx:
        return landed.at_paths(tx, REPO, paths)


def warned(loom: Loom, caller: Caller, *patterns: str) -> list[str]:
    return [warning.commit for warning in claimed(loom, caller, *patterns).warnings]


def test_two_clones_fill_one_ledger_and_each_reads_what_the_other_has_not(loom: Loom) -> None:
    changes = [commit(at, "a.py", at_ms=at) for at in range(1, 8)]

    assert fill(loom, *changes[:5]) == 5
    assert fill(loom, *changes[3:], checkout=OTHER_CLONE) == 2
    assert fill(loom, *changes) == 0
    assert set(stored(loom, "a.py")) == {change.sha for change in changes}


def test_forks_with_the_same_commits_remember_and_forget_apart(loom: Loom) -> None:
    fork = Checkout(identity="github.com/fork/shop", clone="clone:fork")
    old, new = commit(1, "a.py", at_ms=10), commit(2, "a.py", at_ms=20)
    fill(loom, old)
    fill(loom, old, checkout=fork)
    fill(loom, old, new, checkout=fork, since_ms=15)

    assert set(stored(loom, "a.py")) == {old.sha}
    assert fill(loom, old, checkout=fork) == 1


def test_the_window_begins_at_its_first_instant(loom: Loom) -> None:
    changes = [commit(at, "a.py", at_ms=at) for at in (9, 10, 11)]
    fill(loom, *changes, since_ms=10)

    assert set(stored(loom, "a.py")) == {change.sha for change in changes[1:]}


def test_what_was_stored_is_what_was_read(loom: Loom) -> None:
    change = commit(1, "a\nb.py", "ß.py", at_ms=1 << 40)
    fill(loom, change)

    assert stored(loom, "ß.py")[change.sha].files == change.files[1:]
    assert stored(loom, "ß.py")[change.sha].at_ms == change.at_ms


def test_names_that_are_no_utf8_are_kept_as_spelled_out(loom: Loom) -> None:
    fill(loom, commit(1, "b\udcff.py", at_ms=1))

    assert [file.path for file in stored(loom, "b\\xff.py")["1".ljust(40, "0")].files] == ["b\\xff.py"]


@pytest.mark.parametrize("is_bound_first", [True, False])
@pytest.mark.parametrize("digits", [7, 12, 40])
def test_a_commit_is_its_runs_whether_it_was_recorded_before_or_after_it_landed(
    loom: Loom, clocks: Clocks, digits: int, is_bound_first: bool
) -> None:
    run = started(loom, ANA)
    claimed(loom, ANA, "src/", intent="net prices")
    change = commit(7, "src/a.py", at_ms=clocks.wall_ms)
    steps: list[Callable[[], object]] = [
        lambda: recorded(loom, ANA, status="done", commits=[change.sha[:digits]]),
        lambda: fill(loom, change),
    ]
    for step in steps if is_bound_first else reversed(steps):
        step()
    started(loom, BEA)
    [warning] = claimed(loom, BEA, "src/a.py").warnings

    assert stored(loom, "src/a.py")[change.sha].run == run.id
    assert (warning.commit, warning.text, warning.who) == (change.sha, "net prices", "loop@ana")


def test_only_what_a_run_had_claimed_was_changed_on_purpose(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA)
    claimed(loom, ANA, "src/a.py")
    change = commit(1, "src/a.py", "src/b.py", at_ms=clocks.wall_ms)
    recorded(loom, ANA, status="done", commits=[change.sha])
    fill(loom, change)
    started(loom, BEA)

    assert warned(loom, BEA, "src/b.py") == []
    assert warned(loom, BEA, "src/") == [change.sha]


def test_what_left_the_window_warns_nobody(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA)
    claimed(loom, ANA, "src/")
    old = commit(1, "src/a.py", at_ms=clocks.wall_ms)
    recorded(loom, ANA, status="done", commits=[old.sha])
    fill(loom, old)
    fill(loom, commit(2, "docs/a.md", at_ms=clocks.wall_ms + 2), since_ms=clocks.wall_ms + 1)
    started(loom, BEA)

    assert warned(loom, BEA, "src/a.py") == []


def test_what_landed_elsewhere_than_on_the_trunk_warns_nobody(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA)
    claimed(loom, ANA, "src/")
    change = commit(1, "src/a.py", at_ms=clocks.wall_ms)
    recorded(loom, ANA, status="done", commits=[change.sha])
    fill(loom, change, is_trunk=False)
    started(loom, BEA)

    assert warned(loom, BEA, "src/a.py") == []


@pytest.mark.parametrize("is_bound_first", [True, False])
def test_what_was_met_elsewhere_first_warns_once_it_is_on_the_trunk(
    loom: Loom, clocks: Clocks, is_bound_first: bool
) -> None:
    started(loom, ANA)
    claimed(loom, ANA, "src/")
    change = commit(1, "src/a.py", at_ms=clocks.wall_ms)
    steps: list[Callable[[], object]] = [
        lambda: recorded(loom, ANA, status="done", commits=[change.sha]),
        lambda: fill(loom, change, is_trunk=False),
    ]
    for step in steps if is_bound_first else reversed(steps):
        step()
    started(loom, BEA)
    before = warned(loom, BEA, "src/a.py")
    fill(loom, change)

    assert (before, warned(loom, BEA, "src/")) == ([], [change.sha])


def test_a_commit_is_its_first_loop_s(loom: Loom, clocks: Clocks) -> None:
    first = started(loom, ANA)
    change = commit(1, "a.py", at_ms=clocks.wall_ms)
    recorded(loom, ANA, commits=[change.sha])
    started(loom, BEA)
    taken = recorded(loom, BEA, commits=[change.sha])
    fill(loom, change)

    assert taken.warnings == (
        f"{change.sha[:12]} is {first.id}'s (loop@ana): kept, but not bound to {taken.outcome.run_id}",
    )
    assert stored(loom, "a.py")[change.sha].run == first.id


@pytest.mark.parametrize(("minutes_before", "is_its"), [(10, True), (11, False)])
def test_a_run_made_no_commit_that_is_older_than_it_but_for_what_clocks_differ(
    loom: Loom, clocks: Clocks, minutes_before: int, is_its: bool
) -> None:
    run = started(loom, ANA)
    change = commit(1, "a.py", at_ms=clocks.wall_ms - minutes_before * MINUTE_MS)
    recorded(loom, ANA, commits=[change.sha])
    fill(loom, change)

    assert stored(loom, "a.py")[change.sha].run == (run.id if is_its else "")


def test_a_trailer_names_the_run_where_it_runs_in_this_repository(loom: Loom, clocks: Clocks) -> None:
    mine, theirs = started(loom, ANA).id, started(loom, CHEN, Checkout(identity="elsewhere")).id
    runs = (mine, theirs, "run_NONE", "'; --")
    changes = [commit(at, "a.py", at_ms=clocks.wall_ms, run=run) for at, run in enumerate(runs, start=1)]
    fill(loom, *changes)

    assert [stored(loom, "a.py")[change.sha].run for change in changes] == [mine, "", "", ""]


def test_a_file_is_followed_through_its_names(loom: Loom) -> None:
    changes = [
        replace(change, files=tuple(replace(file, old_path=old) for file in change.files))
        for change, old in ((commit(1, "b.py", at_ms=1), "a.py"), (commit(2, "c.py", at_ms=2), "b.py"))
    ]
    fill(loom, *changes, commit(3, "d.py", at_ms=3))

    assert all(set(stored(loom, name)) == {changes[0].sha, changes[1].sha} for name in ("a.py", "b.py", "c.py"))


def test_each_store_has_one_key_of_its_own(loom: Loom) -> None:
    assert loom.ledger.key() == loom.ledger.key()
    assert len(loom.ledger.key()) == 32
