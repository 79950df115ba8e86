"""The line that a case is quoted by, read from git."""

from dataclasses import replace
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.audit import audited
from loomstack_mcp.adapters.git.lost_lines import FileLines, LostLine, lost_line
from tests.conftest import git
from tests.deltas import opened_repository

OLD = "".join(f"def price_{number}(item):\n    return item.price * {number}00\n" for number in range(1, 7))
NEW = f"def net_price(item, rate, discount):\n    return apply_rate(item, rate) - discount\n{OLD}"


def land(folder: Path, text: str, author: str) -> None:
    (folder / "prices.py").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", f"{author} <{author}@shop>", "-m", f"Prices of {author}")


@pytest.fixture
def undone(shop: Path) -> Path:
    for author, text in (("root", OLD), ("bea", NEW), ("ana", OLD)):
        land(shop, text, author)
    return shop


def quoted(folder: Path, *, missing: int) -> LostLine | None:
    with opened_repository(folder) as repo:
        [one, *_] = audited(repo, progress=lambda *_: None).reversals
        return lost_line(FileLines(repo), replace(one, lost=2, missing=missing), head=repo.commit("HEAD"))


def test_of_what_went_the_line_that_says_most_is_quoted(undone: Path) -> None:
    assert quoted(undone, missing=2) == LostLine(text="    return apply_rate(item, rate) - discount", path="prices.py")


def test_what_is_still_missing_goes_before_what_is_back(undone: Path) -> None:
    land(undone, f"{OLD}    return apply_rate(item, rate) - discount\n", "cleo")

    assert quoted(undone, missing=1) == LostLine(text="def net_price(item, rate, discount):", path="prices.py")
    assert quoted(undone, missing=0) == LostLine(text="    return apply_rate(item, rate) - discount", path="prices.py")


def test_of_a_file_that_is_gone_all_lines_went(shop: Path) -> None:
    for author, text in (("bea", NEW), ("root", f"{NEW}# more\n")):
        land(shop, text, author)
    (shop / "prices.py").unlink()
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--author", "ana <ana@shop>", "-m", "Away")

    assert quoted(shop, missing=14) == LostLine(text="    return apply_rate(item, rate) - discount", path="prices.py")


def test_what_has_no_lines_is_not_quoted(shop: Path) -> None:
    for author, content in (("root", b"\0old" * 99), ("bea", b"\0new" * 99), ("ana", b"\0old" * 99)):
        (shop / "image.bin").write_bytes(content)
        git(shop, "add", "--all")
        git(shop, "commit", "--quiet", "--author", f"{author} <{author}@shop>", "-m", f"Image of {author}")

    assert quoted(shop, missing=0) is None
