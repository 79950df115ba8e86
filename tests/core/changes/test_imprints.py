"""What a change is known again by: its lines, wherever they land, and never a name alone."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from loomstack_mcp.core.changes.hunks import FileChange, Hunk
from loomstack_mcp.core.changes.imprints import Imprint, KnownRun, imprint, recognised

LINES = st.lists(
    st.integers(1, (1 << 58) - 1).map(lambda number: number << 6 | 20), min_size=4, max_size=30, unique=True
)
NAMES = st.sampled_from(["src/a.py", "src/ü.py", "b\udcff.txt"])


def file(path: str, removed: tuple[int, ...], added: tuple[int, ...], *, at: int = 1, old_path: str = "") -> FileChange:
    hunk = Hunk(before=at, before_lines=1, after=at, after_lines=1, removed=removed, added=added)
    return FileChange(path=path, old_path=old_path or path, before="1", after="2", hunks=(hunk,))


def known(run_id: str, *made: Imprint, of: Imprint) -> KnownRun:
    marks = frozenset(mark for one in made for mark in one.marks)
    return KnownRun(run_id=run_id, shared=marks & of.marks, size=len(marks))


@given(lines=LINES, name=NAMES, places=st.tuples(st.integers(1, 900), st.integers(1, 900)), cut=st.integers(0, 30))
def test_neither_place_nor_hunks_nor_order_change_it(
    lines: list[int], name: str, places: tuple[int, int], cut: int
) -> None:
    one = file(name, (), tuple(lines), at=places[0])
    parts = [file(name, (), tuple(part), at=places[1]).hunks[0] for part in (lines[cut:], lines[:cut])]

    assert imprint((replace(one, hunks=tuple(parts)),)) == imprint((one,))


@given(lines=LINES, others=LINES)
def test_its_marks_fit_a_column_and_are_not_those_of_its_undo(lines: list[int], others: list[int]) -> None:
    gone = tuple(line for line in others if line not in lines)
    made = imprint((file("a.py", gone, tuple(lines)),))
    undo = imprint((file("a.py", tuple(lines), gone),))

    assert all(-(1 << 63) <= mark < 1 << 63 for mark in made.marks)
    assert made.marks.isdisjoint(undo.marks)
    assert recognised(undo, [known("run_1", made, of=undo)], hints=("run_1",)) is None


@given(lines=LINES, kept=st.floats(0, 1), hinted=st.booleans())
def test_lines_alone_bind_from_four_fifths_on_and_named_ones_from_three_fifths(
    lines: list[int], kept: float, hinted: bool
) -> None:
    count = round(len(lines) * kept)
    landed = imprint((file("a.py", (), tuple(lines)),))
    made = imprint((file("other.py", (), (*lines[:count], 7 << 6 | 20)),))
    found = recognised(landed, [known("run_1", made, of=landed)], hints=("run_1",) if hinted else ())

    assert (found is not None) == (count / len(lines) >= (0.6 if hinted else 0.8))


def test_a_whole_file_and_three_fifths_of_the_lines_bind() -> None:
    a, b, other = (tuple((at << 6 | 20) for at in range(start, start + 3)) for start in (10, 20, 30))
    landed = imprint((file("a.py", (), a), file("b.py", (), (*b[:2],))))
    made = imprint((file("a.py", (), a), file("b.py", (), other)))
    found = recognised(landed, [known("run_1", made, of=landed)])

    assert found
    assert (found.bound_by, found.share) == ("files", 0.6)


def test_of_two_who_made_the_same_it_is_the_first_s() -> None:
    made = imprint((file("a.py", (), tuple(at << 6 | 20 for at in range(1, 9))),))
    found = recognised(made, [known("run_1", made, of=made), known("run_2", made, of=made)])

    assert found
    assert (found.run_id, found.bound_by) == ("run_1", "patch")


def test_a_change_that_says_next_to_nothing_is_nobody_s_unless_it_is_named() -> None:
    made = imprint((file("a.py", (1 << 6 | 1,), (2 << 6 | 1,)),))
    run = known("run_1", made, of=made)

    assert recognised(made, [run]) is None
    assert recognised(made, [run], hints=("run_1",)) is not None
    assert recognised(made, [], hints=("run_1",)) is None


def test_what_machines_write_does_not_count() -> None:
    assert imprint((file("package-lock.json", (), (9 << 6 | 20,)),)) == Imprint()
