"""The ledger in the store: it answers as the whole history does, once filled, whatever was rewritten meanwhile."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.git import diffs
from loomstack_mcp.adapters.git.diffs import Unread
from loomstack_mcp.adapters.git.history import commits
from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.changes.conflicts import Proposal
from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.reversals import Reversals
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import reversal
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.overviews import past_conflict_shown
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.edge.filling import fill_ledger
from loomstack_mcp.loom import Loom
from tests.conftest import Clocks
from tests.databases import stored_text
from tests.deltas import opened_repository
from tests.eval import alike, undone
from tests.eval.history import History, written
from tests.factories import ANA, BEA, SHOP


def played(seed: int, folder: Path) -> list[Change]:
    """The changes of a made history with all kinds of undoing in it, and of what only looks so."""
    history = History(random.Random(seed))
    history.start()
    for scene in (undone.old_copy, undone.over_commits, undone.after_rename, undone.ours_merge, alike.moved_to_file,
                  undone.partial, alike.renamed_variable, undone.ping_pong):  # fmt: skip
        if "shop/tax.py" not in history.files:
            history.files["shop/tax.py"] = [history.block("shop/tax.py") for _ in range(10)]
        scene(history)
        history.noise(1)
    shas = set(written(history, folder).values())
    with opened_repository(folder) as repo:
        listed = [commit for commit in commits(repo, "main") if commit.sha in shas]
        return list(diffs.changes(repo, listed, Unread(), lines=Lines(b"key")))


def fill(loom: Loom, changes: Sequence[Change], *, since_ms: int = 0) -> int:
    known = {change.sha: change for change in changes}
    return fill_ledger(loom.ledger, SHOP, changes, since_ms=since_ms, read=lambda shas: (known[sha] for sha in shas))


def bare(change: Change) -> Change:
    return Change(sha=change.sha, parents=change.parents, at_ms=change.at_ms)


def _lost(change: Change, whole: Reversals) -> list[Undone]:
    """What it takes back of others, but for what only puts back the author's own."""
    undone = whole.land(change)
    found = reversal(change, undone, agreed=lambda one: one.same_author, intended=lambda _: False) if undone else None
    return list(found.silent) if found and found.verdict != "clear" else []


@pytest.mark.parametrize("seed", range(4))
def test_the_store_finds_what_the_whole_history_finds(loom: Loom, tmp_path: Path, seed: int) -> None:
    changes = played(seed, tmp_path / "made")
    fill(loom, changes)
    whole = Reversals(ignored=lambda _: False)
    found, expected = [], []
    for number, change in enumerate(changes):
        expected += [(change.sha, one.change.sha) for one in _lost(change, whole)]
        proposal = Proposal(changes=(change,), history=tuple(map(bare, changes[:number])), target="main")
        found += [(change.sha, one.sha) for one in loom.conflicts.check(SHOP, proposal).conflicts]

    assert len(expected) > 5
    assert sorted(found) == sorted(expected)


def test_each_commit_is_read_once(loom: Loom, tmp_path: Path) -> None:
    changes = played(1, tmp_path / "made")

    assert (fill(loom, changes[:10]), fill(loom, changes), fill(loom, changes)) == (10, len(changes) - 10, 0)


def test_a_reader_that_fails_keeps_what_came_before(loom: Loom, tmp_path: Path) -> None:
    changes = played(2, tmp_path / "made")

    def broken(shas: Sequence[str]) -> Iterator[Change]:
        yield from changes[:100]
        raise OSError

    many = [*changes[:100]]
    with pytest.raises(OSError):
        fill_ledger(loom.ledger, SHOP, changes, since_ms=0, read=broken)

    assert fill(loom, many) == (0 if len(changes) > 100 else len(many))


def test_what_left_the_window_is_forgotten(loom: Loom, tmp_path: Path) -> None:
    changes = played(1, tmp_path / "made")
    fill(loom, changes[:-1])
    start = changes[20].at_ms
    fill(loom, changes[-1:], since_ms=start)

    assert fill(loom, changes) == 20


def test_titles_with_secrets_are_not_kept(loom: Loom) -> None:
    secret = "ghp_" + "a" * 36
    fill(loom, [Change(sha="a" * 40, author="bea", at_ms=1, message=f"use {secret}")])

    stored = stored_text(loom.store)

    assert "a" * 40 in stored
    assert secret not in stored


def test_a_run_that_ends_leaves_no_open_conflict(loom: Loom, tmp_path: Path) -> None:
    changes = played(1, tmp_path / "made")
    fill(loom, changes)
    run = loom.runs.start(BEA, SHOP, loop="loop", goal="goal", budget_tokens=100).run
    whole = Reversals(ignored=lambda _: False)
    [number, *_] = [number for number, change in enumerate(changes) if whole.land(change)]
    proposal = Proposal(changes=(changes[number],), history=tuple(map(bare, changes[:number])), target="main")
    found = loom.conflicts.check_run(BEA, "", proposal).conflicts
    opened = loom.conflicts.open(run.repo_id, limit=10)[0]
    finish(loom)

    assert [one.id for one in opened] == [one.id for one in reversed(found)]
    assert loom.conflicts.open(run.repo_id, limit=10)[0] == ()


def finish(loom: Loom) -> None:
    from loomstack_mcp.core.outcomes import CheckCounts

    loom.outcomes.record(
        BEA, "", status="abandoned", summary="no", role="maker", checks=CheckCounts(passed=0, failed=0)
    )


def by_run(loom: Loom, changes: Sequence[Change], number: int, *, caller: Caller = BEA) -> tuple[Conflict, ...]:
    """What stands against one of the changes, as the caller's run is told."""
    proposal = Proposal(changes=(changes[number],), history=tuple(map(bare, changes[:number])), target="main")
    return loom.conflicts.check_run(caller, "", proposal).conflicts


def test_a_stop_is_not_hidden_by_newer_warnings(loom: Loom, tmp_path: Path) -> None:
    changes = played(1, tmp_path / "made")
    fill(loom, changes)
    for caller in (ANA, BEA):
        run = loom.runs.start(caller, SHOP, loop="loop", goal="goal", budget_tokens=100).run
    verdicts = {number: {one.verdict for one in by_run(loom, changes, number)} for number in range(len(changes))}
    stops, warns = (next(at for at in verdicts if verdicts[at] == {wanted}) for wanted in ("stop", "warn"))
    stopped = by_run(loom, changes, stops, caller=ANA)
    by_run(loom, changes, warns)

    assert loom.conflicts.open(run.repo_id, limit=1)[0][0].verdict == "warn"
    assert [one.id for one in loom.conflicts.open(run.repo_id, limit=1, verdict="stop")[0]] == [stopped[-1].id]


def test_a_conflict_is_opened_once_settled_when_it_is_gone_and_opened_anew(
    loom: Loom, clocks: Clocks, tmp_path: Path
) -> None:
    changes = played(1, tmp_path / "made")
    fill(loom, changes)
    run = loom.runs.start(BEA, SHOP, loop="loop", goal="goal", budget_tokens=100).run
    whole = Reversals(ignored=lambda _: False)
    found_by_all = [number for number, change in enumerate(changes) if whole.land(change)]
    number = next(number for number in found_by_all if by_run(loom, changes, number))
    by_run(loom, changes, 0)
    first = by_run(loom, changes, number)
    clocks.pass_minutes(1)
    again = by_run(loom, changes, number)
    by_run(loom, changes, 0)
    settled = loom.conflicts.open(run.repo_id, limit=99)[0]
    anew = by_run(loom, changes, number)
    events = [event.kind for event in loom.events.since(run.repo_id, since=first[0].seq - 1, limit=99)[0]]

    assert first
    assert again == first
    assert {one.found_at_ms for one in first} == {run.started_at_ms}
    assert settled == ()
    assert [one.sha for one in anew] == [one.sha for one in first]
    assert not {one.id for one in anew} & {one.id for one in first}
    stops = {one.id for one in anew if one.verdict == "stop"}
    assert {notice.about for notice in iter(loom.notices.take, None)} == stops  # and none of those that were settled
    assert stops
    assert events == [
        kind for kind in ("conflict.found", "conflict.ended", "conflict.found") for _ in range(len(first))
    ]


def test_both_sides_are_kept_by_hash_and_place_as_they_are_found_last(loom: Loom, tmp_path: Path) -> None:
    changes = played(1, tmp_path / "made")
    fill(loom, changes)
    run = loom.runs.start(BEA, SHOP, loop="loop", goal="goal", budget_tokens=100).run
    whole = Reversals(ignored=lambda _: False)
    undoing = [number for number, change in enumerate(changes) if whole.land(change)]
    number = next(number for number in undoing if any(one.own_marks for one in by_run(loom, changes, number)))
    before = by_run(loom, changes, number)
    hunks = {(file.path, hunk.after) for file in changes[number].files for hunk in file.hunks}
    changes[number] = _further_down(changes[number])
    found = by_run(loom, changes, number)
    kept, now_ms = loom.conflicts.latest(run.repo_id, limit=len(found), state="open")
    told: list[Any] = [past_conflict_shown(one, now_ms=now_ms)["own_marks"] for one in kept]
    shown = [each for some in told for each in some]

    assert {one.id: one for one in kept} == {one.id: one for one in found}  # at one instant, in whatever order
    assert [one.id for one in found] == [one.id for one in before]
    assert [one.marks for one in found] == [one.marks for one in before]
    assert {(one["path"], int(one["lines"].partition("-")[0]) - 1) for one in shown} <= hunks
    assert {len(one["mark"]) for one in shown} == {16}
    assert not {one["mark"] for one in shown} & {mark for one in before for mark in (*one.marks, *one.own_marks)}


def _further_down(change: Change) -> Change:
    """The same, one line further down."""
    files = [
        replace(file, hunks=tuple(replace(hunk, after=hunk.after + 1) for hunk in file.hunks)) for file in change.files
    ]
    return replace(change, files=tuple(files))


@pytest.mark.sqlite("it is refused before anything is read")
def test_what_would_be_undone_is_asked_of_one_change(loom: Loom) -> None:
    several = Proposal(changes=(Change(sha="a"), Change(sha="b")), history=(), target="main")

    with pytest.raises(Invalid, match="is asked of one change"):
        loom.conflicts.undoing(SHOP, several)
