"""Work that has landed already by another commit: real servers, real branches, one store."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, commit_all, git
from tests.wire import Server

TAX = [f"def tax_of_{name}(amount, country):" for name in ("books", "bread", "wine", "shoes", "cars")]
FIX = "".join(
    f"def rounded_{name}(amount):\n    cents = round(amount * 100, places_of('{name}'))\n    return cents / 100\n\n\n"
    for name in ("total", "shipping")
)
OTHER = "def discount_for(customer):\n    years = customer.years_with_us\n    return min(years, 10) * 0.01\n\n\n"


@pytest.fixture
def trunk(shop: Path) -> Path:
    (shop / "src/tax.py").write_text("".join(f"{line}\n    return amount * rate(country)\n\n\n" for line in TAX))
    commit_all(shop, "Taxes")
    return shop


@pytest.fixture
def branch(trunk: Path) -> Path:
    """Ana's worktree, which left the trunk before anything below lands."""
    git(trunk, "worktree", "add", "--quiet", "-b", "ana", str(trunk.parent / "ana"), "main")
    return trunk.parent / "ana"


def add(folder: Path, text: str, message: str, *, path: str = "src/tax.py", author: str = "Ana <ana@shop>") -> str:
    """Commit some code at the end of a file."""
    with (folder / path).open("a") as file:
        file.write(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--author", author, "-m", message)
    return git(folder, "rev-parse", "HEAD")


def land(trunk: Path, text: str, message: str = "Round to cents", **given: Any) -> str:
    return add(trunk, text, message, author="Bea <bea@shop>", **given)


def squash(trunk: Path, branch: str, message: str) -> str:
    git(trunk, "merge", "--quiet", "--squash", branch)
    commit_all(trunk, message)
    return git(trunk, "rev-parse", "HEAD")


@pytest.fixture
def check(branch: Path, serve: Callable[..., Server]) -> Callable[[], Any]:
    server = serve(cwd=branch)
    server.answer("start_run", loop="triage", goal="green")
    return lambda: server.answer("check_conflicts")


def repeated(found: Any) -> list[tuple[str, str]]:
    kinds = [(one["kind"], one["verdict"]) for one in found.get("conflicts", ())]
    assert kinds == [("already_landed", "warn")] * len(kinds)
    assert found["verdict"] == ("warn" if kinds else "clear")
    return [(one["commit"], one["evidence"]) for one in found.get("conflicts", ())]


def test_work_fixed_meanwhile_is_told_with_commit_and_author(
    trunk: Path, branch: Path, check: Callable[[], Any]
) -> None:
    add(branch, FIX, "Fix rounding")
    sha = land(trunk, FIX)

    [conflict] = check()["conflicts"]

    assert conflict["evidence"] == "it has 100% of what this branch does"
    assert (conflict["kind"], conflict["verdict"], conflict["who"]) == ("already_landed", "warn", "Bea")
    assert (conflict["commit"], conflict["title"], conflict["paths"]) == (sha[:12], "Round to cents", ["src/tax.py"])
    assert conflict["do"] == f"main has this as {sha[:10]} already: rebase onto main, and land only what is new."


def test_what_lies_uncommitted_is_looked_at_too(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    (branch / "src/tax.py").write_text((branch / "src/tax.py").read_text() + FIX)
    sha = land(trunk, FIX)

    assert repeated(check()) == [(sha[:12], "it has 100% of what this branch does")]


def test_one_of_several_commits_is_named(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    mine = add(branch, FIX, "Fix rounding")
    add(branch, OTHER * 3, "Discounts", path="src/discounts.py")
    sha = land(trunk, FIX + OTHER.replace("discount", "rebate").replace("years", "orders"))

    assert repeated(check()) == [(sha[:12], f"it has 100% of {mine[:10]}")]


def test_a_part_of_one_large_commit_is_found(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    add(branch, FIX + OTHER * 5, "Rounding and discounts")
    sha = land(trunk, FIX)

    assert repeated(check()) == [(sha[:12], "100% of what it did is done here again")]


def test_a_branch_that_goes_on_after_its_squash_merge_is_told(
    trunk: Path, branch: Path, check: Callable[[], Any]
) -> None:
    one = add(branch, FIX, "Fix rounding")
    two = add(branch, OTHER, "Discounts", path="src/discounts.py")
    sha = squash(trunk, "ana", "Rounding and discounts (#12)")
    add(branch, OTHER.replace("discount", "rebate").replace("years", "orders") * 4, "Rebates", path="src/rebates.py")

    assert repeated(check()) == [(sha[:12], f"it has 100% of {one[:10]}, {two[:10]}")]


@pytest.mark.parametrize("how", [("rebase", "--quiet", "main"), ("merge", "--quiet", "-X", "ours", "main")])
def test_nothing_is_told_once_the_branch_has_the_trunk(
    trunk: Path, branch: Path, check: Callable[[], Any], how: Sequence[str]
) -> None:
    add(branch, FIX, "Fix rounding")
    squash(trunk, "ana", "Rounding (#12)")
    add(branch, OTHER, "Discounts", path="src/discounts.py")
    assert len(repeated(check())) == 1

    git(branch, *how)

    assert repeated(check()) == []


def test_what_the_trunk_took_back_may_land_again(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    add(branch, FIX, "Fix rounding")
    add(branch, OTHER, "Discounts", path="src/discounts.py")
    squash(trunk, "ana", "Rounding and discounts (#12)")
    git(trunk, "revert", "--no-edit", "HEAD")

    assert repeated(check()) == []


def test_what_landed_again_after_that_is_told_by_its_new_commit(
    trunk: Path, branch: Path, check: Callable[[], Any]
) -> None:
    add(branch, FIX, "Fix rounding")
    land(trunk, FIX)
    git(trunk, "revert", "--no-edit", "HEAD")
    git(trunk, "revert", "--no-edit", "HEAD")

    assert [sha for sha, _ in repeated(check())] == [git(trunk, "rev-parse", "HEAD")[:12]]


def test_a_commit_that_the_branch_took_back_itself_is_no_repeat(
    trunk: Path, branch: Path, check: Callable[[], Any]
) -> None:
    add(branch, FIX, "Fix rounding")
    git(branch, "revert", "--no-edit", "HEAD")
    add(branch, OTHER, "Discounts", path="src/discounts.py")
    land(trunk, FIX)

    assert repeated(check()) == []


def test_new_work_beside_what_landed_is_clear(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    add(branch, OTHER, "Discounts")
    land(trunk, FIX)

    assert repeated(check()) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/tax.py", "import collections.abc\nfrom shop.money.rounding import half_even, half_up\nimport decimal\n"),
        ("src/__init__.py", "__version__ = '2.11.0'\n"),
        ("package.json", '{\n  "name": "the-name-of-the-shop",\n  "version": "12.10.11"\n}\n'),
        ("src/tax.py", "    else:\n        pass\n    }\n)\n"),
        ("poetry.lock", FIX),
        ("CHANGELOG.md", FIX),
        ("gen/models.py", FIX),
    ],
    ids=("imports", "version", "manifest", "braces", "lock", "changelog", "generated"),
)
def test_what_says_nothing_is_no_work_done_twice(
    trunk: Path, branch: Path, check: Callable[[], Any], path: str, text: str
) -> None:
    (trunk / ".gitattributes").write_text("gen/** linguist-generated\n")
    commit_all(trunk, "Generated files")
    git(branch, "merge", "--quiet", "main")
    for folder, author in ((branch, "Ana <ana@shop>"), (trunk, "Bea <bea@shop>")):
        (folder / path).parent.mkdir(exist_ok=True)
        add(folder, text, "The same", path=path, author=author)

    assert repeated(check()) == []


def test_one_line_counts_where_the_whole_patch_is_the_same(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    line = "DEFAULT_COUNTRY_OF_CUSTOMERS = 'Norway'\n"
    add(branch, line, "A default")
    sha = land(trunk, line)

    assert repeated(check()) == [(sha[:12], "it has 100% of what this branch does")]


def test_one_line_among_others_is_chance(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    line = "DEFAULT_COUNTRY_OF_CUSTOMERS = 'Norway'\n"
    add(branch, line, "A default")
    land(trunk, line + FIX)

    assert repeated(check()) == []


def test_a_file_that_was_renamed_there_is_followed(trunk: Path, branch: Path, check: Callable[[], Any]) -> None:
    add(branch, FIX, "Fix rounding")
    git(trunk, "mv", "src/tax.py", "src/taxes.py")
    commit_all(trunk, "Taxes have a file of that name")
    sha = land(trunk, FIX, path="src/taxes.py")

    assert repeated(check()) == [(sha[:12], "it has 100% of what this branch does")]


def test_people_and_the_gate_are_told_the_same(trunk: Path, branch: Path, loomstack: Run) -> None:
    add(branch, FIX, "Fix rounding")
    add(branch, OTHER, "Discounts", path="src/discounts.py")
    sha = land(trunk, FIX, "Round to cents")

    shown = loomstack("conflicts", cwd=branch)
    judged = loomstack("gate", "--base", "main", "--head", "ana", "--json", cwd=branch)

    assert shown.returncode == judged.returncode == 0
    assert f"WARN  This repeats {sha[:10]} of Bea" in shown.stdout
    [conflict] = json.loads(judged.stdout)["conflicts"]
    assert (conflict["kind"], conflict["commit"], conflict["who"]) == ("already_landed", sha[:12], "Bea")


def test_it_is_nobody_elses_conflict(trunk: Path, branch: Path, check: Callable[[], Any], loomstack: Run) -> None:
    add(branch, FIX, "Fix rounding")
    land(trunk, FIX)
    found = check()

    assert "conflict" not in found["conflicts"][0]
    assert json.loads(loomstack("conflicts", "--json").stdout)["open"] == []


def test_what_does_not_merge_takes_back_nothing_that_landed_beside_it(
    trunk: Path, branch: Path, loomstack: Run
) -> None:
    add(branch, FIX, "Fix rounding")
    sha = land(trunk, FIX + OTHER)
    land(trunk, OTHER, "Other work", path="src/b.py")
    add(branch, OTHER.replace("discount", "rebate"), "Rebates")
    loomstack("conflicts", cwd=branch)  # which makes the store

    judged = json.loads(loomstack("gate", "--base", "main", "--head", "ana", "--json", cwd=branch).stdout)

    assert "do not merge" in judged["gaps"][0]
    assert [(one["kind"], one["commit"]) for one in judged["conflicts"]] == [("already_landed", sha[:12])]
