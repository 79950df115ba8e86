"""Reversals as pure decisions: what is taken back, what only looks so, and what that means."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.branches import arrivals
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change, FileChange, Hunk
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.nets import netted
from loomstack_mcp.core.changes.packing import packed, unpacked
from loomstack_mcp.core.changes.reversals import Reversals
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import reversal
from loomstack_mcp.core.limits import DAY_MS, HOUR_MS
from tests.edits import edited

LINES = Lines(b"a key")
OLD = [f"    value_{number} = compute({number}, rate)" for number in range(12)]
NEW = [*OLD[:4], "    value_4 = recompute(400, limit)", *OLD[5:]]

texts = st.lists(st.text("abcdef(=", min_size=12, max_size=20), min_size=6, max_size=14, unique=True)


class Story:
    """Commits of one file, one after the other, an hour apart."""

    def __init__(self, text: Sequence[str]) -> None:
        self.reversals = Reversals(ignored=lambda _: False)
        self.text = list(text)
        self.commits = 0
        self.land("root", text, before=[])
        self.commits += 40 * 24  # so that the file itself is forgotten

    def change(
        self, author: str, text: Sequence[str], *, message: str = "", before: Sequence[str] | None = None
    ) -> Change:
        self.commits += 1
        parent = f"{self.parent}" if before is None else ""
        file = edited("f.py", self.text if before is None else before, text, lines=LINES)
        return Change(sha=f"{self.commits:040x}", parents=(parent,), author=author, at_ms=self.commits * HOUR_MS,
                      message=message, files=(file,))  # fmt: skip

    def land(self, author: str, text: Sequence[str], **more: object) -> tuple[Undone, ...]:
        change = self.change(author, text, **more)  # type: ignore[arg-type]
        self.text, self.parent = list(text), change.sha
        return self.reversals.land(change)


def verdict(change: Change, undone: Sequence[Undone], *, intended: bool = False) -> tuple[str, str]:
    found = reversal(change, undone, agreed=lambda one: one.same_author, intended=lambda _: intended)
    return found.kind, found.verdict


@given(texts, texts)
def test_whoever_undoes_a_whole_change_is_found(old: list[str], fresh: list[str]) -> None:
    new = [*old[:2], *(f"{line}!" for line in fresh[:3]), *old[4:]]
    story = Story(old)
    story.land("bea", new)

    [undone] = story.land("ana", old)

    assert (undone.hunks, undone.share) == (1, 1.0)


@given(texts, texts)
def test_new_work_takes_nothing_back(old: list[str], fresh: list[str]) -> None:
    story = Story(old)
    story.land("bea", [*(f"{line}!" for line in fresh[:3]), *old])

    assert story.land("ana", [*story.text, *(f"{line}?" for line in fresh)]) == ()


@given(texts, st.randoms(use_true_random=False))
def test_who_only_moves_lines_takes_nothing_back(old: list[str], chance: random.Random) -> None:
    story = Story(old)
    story.land("bea", [*old[:2], "a line that bea has added here", *old[2:]])
    moved = list(story.text)
    chance.shuffle(moved)

    assert story.land("ana", moved) == ()


@pytest.mark.parametrize("spelled", ["\t{}", "{} ", "{};", "{}\r", "   {}"])
def test_formatting_is_no_change(spelled: str) -> None:
    story = Story(OLD)
    story.land("bea", NEW)

    assert story.land("ana", [spelled.format(line) for line in NEW]) == ()


def test_a_part_is_found_with_its_share() -> None:
    story = Story(OLD)
    story.land("bea", ["    first = changed(1)", *OLD[1:6], "    sixth = changed(6)", *OLD[7:]])

    [undone] = story.land("ana", [OLD[0], *story.text[1:]])

    assert (undone.hunks, 0.4 < undone.share < 0.6) == (1, True)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    story = Story(OLD)
    story.land("bea", NEW)
    story.commits += 31 * 24

    assert story.land("ana", OLD) == ()


def test_a_branch_that_never_had_it_takes_nothing_back() -> None:
    story = Story(OLD)
    start = story.parent
    story.land("bea", NEW)
    aside = replace(story.change("ana", OLD), parents=(start,))

    assert story.reversals.land(aside) == ()


@pytest.mark.parametrize(
    ("author", "message", "intended", "expected"),
    [
        ("ana", "", False, ("undo", "warn")),
        ("ana", "", True, ("undo", "stop")),
        ("bea", "", False, ("undo", "clear")),
        ("ana", 'Revert "x"', False, ("undo", "warn")),
        ("ana", 'Revert "x"', True, ("undo", "stop")),
    ],
)
def test_one_hunk_is_stopped_only_where_it_was_intended(
    author: str, message: str, intended: bool, expected: tuple[str, str]
) -> None:
    story = Story(OLD)
    story.land("bea", NEW)
    change = story.change(author, OLD, message=message)

    assert verdict(change, story.reversals.undone_by(change)[0], intended=intended) == expected


def test_three_hunks_are_stopped_for_two_weeks_unless_it_is_said_openly() -> None:
    story = Story(OLD)
    story.land("bea", [line if number % 4 else f"    other_{number} = {number}" for number, line in enumerate(OLD)])
    soon, openly = story.change("ana", OLD), story.change("ana", OLD, message="Revert the other values")
    late = replace(soon, at_ms=soon.at_ms + 15 * DAY_MS)

    found = [verdict(change, story.reversals.undone_by(change)[0])[1] for change in (soon, openly, late)]

    assert found == ["stop", "warn", "warn"]


def test_three_hunks_over_three_commits_count_together() -> None:
    story = Story(OLD)
    story.land("bea", [line if number % 4 else f"    other_{number} = {number}" for number, line in enumerate(OLD)])
    verdicts = []
    for number in (0, 4, 8):
        change = story.change("ana", [OLD[at] if at == number else line for at, line in enumerate(story.text)])
        verdicts.append(verdict(change, story.reversals.undone_by(change)[0])[1])
        story.text, story.parent = [OLD[at] if at == number else line for at, line in enumerate(story.text)], change.sha
        story.reversals.land(change)

    assert verdicts == ["warn", "warn", "stop"]


def test_an_old_copy_over_two_authors_is_a_stale_base_and_a_return_is_a_ping_pong() -> None:
    story = Story(OLD)
    story.land("bea", NEW)
    story.land("dan", [*NEW[:8], "    value_8 = dans(8)", *NEW[9:]])
    stale = story.change("ana", OLD)
    undone = story.reversals.undone_by(stale)[0]
    story.land("ana", OLD)
    repair = story.change("bea", NEW)
    repaired = story.reversals.undone_by(repair)[0]
    story.land("bea", NEW)
    bounce = story.change("ana", OLD)

    assert verdict(stale, undone) == ("stale_base", "stop")
    assert (verdict(repair, repaired), repaired[0].own_repair) == (("undo", "clear"), True)
    assert verdict(bounce, story.reversals.undone_by(bounce)[0]) == ("ping_pong", "stop")


def test_what_is_touched_without_being_undone_is_told() -> None:
    story = Story(OLD)
    story.land("bea", NEW)
    change = story.change("ana", [*NEW[:4], "    value_4 = something(else_)", *NEW[5:]])

    undone, [touched] = story.reversals.undone_by(change)

    assert undone == ()
    assert (touched.change.author, touched.restored, touched.overridden) == ("bea", False, True)


numbers = st.integers(0, 2**64 - 1)
hunks = st.builds(
    Hunk,
    before=st.integers(0, 2**32 - 1),
    before_lines=st.integers(0, 2**32 - 1),
    after=st.integers(0, 2**32 - 1),
    after_lines=st.integers(0, 2**32 - 1),
    removed=st.lists(numbers, max_size=5).map(tuple),
    added=st.lists(numbers, max_size=5).map(tuple),
    takes=numbers,
    gives=numbers,
    kept_percent=st.integers(0, 100),
)


@given(st.lists(hunks, max_size=4).map(tuple))
def test_hunks_come_back_as_they_were_packed(some: tuple[Hunk, ...]) -> None:
    assert unpacked(packed(some)) == some


@given(st.lists(st.lists(hunks, max_size=3).map(tuple), max_size=3))
def test_what_was_netted_once_stays(some: list[tuple[Hunk, ...]]) -> None:
    files = [
        FileChange(path=str(at), old_path=str(at), before="1", after="2", hunks=each) for at, each in enumerate(some)
    ]
    once = netted(files)
    stored = [
        replace(file, hunks=tuple(replace(net.hunk, removed=net.removed, added=net.added) for net in nets))
        for file, nets in zip(files, once, strict=True)
    ]

    for again, nets in zip(netted(stored), once, strict=True):
        assert [(net.removed, net.added) for net in again] == [(net.removed, net.added) for net in nets]


@pytest.mark.parametrize(
    "path",
    ["package-lock.json", "web/yarn.lock", "go.sum", "a/b.min.js", "CHANGELOG.md", "vendor/x/y.go", "schema_pb2.py",
     "made/x.py", "marked.txt"],
)  # fmt: skip
def test_files_that_machines_write_are_known(path: str) -> None:
    known = Generated(["made/"])
    known.learn([path, "src/lock.py"], marked={"marked.txt"})

    assert (known(path), known("src/lock.py")) == (True, False)


def test_letter_case_of_a_setting_counts_as_it_does_in_the_repository() -> None:
    found = []
    for ignore_case in (False, True):
        known = Generated(["Made/"], ignore_case=ignore_case)
        known.learn(["made/x.py"], marked=())
        found.append(known("made/x.py"))

    assert found == [False, True]


def test_words_that_only_break_into_other_lines_are_nobodys() -> None:
    wide = ["    total = compute(cart, limit=120, unit='item', rounded=True)", *OLD]
    narrow = ["    total = compute(cart, limit=120,", "        unit='item', rounded=True)", *OLD]
    story = Story(wide)
    story.land("bea", narrow)

    assert story.land("ana", wide) == ()


def test_a_version_that_rises_twice_is_not_turned_round() -> None:
    story = Story(["version = '8.1.2'", *OLD])
    story.land("bea", ["version = '8.2.0'", *OLD])

    assert story.land("ana", ["version = '8.2.1'", *OLD]) == ()


def commits(*listed: str) -> list[Change]:
    """`m:a,b` is a commit m on a and b."""
    pairs = (one.partition(":") for one in listed)
    return [Change(sha=sha, parents=tuple(parents.split(",")) if parents else ()) for sha, _, parents in pairs]


def test_what_a_merge_brings_arrives_with_it() -> None:
    history = commits("a", "b:a", "x:a", "y:x", "m:b,y", "c:m")

    assert arrivals(history, "c") == {"a": "a", "b": "b", "x": "m", "y": "m", "m": "m", "c": "c"}


def test_a_merge_of_a_trunk_of_its_own_brings_no_single_branch() -> None:
    develop = [f"d{number}:d{number - 1}" for number in range(1, 60)]
    history = commits("a", "d0:a", *develop, "x:d59", "y:x", "n:d59,y", "m:a,n")

    found = arrivals(history, "m")

    assert (found["d7"], found["x"], found["y"], found["n"]) == ("d7", "n", "n", "n")
