"""Repeats as pure decisions: what of a branch has landed by another commit, and what only looks so."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loomstack_mcp.core.changes import repeats as core
from loomstack_mcp.core.changes.branches import landed_beside
from loomstack_mcp.core.changes.contents import INFORMATIVE_LEAST
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.repeats import (
    LINES_LEAST,
    SHARE_LEAST,
    Branch,
    Repeat,
    landed_share,
)
from tests.edits import edited

LINES = Lines(b"a key")
OLD = [f"the_{name}_of_the_shop = 1" for name in ("address", "opening_hours", "currency")]

fresh = st.lists(st.text("abcdefgh", min_size=INFORMATIVE_LEAST, max_size=20), min_size=3, max_size=12, unique=True)


def changed(sha: str, before: Sequence[str], after: Sequence[str], *, path: str = "shop.py") -> Change:
    return Change(sha=sha, parents=("base",), files=(edited(path, before, after, lines=LINES),))


def added(sha: str, *lines: str) -> Change:
    return changed(sha, OLD, [*OLD, *lines])


def reverted(sha: str, change: Change) -> Change:
    [file] = change.files
    hunks = (replace(hunk, removed=hunk.added, added=hunk.removed) for hunk in file.hunks)
    return Change(sha=sha, files=(replace(file, hunks=tuple(hunks)),))


def repeats(pieces: Sequence[Change], landed: Sequence[Change]) -> tuple[Repeat, ...]:
    """Of the whole branch, and its commits."""
    return core.repeats(Branch(base="base", whole=pieces[0], commits=tuple(pieces[1:])), landed)


def told(found: Sequence[Repeat]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.change.sha, one.of, tuple(commit.sha for commit in one.commits)) for one in found]


@given(fresh)
def test_what_landed_whole_by_another_commit_is_found(lines: list[str]) -> None:
    [found] = repeats([added("mine", *lines)], [added("theirs", *lines)])

    assert (found.change.sha, found.of, found.share, found.paths) == ("theirs", "branch", 1.0, ("shop.py",))


@given(fresh, st.data())
def test_the_share_of_a_branch_is_that_of_its_lines(lines: list[str], data: st.DataObject) -> None:
    landed = data.draw(st.lists(st.sampled_from(lines), unique=True))
    more = [f"{number}_of_nothing_that_is_there" for number in range(40)]
    share = len(landed) / len(lines)

    found = repeats([added("mine", *lines)], [added("theirs", *landed, *more)])

    assert [one.share for one in found] == ([share] if share >= SHARE_LEAST and len(landed) >= LINES_LEAST else [])


@given(fresh, fresh)
def test_each_commit_of_a_squashed_branch_is_found_whatever_else_the_branch_has(
    one: list[str], other: list[str]
) -> None:
    assume(not {*one} & {*other})
    more = [f"the_{number}_thing_of_quite_another_kind" for number in range(40)]
    first, second = added("first", *one), changed("second", [*OLD, *one], [*OLD, *one, *other])
    third = changed("third", [*OLD, *one, *other], [*OLD, *one, *other, *more])

    found = repeats([added("", *one, *other, *more), first, second, third], [added("squash", *one, *other)])

    assert told(found) == [("squash", "commits", ("first", "second"))]


@given(fresh)
def test_what_landed_and_was_taken_back_is_not_there(lines: list[str]) -> None:
    landed = added("theirs", *lines)
    again = added("again", *lines)

    assert repeats([added("mine", *lines)], [landed, reverted("back", landed)]) == ()
    assert told(repeats([added("mine", *lines)], [landed, reverted("back", landed), again])) == [
        ("again", "branch", ())
    ]


@given(fresh, fresh)
def test_other_lines_and_other_files_are_no_repeat(mine: list[str], theirs: list[str]) -> None:
    assume(not {*mine} & {*theirs})

    assert repeats([added("mine", *mine)], [added("theirs", *theirs)]) == ()
    assert repeats([added("mine", *mine)], [changed("theirs", OLD, [*OLD, *mine], path="other.py")]) == ()


@given(fresh, fresh)
def test_commits_together_are_the_branch(one: list[str], other: list[str]) -> None:
    assume(not {*one} & {*other})
    commits = (added("first", *one), changed("second", [*OLD, *one], [*OLD, *other]))
    landed = [added("theirs", *other)]

    assert core.repeats(Branch(base="base", commits=commits), landed) == repeats([added("", *other), *commits], landed)


def test_removing_the_same_lines_is_the_same_work_and_adding_them_is_not() -> None:
    mine = changed("mine", OLD, [])

    assert told(repeats([mine], [changed("theirs", OLD, [])])) == [("theirs", "branch", ())]
    assert repeats([mine], [changed("theirs", [], OLD)]) == ()


@pytest.mark.parametrize("lines", range(1, LINES_LEAST))
def test_few_lines_are_known_again_in_the_identical_patch_alone(lines: int) -> None:
    mine = added("mine", *OLD[:lines])
    silent = added("theirs", *OLD[:lines], "x = 1")

    assert told(repeats([mine], [added("theirs", *OLD[:lines])])) == [("theirs", "branch", ())]
    assert repeats([mine], [silent]) == repeats([mine], [replace(added("theirs", *OLD[:lines]), said=500)]) == ()


def test_words_that_weigh_nothing_tell_patches_apart() -> None:
    line = "the_default_country_of_the_shop = 1"
    mine, theirs = (changed(value, [], [line, value]) for value in ("pass", "return"))

    assert repeats([mine], [theirs]) == ()


def test_the_whole_branch_hides_no_other_repeat_of_a_commit() -> None:
    many = [f"the_{number}_thing_of_the_shop" for number in range(9)]
    few = [f"another_{number}_of_quite_another_kind" for number in range(2)]
    whole, first = added("", *many, *few), added("first", *many)
    second = changed("second", [*OLD, *many], [*OLD, *many, *few])

    found = repeats([whole, first, second], [added("one", *many), changed("two", [*OLD, *many], [*OLD, *many, *few])])

    assert told(found) == [("one", "branch", ()), ("two", "commits", ("second",))]


def test_files_are_one_under_the_names_that_both_sides_gave_them() -> None:
    renamed = Change(sha="r", files=(FileChange(path="b.py", old_path="a.py", before="1", after="2"),))
    theirs = changed("theirs", OLD, [*OLD, *(f"and {line}" for line in OLD)], path="b.py")
    [file] = changed("", OLD, [*OLD, *(f"and {line}" for line in OLD)], path="c.py").files
    mine = Change(sha="mine", parents=("base",), files=(replace(file, old_path="a.py"),))

    [found] = repeats([mine], [renamed, theirs])

    assert (found.change.sha, found.paths) == ("theirs", ("c.py",))


@given(fresh, fresh, st.data())
def test_commits_that_landed_in_whatever_pieces_have_landed(
    one: list[str], other: list[str], data: st.DataObject
) -> None:
    assume(not {*one} & {*other})
    made = [added("one", *one), changed("two", [*OLD, *one], [*OLD, *other])]
    cut = data.draw(st.integers(0, len(other)))
    pieces = [added("first", *other[:cut]), changed("second", OLD, [*OLD, *other[cut:], "another_line_of_others = 1"])]

    assert landed_share(made, pieces) == 1.0
    assert landed_share(made, pieces[:1]) == cut / len(other)
    assert landed_share(made, [added("theirs", *one)]) == 0.0


def test_of_what_says_nothing_nobody_can_tell_whether_it_landed() -> None:
    assert landed_share([added("made", "x = 1")], []) == landed_share([], []) == 1.0


def test_what_landed_beside_a_base_is_what_it_does_not_descend_from() -> None:
    made = (("a", ()), ("b", ("a",)), ("side", ("a",)), ("merge", ("b", "side")), ("c", ("merge",)))
    history = [Change(sha=sha, parents=parents) for sha, parents in made]

    assert [one.sha for one in landed_beside(history, "b")] == ["side", "merge", "c"]
    assert [one.sha for one in landed_beside(history, "merge")] == ["c"]
    assert [one.sha for one in landed_beside(history, "long ago")] == ["a", "b", "side", "merge", "c"]
