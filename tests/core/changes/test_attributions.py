"""Whose a commit is, by its content and what it says of itself; and that nobody is told where nothing tells."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.attributions import (
    SHARE_LEAST,
    Attribution,
    CommitFacts,
    RunEvidence,
    attribution_by,
)
from loomstack_mcp.core.changes.blamed import LineMaker, asked_line, line_attribution
from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.changes.imprints import Imprint, imprint, range_mark
from loomstack_mcp.core.changes.mentions import Mentions

A, B = "run_AAAAAAAA", "run_BBBBBBBB"
NOTHING = Mentions()


def change(*numbers: int, path: str = "src/a.py", says: int = 20) -> Change:
    """A commit that adds these lines."""
    added = tuple(number << 6 | says for number in numbers)
    hunk = Hunk(before=1, before_lines=0, after=1, after_lines=len(added), added=added)
    file = FileChange(path=path, old_path=path, before="1", after="2", hunks=(hunk,))
    return Change(sha="c" * 40, files=(file,))


def did(*numbers: int, path: str = "src/a.py") -> Imprint:
    return imprint(change(*numbers, path=path).files)


def made(run_id: str, *imprints: Imprint, **more: bool) -> RunEvidence:
    """A run that made these, and nothing else."""
    marks = frozenset(mark for one in imprints for mark in (*one.marks, *one.telling, *one.rest))
    lines = {mark for one in imprints for mark in (*one.telling, *one.placed)}
    return RunEvidence(run_id=run_id, shared=marks, lines=len(lines), is_known=bool(imprints), **more)


def told(found: Imprint | None, *known: RunEvidence, says: Mentions = NOTHING) -> Attribution:
    facts = CommitFacts(sha="c" * 40, made_at_ms=1, imprint=found, mentions=says)
    return attribution_by(facts, known)[0]


def bound(found: Attribution) -> tuple[str, str, bool]:
    return found.run_id, found.bound_by, found.confidence >= SHARE_LEAST


WHOLE = did(*range(10))
EDITED = did(*range(9), 99)


@pytest.mark.parametrize(
    ("landed", "run", "says", "expected"),
    [
        (WHOLE, made(A, WHOLE), Mentions(), (A, "patch")),
        (EDITED, made(A, WHOLE), Mentions(), (A, "lines")),
        (did(*range(10), path="src/renamed.py"), made(A, WHOLE), Mentions(), (A, "lines")),
        (did(*range(10), *range(100, 130)), made(A, WHOLE), Mentions(), (A, "lines")),  # and a person's thirty
        (did(*range(200, 210)), made(A, WHOLE), Mentions(), ("", "")),
        (did(*range(3), *range(200, 210)), made(A, WHOLE), Mentions(), ("", "")),
        (WHOLE, made(A, has_sha=True), Mentions(), (A, "sha")),
        (WHOLE, made(A), Mentions(trailers=(A,)), (A, "trailer")),
        (WHOLE, made(A, WHOLE), Mentions(trailers=(A,)), (A, "trailer")),
        (WHOLE, made(A), Mentions(runs=(A,)), (A, "text")),
        (None, made(A, has_pull=True), Mentions(pulls=(7,)), (A, "pr")),
        (None, made(A, was_picked=True), Mentions(), (A, "cherry_pick")),
        (None, made(A), Mentions(), ("", "")),
    ],
)
def test_a_commit_is_a_runs_by_what_binds_it(
    landed: Imprint | None, run: RunEvidence, says: Mentions, expected: tuple[str, str]
) -> None:
    assert bound(told(landed, run, says=says)) == (*expected, bool(expected[0]))


def test_a_branch_as_a_whole_is_told_from_a_commit() -> None:
    run = made(A, WHOLE)
    branch = RunEvidence(run_id=A, shared=run.shared | {range_mark(WHOLE.whole)}, lines=10, is_known=True)

    assert bound(told(WHOLE, branch)) == (A, "range", True)


def test_a_trailer_that_the_lines_contradict_is_flagged_and_not_believed() -> None:
    other = RunEvidence(run_id=B, lines=5, is_known=True)
    forged = told(WHOLE, made(A, WHOLE), other, says=Mentions(trailers=(B,)))
    alone = told(WHOLE, other, says=Mentions(trailers=(B,)))

    assert (bound(forged), forged.flags) == ((A, "patch", True), ("trailer_mismatch",))
    assert (bound(alone), alone.candidates, alone.flags) == (("", "", False), (), ("trailer_mismatch",))


def test_of_several_runs_each_is_named_with_its_share_the_main_one_first() -> None:
    squash = did(*range(30))
    found, marks = attribution_by(
        CommitFacts(sha="c", made_at_ms=1, imprint=squash),
        [made(B, did(*range(10))), made(A, did(*range(10, 30)))],
    )

    assert [(one.run_id, one.confidence) for one in found.candidates] == [(A, 0.667), (B, 0.333)]
    assert (found.run_id, found.confidence, found.flags) == (A, 1.0, ("several_runs",))
    assert [len(some & squash.telling) for some in marks] == [20, 10]


runs = st.lists(st.sets(st.integers(0, 40), max_size=12), max_size=5)


@given(st.sets(st.integers(0, 40), min_size=1, max_size=25), runs, st.booleans())
def test_nobody_is_told_who_left_nothing_of_it_and_none_is_sure_of_more_than_all(
    lines: set[int], works: list[set[int]], is_named: bool
) -> None:
    landed = did(*sorted(lines))
    known = list(_evidence(landed, works))
    says = Mentions(trailers=(known[0].run_id,)) if known and is_named else Mentions()
    found, again = told(landed, *known, says=says), told(landed, *reversed(known), says=says)
    by_run = {one.run_id: one for one in known}

    assert 0 <= found.confidence <= 1
    assert bool(found.run_id) == bool(found.bound_by) == (found.confidence >= SHARE_LEAST)
    assert all(by_run[one.run_id].shared & landed.telling for one in found.candidates if by_run[one.run_id].is_known)
    assert (found.confidence, found.flags) == (again.confidence, again.flags)
    assert len(found.candidates) <= 5


def _evidence(landed: Imprint, works: Iterable[set[int]]) -> Iterable[RunEvidence]:
    for number, work in enumerate(works):
        one = made(f"run_{number:08}", did(*sorted(work))) if work else RunEvidence(run_id=f"run_{number:08}")
        kept = one.shared & (landed.marks | landed.telling | landed.rest)
        yield RunEvidence(run_id=one.run_id, shared=kept, lines=one.lines, is_known=one.is_known)


@pytest.mark.parametrize(
    ("line", "makers", "expected"),
    [
        (1, {1: (B, A)}, B),  # who wrote it last
        (1, {1: (B, A), 2: (A,), 3: (A,)}, A),  # who wrote what came with it
        (1, {2: (A,)}, ""),  # a person's line beside a run's
        (4, {3: (A,)}, A),  # a line that tells nothing is of whoever wrote those beside it
        (1, None, B),  # all of it is one run's
    ],
)
def test_a_line_is_of_who_wrote_it(line: int, makers: dict[int, tuple[str, ...]] | None, expected: str) -> None:
    commit = change(1, 2, 3)
    asked = asked_line(commit, imprint(commit.files), path="src/a.py", line=1, number=line << 6 | 20)
    marks = dict(zip((1, 2, 3), asked.beside, strict=True))
    wrote = None if makers is None else [LineMaker(line=marks[at], runs=runs) for at, runs in makers.items()]
    found = line_attribution(
        Attribution(sha="c", run_id=B, bound_by="patch", confidence=0.99), wrote, asked=asked, path="src/a.py", line=1
    )

    assert found.run_id == expected


@pytest.mark.parametrize("told", [Mentions(trailers=(A,)), Mentions(runs=(A,))])
def test_words_alone_are_told_as_such(told: Mentions) -> None:
    by_words, _ = attribution_by(CommitFacts(sha="a" * 40, made_at_ms=1, mentions=told), [RunEvidence(run_id=A)])
    recorded = RunEvidence(run_id=A, has_sha=True)
    by_id, _ = attribution_by(CommitFacts(sha="a" * 40, made_at_ms=1, mentions=told), [recorded])

    assert (by_words.run_id, by_words.flags, by_id.flags) == (A, ("unread", "uncompared"), ("unread",))
