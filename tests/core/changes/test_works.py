"""When a run began, by which clock, and what was there before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.works import WantedWork, began_where_made, older_than_all

FIRST, LAST = Change(sha="a" * 40, at_ms=7_400), Change(sha="b" * 40, at_ms=7_900)


@pytest.mark.parametrize(
    ("after_ms", "began_ms"),
    [
        ((400, 900), 7_000),  # that machine's clock is ahead by some
        ((None, 800), 7_100),
        ((None, None), 1_000),
        ((), 1_000),  # an older hub does not tell
    ],
)
def test_a_run_began_so_long_before_its_commits_as_was_seen(after_ms: tuple[int | None, ...], began_ms: int) -> None:
    wanted = WantedWork(run_id="run_A", since_ms=1_000, commits=("a" * 7, "b" * 40), after_ms=after_ms)

    assert began_where_made(wanted, [FIRST, LAST]) == began_ms
    assert began_where_made(wanted, []) == 1_000


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=4))
def test_what_is_older_than_all_is_older_than_each(made: list[list[str]]) -> None:
    found = older_than_all(made)

    assert set(found) == set.intersection(*map(set, made)) if made else found == ()


def test_what_is_older_than_nothing_is_looked_for_no_further() -> None:
    works = iter([("a", "b"), ("b",), (), ("a",)])

    assert older_than_all(works) == ()
    assert list(works) == [("a",)]
