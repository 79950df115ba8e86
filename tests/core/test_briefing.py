"""Ranking and fitting."""

import json

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.briefing.fitting import fitted
from loomstack_mcp.core.briefing.items import View, of_claim, of_note
from loomstack_mcp.core.cochange import together
from loomstack_mcp.core.phrases import age, ahead
from tests.factories import make_claim, make_note

VIEW = View(paths=("src/pay/tax.py",), now_ms=3_600_000)


def test_nearer_comes_first_then_people_then_newer() -> None:
    notes = [
        make_note(id="org", repo_id="org", seq=90, authority="human", loop=""),
        make_note(id="elsewhere", seq=80, paths=("docs/",)),
        make_note(id="beside", seq=70, paths=("src/pay/cart.py",)),
        make_note(id="here-old", seq=1, kind="intent", paths=("src/",)),
        make_note(id="here-new", seq=60, kind="intent", paths=("src/pay/*.py",)),
        make_note(id="here-human", seq=2, authority="human", paths=("src/pay/tax.py",)),
    ]
    found = fitted((of_note(note, VIEW) for note in notes), cursor=99, since=0, budget_tokens=2000)

    assert [note["note"] for note in found.notes] == [
        "here-human",
        "here-new",
        "here-old",
        "beside",
        "elsewhere",
        "org",
    ]


def test_files_that_change_together_are_near() -> None:
    commits = [["src/tax.py", "docs/tax.md"]] * 3 + [["src/tax.py", "README.md"]] * 2
    sweeping = [["src/tax.py", *(f"all/{number}.py" for number in range(40))]] * 5
    beside = together([*commits, *sweeping, ["", "\udcff", "x" * 300]] * 1, mine=["src/tax.py"])
    view = View(paths=("src/tax.py",), beside=beside, now_ms=0)

    assert beside == ("docs/tax.md",)
    assert [view.nearness((path,)) for path in ("docs/tax.md", "docs/", "docs/other.md")] == [1, 1, 2]


def test_since_reads_only_what_is_newer() -> None:
    notes = [make_note(id=f"note_{seq}", seq=seq) for seq in (4, 5, 6)]
    found = fitted((of_note(note, VIEW) for note in notes), cursor=6, since=5, budget_tokens=800)

    assert [note["note"] for note in found.notes] == ["note_6"]


def test_a_long_text_takes_a_quarter_of_the_budget_and_a_larger_budget_shows_it_whole() -> None:
    item = of_note(make_note(text="x" * 2000), VIEW)

    assert len(str(fitted([item], cursor=1, since=0, budget_tokens=400).notes[0]["text"])) == 400
    assert len(str(fitted([item], cursor=1, since=0, budget_tokens=4000).notes[0]["text"])) == 2000


@given(st.lists(st.text(max_size=300), max_size=60), st.integers(50, 2000))
def test_a_briefing_stays_within_its_budget_and_counts_the_rest(texts: list[str], budget_tokens: int) -> None:
    items = [of_note(make_note(id=f"note_{at}", seq=at + 1, text=text), VIEW) for at, text in enumerate(texts)]
    items.append(of_claim(make_claim(), VIEW))
    found = fitted(items, cursor=9, since=0, budget_tokens=budget_tokens)
    shown = {"cursor": 9, "notes": found.notes, "claims": found.claims, "more": found.more}

    assert len(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))) <= budget_tokens * 4
    assert len(found.notes) + len(found.claims) + found.more == len(items)


def test_ages_are_words() -> None:
    assert [age(ms) for ms in (0, 59_999, 60_000, 7_200_000, 200_000_000)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]


def test_what_is_ahead_is_in_the_nearest_of_the_largest_unit_of_which_there_are_two() -> None:
    days = 24 * 3_600_000

    assert [ahead(ms) for ms in (90 * days - 3, 36 * 3_600_000, 119_000, 0)] == ["90 d", "36 h", "119 s", "0 s"]


def test_nearness_does_not_outrank_authority_and_one_loop_leaves_room_for_others() -> None:
    flood = [make_note(id=f"note_{at}", seq=at, kind="intent", paths=("src/",), text="x" * 90) for at in range(1, 300)]
    rare = make_note(id="rare", seq=1, kind="intent", loop="other", paths=("src/pay/",), text="mine")
    person = make_note(id="freeze", seq=2, kind="decision", authority="human", loop="", paths=("docs/",), text="stop")
    found = fitted((of_note(note, VIEW) for note in [*flood, rare, person]), cursor=300, since=0, budget_tokens=800)
    told = [note["note"] for note in found.notes]

    assert {"rare", "freeze"} <= set(told)
    assert told[-1] == "freeze"
    assert len(told) + found.more == 301


def test_what_people_say_of_elsewhere_leaves_room_for_what_is_here() -> None:
    people = [make_note(id=f"note_{at}", seq=at, authority="human", loop="", paths=("docs/",)) for at in range(1, 300)]
    here = make_note(id="here", seq=1, kind="intent", paths=("src/pay/tax.py",))
    found = fitted((of_note(note, VIEW) for note in [*people, here]), cursor=300, since=0, budget_tokens=400)

    assert found.notes[0]["note"] == "here"


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(100, 2000))
def test_whatever_does_not_fit_comes_with_a_later_read(sizes: list[int], budget_tokens: int) -> None:
    items = [of_note(make_note(id=f"note_{at}", seq=at, text="x" * size), VIEW) for at, size in enumerate(sizes, 1)]
    reads = [fitted(items, cursor=len(items), since=0, budget_tokens=budget_tokens)]
    while reads[-1].more:
        reads.append(fitted(items, cursor=len(items), since=reads[-1].cursor, budget_tokens=budget_tokens))

    assert {note["note"] for read in reads for note in read.notes} == {f"note_{at}" for at in range(1, len(items) + 1)}
    assert reads[-1].cursor == len(items)
    assert len(reads) <= len(items) + 2


@given(st.integers(50, 400))
def test_no_item_is_so_large_that_reading_on_stands_still(budget_tokens: int) -> None:
    wide = make_note(id="wide", seq=1, text="x" * 2000, paths=tuple(f"src/{'y' * 200}/{at}" for at in range(100)))
    items = [of_note(note, VIEW) for note in (wide, make_note(id="small", seq=2))]
    first = fitted(items, cursor=2, since=-1, budget_tokens=budget_tokens)
    second = fitted(items, cursor=2, since=first.cursor, budget_tokens=budget_tokens)

    assert first.notes[0]["note"] == "wide"
    assert "small" in [note["note"] for note in (*first.notes, *second.notes)]


def test_a_long_list_of_paths_is_cut_and_says_so() -> None:
    wide = make_note(paths=tuple(f"src/{'y' * 200}/{at}" for at in range(100)))
    [shown] = fitted([of_note(wide, VIEW)], cursor=1, since=0, budget_tokens=800).notes

    assert str(shown["paths"][-1]) == "… 97 more"  # type: ignore[index]
