"""What a message says openly, in the forms that people and forges use, and titles that were made to take long."""

import pytest

from loomstack_mcp.core.changes.hunks import Change
from loomstack_mcp.core.changes.openly import merges_release, removes_openly, takes_back_openly

LANDED = Change(sha="b" * 40, message="feat(cart): count net prices (#12)")


def change(message: str, *, is_merge: bool = False) -> Change:
    return Change(sha="a" * 40, message=message, parents=("c", "d") if is_merge else ("c",))


@pytest.mark.parametrize(
    "message",
    [
        'Revert "feat(cart): count net prices (#12)"',
        "fix(cart): Revert the net prices",
        "[docs] back out net prices",
        "lib/cart: Reapply gross prices",
        "Merge pull request #14 from shop/revert-12-net",
        "Gross prices again\n\nReverts shop/cart#12",
        f"Gross prices again\n\nThis reverts commit {'b' * 12}.",
        "Gross prices instead of feat(cart): count net prices (#12)",
    ],
)
def test_known_reverts_are_open(message: str) -> None:
    assert takes_back_openly(change(message), LANDED)


@pytest.mark.parametrize("message", ["Gross prices", "fix: prices", "Repair the red test (#13)", ""])
def test_other_messages_are_not(message: str) -> None:
    assert not takes_back_openly(change(message), LANDED)


def test_what_is_landed_again_under_its_title_is_open() -> None:
    revert = change('Revert "feat(cart): count net prices (#12)"')

    assert takes_back_openly(change("feat(cart): count net prices (#15)"), revert)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Merge branch 'v2.11' into v3", True),
        ("Merge 'tokio-1.38.x' into master", True),
        ("Merge release-2 into main", True),
        ("Merge branch 'main' into net-prices", False),
        ("Bring up 2.11", False),
    ],
)
def test_the_merge_of_a_release_is_known(title: str, *, expected: bool) -> None:
    assert merges_release(change(title, is_merge=True)) is expected
    assert not merges_release(change(title))


@pytest.mark.parametrize(
    "title",
    [
        "a:" * 500 + "x",
        "a: " * 300 + "x",
        "[" * 900,
        "(x:" * 300,
        ":" * 900 + "x",
        "[x]" * 300 + "x",
        "a/b-c." * 150 + "x",
    ],
)
def test_a_title_that_was_made_to_take_long_says_nothing(title: str) -> None:
    assert not takes_back_openly(change(title), LANDED)
    assert not removes_openly(change(title), LANDED)
    assert not merges_release(change(f"Merge {'a-' * 400}x", is_merge=True))
