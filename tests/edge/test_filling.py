"""The conversation by which a ledger is filled: killed between steps, led by two at once, and told what is not so."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.changes.landings import BATCH_ROWS_MAX, landed_parts
from loomstack_mcp.core.changes.works import RunWork, work_of
from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.edge.filling import fill_ledger
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.factories import ANA, BEA, SHOP
from tests.services.support import claimed, recorded, started
from tests.services.test_ledger import commit, fill, stored, warned


class Killed(BaseException):
    """The process is gone."""


class DyingLedger:
    """A ledger whose filler is killed before some call to it."""

    def __init__(self, ledger: Any, *, calls: int) -> None:
        self._ledger, self._left = ledger, calls

    def __getattr__(self, name: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return getattr(self._ledger, name)


@pytest.fixture
def changes(clocks: Clocks) -> list[Change]:
    """Many small commits, around one of more files than a batch has rows."""
    small = [commit(256 + at, f"src/f{at:03}.py", at_ms=clocks.wall_ms + at) for at in range(1, 121)]
    large = commit(500, *(f"src/f{at:03}.py" for at in range(2 * BATCH_ROWS_MAX)), at_ms=clocks.wall_ms + 60)
    return [*small[:60], large, *small[60:]]


def read_of(changes: Sequence[Change]) -> Any:
    known = {change.sha: change for change in changes}

    def read(shas: Sequence[str]) -> Iterator[Change]:
        return (known[sha] for sha in shas)

    return read


def test_whoever_is_killed_between_batches_leaves_what_the_next_goes_on_with(loom: Loom, changes: list[Change]) -> None:
    left = []
    for calls in range(5):
        dying: Any = DyingLedger(loom.ledger, calls=calls)
        with pytest.raises(Killed):
            fill_ledger(dying, SHOP, changes, since_ms=0, read=read_of(changes))
        left.append(len(loom.ledger.lacking(SHOP, [one.sha for one in changes], since_ms=0, is_trunk=True)))
    before = set(stored(loom, "src/f499.py"))
    came = fill(loom, *changes)

    assert left == [121, 121, 71, 61, 11]
    assert (came, before) == (11, {changes[60].sha})
    assert len(stored(loom, *(f"src/f{at:03}.py" for at in range(500)))[changes[60].sha].files) == 500


def test_two_fill_at_once_and_one_of_them_is_killed(loom: Loom, changes: list[Change]) -> None:
    barrier = threading.Barrier(3)
    killed = []

    def work(calls: int) -> None:
        barrier.wait()
        ledger: Any = DyingLedger(loom.ledger, calls=calls)
        try:
            fill_ledger(ledger, SHOP, changes, since_ms=0, read=read_of(changes))
        except Killed:
            killed.append(calls)

    threads = [threading.Thread(target=work, args=(calls,)) for calls in (3, 1000, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = stored(loom, *(file.path for file in changes[60].files))

    assert killed == [3]
    assert {sha: len(change.files) for sha, change in found.items()} == {one.sha: len(one.files) for one in changes}
    assert fill(loom, *changes) == 0


def test_a_batch_that_a_transaction_should_not_take_is_refused(loom: Loom, changes: list[Change]) -> None:
    loom.ledger.lacking(SHOP, [], since_ms=0, is_trunk=True)
    large = list(landed_parts(changes[60], at_ms=1))
    many = [part for change in changes[:51] for part in landed_parts(change, at_ms=1)]

    for batch in (large, many):
        with pytest.raises(LimitExceeded, match="it must be from 0 to"):
            loom.ledger.take_in(SHOP, batch, is_trunk=True)
    assert stored(loom, "src/f001.py") == {}


def test_who_is_bound_while_a_large_commit_comes_is_known_by_its_end(loom: Loom, changes: list[Change]) -> None:
    run = started(loom, ANA)
    claimed(loom, ANA, "src/")
    first, *rest = landed_parts(changes[60], at_ms=changes[60].at_ms)
    loom.ledger.take_in(SHOP, [first], is_trunk=True)
    recorded(loom, ANA, status="done", commits=[changes[60].sha])
    for part in rest:
        loom.ledger.take_in(SHOP, [part], is_trunk=True)
    started(loom, BEA)

    assert stored(loom, "src/f001.py")[changes[60].sha].run == run.id
    assert warned(loom, BEA, "src/f001.py") == warned(loom, BEA, "src/f499.py") == [changes[60].sha]


def made(number: int, clocks: Clocks, *, hint: str = "") -> Change:
    """A commit that says enough to be known again."""
    lines = tuple((number << 12 | at << 6 | 40) for at in range(1, 9))
    hunk = Hunk(before=1, before_lines=0, after=1, after_lines=8, added=lines)
    file = FileChange(path=f"{number}.py", old_path=f"{number}.py", before="0", after="2", hunks=(hunk,))
    return replace(commit(number, at_ms=clocks.wall_ms, hint=hint), files=(file,))


def told(run_id: str, how: str, *works: Change) -> RunWork:
    given: dict[str, Any] = {how: tuple(map(work_of, works))}
    return RunWork(run_id=run_id, **given)


def makers(loom: Loom, *changes: Change) -> list[str]:
    """Whose these are, once they have landed under other ids and without a word of whose."""
    fill(loom, *(replace(one, sha=one.sha.replace("0", "9"), hints=()) for one in changes))
    return [stored(loom, one.files[0].path)[one.sha.replace("0", "9")].run for one in changes]


@pytest.mark.parametrize("how", ["commits", "branches", "signed"])
def test_what_is_told_as_a_run_s_is_not_its_for_that(loom: Loom, clocks: Clocks, how: str) -> None:
    """Neither a commit that another recorded, nor one whose trailer names another."""
    mine, theirs = started(loom, ANA).id, started(loom, BEA).id
    taken, signed = made(1, clocks, hint=mine), made(2, clocks, hint=theirs)
    recorded(loom, BEA, commits=[taken.sha])
    loom.ledger.keep_work(SHOP, told(mine, how, taken))
    loom.ledger.keep_work(SHOP, told(mine, how, signed))
    loom.ledger.keep_work(SHOP, told("run_NONE", how, signed))

    assert makers(loom, taken, signed) == ["", ""]


def test_what_a_run_recorded_its_branch_and_what_it_signed_is_its(loom: Loom, clocks: Clocks) -> None:
    run = started(loom, ANA).id
    named, branch, signed = made(1, clocks), made(2, clocks), made(3, clocks, hint=run)
    recorded(loom, ANA, commits=[named.sha[:9]])
    [wanted] = loom.ledger.wanted_work(SHOP)
    for how, one in (("commits", named), ("branches", branch), ("signed", signed)):
        loom.ledger.keep_work(SHOP, told(wanted.run_id, how, one))

    assert wanted.commits == (named.sha[:9],)
    assert loom.ledger.wanted_work(SHOP) == ()
    assert makers(loom, named, branch, signed) == [run] * 3
