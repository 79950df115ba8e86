"""What is printed: nothing that moves a terminal, tables that fit, and JSON that any encoding holds."""

import contextlib
import io
import json
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from loomstack_mcp.cli.output import harmless, harmless_lines, print_record, print_rows, table

_TURNS = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
_MARKS = "\u061c\u200e\u200f"
NAMES = ("run", "state", "loop", "who", "goal", "paths", "branch", "age")

texts = st.text(st.characters(), max_size=60)
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, texts)), min_size=1, max_size=4)


def moves(character: str) -> bool:
    """Whether a terminal does something with it other than to show it (Unicode, UAX #9 and general categories)."""
    category = unicodedata.category(character)
    turns = unicodedata.bidirectional(character) in _TURNS or character in _MARKS
    return category in ("Cc", "Cs", "Zl", "Zp") or turns


@given(texts)
@example("\ud800\udc9b\u061c\u2028\u2066\x9b2J é😀")
def test_text_of_others_loses_what_moves_a_terminal_and_nothing_else(text: str) -> None:
    shown = harmless(text)

    assert [new for old, new in zip(text, shown, strict=True) if moves(old)] == [" "] * sum(map(moves, text))
    assert [new for new in shown if moves(new)] == []
    assert [(old, new) for old, new in zip(text, shown, strict=True) if old != new and not moves(old)] == []


@given(texts)
@example("\ud800\udc9b\u061c\u2028\u2066\x9b2J é😀")
def test_text_of_several_lines_keeps_its_line_feeds_alone(text: str) -> None:
    shown = harmless_lines(text)

    assert shown.count("\n") == text.count("\n")
    assert [new for new in shown if moves(new) and new != "\n"] == []


@given(rows, st.sampled_from([80, 120]))
def test_a_table_fits_its_terminal(listed: list[dict[str, str]], width: int) -> None:
    lines = table(listed, width=width).split("\n")

    assert len(lines) == len(listed) + 1
    assert max(map(len, lines)) <= width


@given(st.lists(st.fixed_dictionaries({"a": texts, "b": texts, "c": texts}), min_size=1), st.just(40))
def test_three_columns_fit_a_narrow_terminal(listed: list[dict[str, str]], width: int) -> None:
    assert max(map(len, table(listed, width=width).split("\n"))) <= width


@given(rows)
def test_a_table_for_a_pipe_cuts_nothing(listed: list[dict[str, str]]) -> None:
    shown = table(listed, width=0)

    assert [cell for row in listed for cell in row.values() if harmless(cell).rstrip() not in shown] == []


def test_a_column_without_anything_is_left_out_and_zero_is_something() -> None:
    listed = [{"a": "", "b": 0, "c": None, "d": [], "e": {"x": "", "y": 1}}, {"a": "", "b": 0, "c": None, "d": ()}]

    assert table(listed, width=0).split("\n") == ["B  E", "0  y=1", "0"]


def test_what_is_cut_says_so() -> None:
    shown = table([{"goal": "split the module in two", "who": "ana"}], width=20).split("\n")

    assert shown == ["GOAL             WHO", "split the modu…  ana"]


def test_ids_and_paths_stay_whole_while_there_is_other_text_to_cut() -> None:
    listed = [
        {
            "run": "run_0123ABCD", "loop": "refactor-billing", "goal": "split it " * 9, "who": "ana",
            "paths": ["src/billing/invoices/tax.py"],
        }
    ]  # fmt: skip
    shown = table(listed, width=64)

    assert max(map(len, shown.split("\n"))) <= 64
    assert "run_0123ABCD" in shown
    assert "src/billing/invoices/tax.py" in shown
    assert "…" in shown


def test_paths_give_way_before_ids() -> None:
    listed = [{"claim": "claim_0123ABCD", "run": "run_0123ABCD", "paths": ["src/" + "a" * 300]}]
    shown = table(listed, width=60)

    assert "claim_0123ABCD  run_0123ABCD  src/a" in shown
    assert max(map(len, shown.split("\n"))) == 60


@given(rows)
def test_json_is_one_document_of_one_line_in_any_encoding(listed: list[dict[str, str]]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        print_rows(listed, as_json=True, empty="")
        print_record(listed[0], as_json=True)
    shown = printed.getvalue()

    assert [json.loads(line) for line in shown.split("\n")[:-1]] == [listed, listed[0]]
    assert shown.isascii()
