"""Lines that were changed, lines that an edit means, and what is said of both."""

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.edit_lines import changed_lines, compared_lines, meant_lines

TEN = [f"line {number}" for number in range(1, 11)]


def test_changed_lines_are_those_of_either_text() -> None:
    assert changed_lines(TEN, [*TEN[:2], "x", "y", *TEN[3:]]) == ([(3, 3)], [(3, 4)])
    assert changed_lines(TEN, [*TEN[:2], *TEN[4:9], "x", TEN[9]]) == ([(3, 4), (9, 10)], [(2, 3), (8, 8)])
    assert changed_lines(TEN, TEN) == ([], [])


def test_where_most_of_a_text_differs_nothing_is_said() -> None:
    assert changed_lines(TEN, [f"{line}\r" for line in TEN]) == ([], [])
    assert changed_lines(["x"] * 900, ["x"] * 200 + ["y"] * 500 + ["x"] * 200) == ([], [])


@given(st.lists(st.sampled_from("ab"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_lines_that_are_not_told_stand_in_both_in_their_order(before: list[str], after: list[str]) -> None:
    old, new = changed_lines(before, after)

    assert len(old) == len(new)
    assert not old or _is_part(_without(before, old), after)
    assert not new or _is_part(_without(after, new), before)


def test_a_passage_is_told_where_it_stands_once() -> None:
    text = "\n".join(TEN)

    assert meant_lines(text, ["line 2\nline 3\n", "line 7"]) == [(2, 3), (7, 7)]
    assert meant_lines(text, ["line"]) == []
    assert meant_lines(text, ["line 2", "none"]) == []
    assert meant_lines(text, [""]) == []


def test_what_is_told_says_whether_they_are_the_same() -> None:
    assert compared_lines([(3, 5)], [(5, 9)]) == " It changed lines 3-5 so far, which you mean, too."
    assert compared_lines([(3, 3)], [(4, 9)]) == " It changed lines 3 so far, and you mean others."
    assert compared_lines([(1, 1), (3, 3), (5, 5), (7, 7)], [(7, 7)]).startswith(" It changed lines 1, 3, 5, … so far")
    assert compared_lines([], [(4, 9)]) == compared_lines([(4, 9)], []) == ""


def _without(text: list[str], told: list[tuple[int, int]]) -> list[str]:
    return [line for at, line in enumerate(text, 1) if not any(first <= at <= last for first, last in told)]


def _is_part(lines: list[str], text: list[str]) -> bool:
    """Whether some lines stand in a text in their order."""
    rest = iter(text)
    return all(line in rest for line in lines)
