"""Output parted while it comes: whatever stands in it, and however git ends."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git.printed import Printed
from tests.deltas import opened_repository

MARKS = (b"<1>", b"<2>", b"<3>")
TEXT = st.lists(st.sampled_from([*MARKS, b"<", b"1", b">", b"<1", b"\0", b"\n"]), max_size=12).map(b"".join)


def parts(folder: Path, printed: bytes, *, then: str = "true") -> list[bytes]:
    """What git printed, parted: git runs a command of ours that gives back what it gets."""
    with (
        opened_repository(folder) as repo,
        Printed(repo, "-c", f"alias.say=!cat; {then}", "say", stdin=printed) as said,
    ):
        return list(said.parts(MARKS))


def parted(printed: bytes) -> list[bytes]:
    """The same, of all the text at once."""
    places: list[int] = []
    for mark in MARKS:
        if (at := printed.find(mark, places[-1] + 1 if places else 0)) < 0:
            break
        places.append(at)
    ends = [*places[1:], len(printed)]
    return [printed[begin:end] for begin, end in zip(places, ends, strict=False)]


@given(printed=TEXT)
@settings(max_examples=15)
def test_each_part_goes_from_its_mark_to_the_next(tmp_path_factory: pytest.TempPathFactory, printed: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "printed"
    with_git(folder)
    expected = parted(printed)

    assert parts(folder, printed) == expected
    assert parts(folder, printed, then="exit 3") == expected[:-1]


def with_git(folder: Path) -> None:
    for name in ("objects", "refs"):
        (folder / ".git" / name).mkdir(parents=True, exist_ok=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text("[core]\n\tbare = false\n")


@pytest.mark.parametrize("then", ["exit 1", "kill -9 $$"])
def test_where_git_failed_the_last_part_may_be_cut_and_is_left_out(shop: Path, then: str) -> None:
    assert parts(shop, b"<1>one<2>two<3>thr", then=then) == [b"<1>one", b"<2>two"]


def test_a_part_larger_than_what_is_read_at_once_is_whole(shop: Path) -> None:
    found = parts(shop, b"<1>", then="head -c 3000000 /dev/zero; printf '<2>'; head -c 3000000 /dev/zero")

    assert found == [b"<1>" + bytes(3_000_000), b"<2>" + bytes(3_000_000)]


def test_a_mark_that_comes_in_two_pieces_is_found(shop: Path) -> None:
    pieces = "printf %04096d 0; printf '<'; sleep 0.05; printf '2'; sleep 0.05; printf '>x'"

    assert parts(shop, b"<1>", then=pieces) == [b"<1>" + b"0" * 4_096, b"<2>x"]


def test_a_git_that_is_no_longer_wanted_is_ended(shop: Path) -> None:
    with opened_repository(shop) as repo, Printed(repo, "-c", "alias.say=!exec yes", "say", stdin=b"") as said:
        first = next(said.parts((b"y", b"y", b"y")))

    assert (first, said._process.returncode) == (b"y\n", -9)


def test_a_command_that_ends_at_once_has_no_parts(shop: Path) -> None:
    with opened_repository(shop) as repo, Printed(repo, "log", "--no-such-option", stdin=b"x" * 1_000_000) as said:
        assert list(said.parts(MARKS)) == []
