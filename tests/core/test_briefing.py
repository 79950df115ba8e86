"""Ranking and fitting."""

import json

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.briefing.fitting import fitted
from loomstack_mcp.core.briefing.items import View, of_claim, of_note
from loomstack_mcp.core.cochange import together
from loomstack_mcp.core.phrases import age
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
