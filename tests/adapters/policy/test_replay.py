"""A history that git made, held against rules as if they had held when it landed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loomstack_mcp.adapters.policy.replay import replayed
from loomstack_mcp.adapters.policy.scratch_repo import GitStep, Scratch
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.policy.rules import Checks, Evidence, Limits, Rule, Rulebook, When, Where, Window

CORE = Rule(id="core", why="people own the core", effect="deny", on=("land",), where=Where(paths=("/core/**",)))
NIGHT = Rule(
    id="night",
    why="nobody is there at night",
    effect="require_approval",
    on=("land",),
    when=When(windows=(Window(start_minute=22 * 60, end_minute=6 * 60, tz="Europe/Berlin"),)),
)
SMALL = Rule(
    id="small", why="one thing at a time", effect="warn", on=("land",), check=Checks(limits=Limits(files_max=1))
)
CHECKED = Rule(
    id="checked", why="somebody looked", effect="deny", on=("land",), check=Checks(evidence=(Evidence(kind="review"),))
)
NOON, MIDNIGHT = "2026-11-23T12:00:00+01:00", "2026-11-24T00:30:00+01:00"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    made = Scratch(tmp_path / "made")
    yield made
    made.close()


def stopped(scratch: Scratch, *rules: Rule, last: int = 100) -> list[tuple[str, str]]:
    """Title and first rule of each commit that would have been stopped, oldest first."""
    found = replayed(scratch.repository, Rulebook(rules=rules), last=last, progress=lambda _, __: None)
    return [(one["title"], one["reasons"][0]["rule"]) for one in found["stopped"]]


def commits(*told: tuple[str, str, dict[str, str]]) -> list[GitStep]:
    """The steps of a history, from the title, the time and the files of each commit."""
    steps: list[GitStep] = []
    for title, at, files in told:
        steps += [{"write": files}, {"commit": title, "at": at}]
    return steps


def test_only_the_commits_that_broke_a_rule_are_stopped(scratch: Scratch) -> None:
    scratch.play(
        [
            *commits(("core", NOON, {"core/a": "1"}), ("docs", NOON, {"docs/a": "1"})),
            {"rm": "core/a"},
            *commits(("takes it away", NOON, {}), ("two files at night", MIDNIGHT, {"x": "1", "y": "1"})),
        ]
    )

    assert stopped(scratch, CORE, NIGHT, SMALL) == [
        ("core", "core"),
        ("takes it away", "core"),
        ("two files at night", "night"),
    ]


def test_what_a_branch_did_counts_once_when_it_was_merged(scratch: Scratch) -> None:
    scratch.play(
        [
            *commits(("root", NOON, {"a": "1"})),
            {"branch": "side"},
            *commits(("one", NOON, {"core/a": "1"}), ("two", NOON, {"core/b": "1"})),
            {"checkout": "main"},
            {"merge": "side"},
        ]
    )

    assert [rule for _, rule in stopped(scratch, CORE)] == ["core"]


@pytest.mark.parametrize("odd", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85", "\t"])
def test_a_title_may_hold_what_other_programs_end_lines_at(scratch: Scratch, odd: str) -> None:
    scratch.play(commits((f"the{odd}core", NOON, {"core/a": "1"})))

    assert stopped(scratch, CORE) == [(f"the{odd}core", "core")]


def test_the_last_commits_are_looked_at_and_the_store_is_not_asked(scratch: Scratch) -> None:
    scratch.play(commits(*((str(number), NOON, {"core/a": str(number)}) for number in range(4))))
    seen: list[tuple[int, int]] = []
    book = Rulebook(rules=(CORE, CHECKED))
    found = replayed(scratch.repository, book, last=3, progress=lambda done, all_: seen.append((done, all_)))

    assert [one["title"] for one in found["stopped"]] == ["1", "2", "3"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (found["commits"], found["skipped"]) == (3, ["checked"])


def test_a_repository_without_a_commit_has_no_history(scratch: Scratch) -> None:
    with pytest.raises(NotFound, match="no commit yet"):
        stopped(scratch, CORE)
