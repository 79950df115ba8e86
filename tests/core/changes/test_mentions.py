"""What a message names: runs in trailers and elsewhere, pull requests, commits taken back or picked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.mentions import Mentions, mentions

RUN, OTHER = "run_AB12CD34", "run_ZZ99YY88"
SHA = "c0ffee" * 6 + "abcd"


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (f"One\n\nLoom-Run: {RUN}\nCo-authored-by: B <b@x>", Mentions(trailers=(RUN,))),
        (f"One\n\nLoom-Run: {RUN}\n\nLoom-Run: {OTHER}", Mentions(trailers=(OTHER,), runs=(RUN,))),
        (f"One\n\nLoom-Run: {RUN}\nand more words", Mentions(runs=(RUN,))),
        (f"Loom-Run: {RUN}", Mentions(runs=(RUN,))),
        (f"As {RUN} found out", Mentions(runs=(RUN,))),
        ("Gross prices (#12)\n\nsee #13 (#14)", Mentions(pulls=(12,))),
        ("Merge pull request #7 from ana/x\n\nGross", Mentions(pulls=(7,))),
        ("Merge branch 'x' into 'main'\n\nSee merge request shop/prices!41", Mentions(pulls=(41,))),
        (f'Revert "One"\n\nThis reverts commit {SHA}.', Mentions(reverts=(SHA,))),
        (f"One\n\n(cherry picked from commit {SHA})", Mentions(picks=(SHA,))),
        (f"This one is (cherry picked from commit {SHA}) as we say", Mentions()),
    ],
)
def test_each_is_named_for_what_it_is(message: str, found: Mentions) -> None:
    assert mentions(message) == found


@given(st.text(alphabet=st.sampled_from(f"\n :#()!abcdef019_-{RUN}{chr(0x202E)}Loom-Run"), max_size=400))
def test_any_message_names_few_things(message: str) -> None:
    found = mentions(message)

    assert not set(found.trailers) & set(found.runs)
    assert all(len(some) <= 20 for some in vars(found).values())
