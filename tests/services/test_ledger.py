"""The ledger: filled by anybody, each commit once; and whose a commit is, whenever the run says so."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.outcomes import CheckCounts
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.filling import fill_ledger
from loomstack_mcp.loom import Loom
from loomstack_mcp.services import landed, slices
from loomstack_mcp.services.ledger import LedgerService
from loomstack_mcp.services.outcomes import OutcomeService
from loomstack_mcp.store.base import Statement, Store, Tx
from tests.conftest import Clocks
from tests.factories import ANA, BEA, REPO, SHOP
from tests.services.support import claimed, recorded, started

OTHER_CLONE = replace(SHOP, clone="clone:2")


def commit(number: int, *paths: str, at_ms: int, hint: str = "") -> Change:
    hunk = Hunk(before=1, before_lines=1, after=1, after_lines=1, removed=(number << 8,), added=(number << 8 | 1,))
    files = tuple(FileChange(path=path, old_path=path, before="1", after="2", hunks=(hunk,)) for path in paths)
    sha = f"{number:x}".ljust(40, "0")
    return Change(
        sha=sha, author="ana", at_ms=at_ms, message=f"change {number}", files=files, hints=(hint,) if hint else ()
    )


def fill(loom: Loom, *changes: Change, checkout: Checkout = SHOP, since_ms: int = 0, is_trunk: bool = True) -> int:
    known = {change.sha: change for change in changes}

    def read(shas: Sequence[str]) -> list[Change]:
        return [known[sha] for sha in shas]

    return fill_ledger(loom.ledger, checkout, changes, since_ms=since_ms, is_trunk=is_trunk, read=read)


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


def test_a_file_is_followed_through_its_names(loom: Loom) -> None:
    changes = [
        replace(change, files=tuple(replace(file, old_path=old) for file in change.files))
        for change, old in ((commit(1, "b.py", at_ms=1), "a.py"), (commit(2, "c.py", at_ms=2), "b.py"))
    ]
    fill(loom, *changes, commit(3, "d.py", at_ms=3))

    assert all(set(stored(loom, name)) == {changes[0].sha, changes[1].sha} for name in ("a.py", "b.py", "c.py"))


def test_each_store_has_one_key_of_its_own(loom: Loom) -> None:
    assert loom.ledger.key(SHOP) == loom.ledger.key(SHOP)
    assert len(loom.ledger.key(SHOP)) == 32


MANY = 3 * slices.ROWS_MAX + 7
TOTAL = Statement(
    "test.total",
    "SELECT total_changes() AS rows",
    postgres="SELECT CAST(SUM(n_tup_ins + n_tup_upd + n_tup_del) AS BIGINT) AS rows FROM pg_stat_xact_user_tables",
)


class Watched:
    """A store that counts the rows of each write transaction, and lets the process die before one of them."""

    def __init__(self, store: Store, *, dies_before: int = -1) -> None:
        self._store, self._dies_before = store, dies_before
        self.rows: list[int] = []

    @contextmanager
    def append(self) -> Iterator[Tx]:
        if len(self.rows) == self._dies_before:
            raise KeyboardInterrupt
        with self._store.append() as tx:
            before = tx.all(TOTAL)[0]["rows"]
            yield tx
            self.rows.append(tx.all(TOTAL)[0]["rows"] - before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def watched(loom: Loom, *changes: Change, dies_before: int = -1, since_ms: int = 0) -> list[int]:
    """The rows that each transaction of a fill wrote, until it ended or died."""
    store = Watched(loom.store, dies_before=dies_before)
    with contextlib.suppress(KeyboardInterrupt):
        fill_ledger(LedgerService(store), SHOP, changes, since_ms=since_ms, read=lambda _: changes)
    return store.rows


@pytest.fixture
def many(loom: Loom, clocks: Clocks) -> Change:
    """A commit of very many files, made by a run that had claimed them."""
    started(loom, ANA)
    claimed(loom, ANA, "src/", intent="rename all")
    change = commit(9, *(f"src/f{at:04}.py" for at in range(MANY)), at_ms=clocks.wall_ms)
    recorded(loom, ANA, status="done", commits=[change.sha])
    started(loom, BEA)
    return change


def files_of(loom: Loom, change: Change) -> int:
    found = stored(loom, *(file.path for file in change.files)).get(change.sha)
    return len(found.files) if found else 0


def test_a_commit_of_many_files_is_written_in_slices(loom: Loom, many: Change) -> None:
    rows = watched(loom, many, commit(1, "a.py", at_ms=2))

    assert max(rows) <= slices.ROWS_MAX
    assert sum(rows) > 2 * MANY  # its files, and where they lie
    assert files_of(loom, many) == MANY
    assert warned(loom, BEA, f"src/f{MANY - 1:04}.py") == [many.sha]


def test_a_commit_is_not_known_before_the_last_of_its_files_and_then_its_filling_goes_on(
    loom: Loom, many: Change
) -> None:
    known = []
    for dies_before in range(12):
        watched(loom, many, dies_before=dies_before)
        known.append((files_of(loom, many), *warned(loom, BEA, "src/f0000.py")))

    assert set(known) == {(0,), (MANY, many.sha)}
    assert known == sorted(known, key=len)
    assert known[9] == (0,)


def test_two_who_fill_at_once_leave_one_whole_commit(loom: Loom, many: Change) -> None:
    barrier = threading.Barrier(3)

    def work() -> None:
        barrier.wait()
        watched(loom, many)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert files_of(loom, many) == MANY
    assert warned(loom, BEA, "src/f0000.py") == [many.sha]
    assert fill(loom, many) == 0


def test_many_files_leave_the_window_in_slices_and_are_not_known_from_the_first_on(
    loom: Loom, clocks: Clocks, many: Change
) -> None:
    fill(loom, many)
    late = commit(2, "a.py", at_ms=clocks.wall_ms + 2)
    watched(loom, late, dies_before=3, since_ms=clocks.wall_ms + 1)
    half = files_of(loom, many), warned(loom, BEA, "src/f0000.py")
    rows = watched(loom, replace(late, sha="2" * 40), since_ms=clocks.wall_ms + 1)
    with loom.store.read() as tx:
        left = tx.all(Statement("test.left", "SELECT COUNT(*) AS files FROM landed_file"))[0]["files"]

    assert half == (0, [])
    assert max(rows) <= slices.ROWS_MAX
    assert left == 2


def test_a_run_that_says_late_what_large_commit_it_made_holds_nobody_up(loom: Loom, clocks: Clocks) -> None:
    started(loom, ANA)
    claimed(loom, ANA, "src/", intent="rename all")
    change = commit(9, *(f"src/f{at:04}.py" for at in range(MANY)), at_ms=clocks.wall_ms)
    fill(loom, change)
    started(loom, BEA)
    store = Watched(loom.store)
    OutcomeService(store, rework_max=3).record(
        ANA, "", status="done", summary="renamed", role="maker", checks=CheckCounts(), commits=[change.sha]
    )

    assert sum(store.rows) == MANY  # each in a slice
    assert max(store.rows) <= slices.ROWS_MAX
    assert warned(loom, BEA, f"src/f{MANY - 1:04}.py") == [change.sha]
