"""Commits that cannot be read, in clones as people have them: what stands behind them is judged all the same."""

import json
import shutil
from pathlib import Path

import pytest

from tests.adapters.git.support import write
from tests.conftest import Run, git

OLD = "".join(f"first version of line {number} by ana\n" for number in range(9))
NEW = "".join(f"second version of line {number} by bea\n" for number in range(9))
LARGE = "".join(f"{number}: {'x' * 90}\n" for number in range(22_000))


def by(shop: Path, who: str, files: dict[str, str]) -> str:
    write(shop, files)
    git(shop, "add", "--all")
    git(shop, "-c", f"user.name={who}", "-c", f"user.email={who}@shop", "commit", "--quiet", "--message", "A change")
    return git(shop, "rev-parse", "HEAD")


@pytest.fixture
def bea(shop: Path) -> str:
    """What Bea changed of Ana's."""
    by(shop, "ana", {"rates.py": OLD, "kept.py": "a line that stays\n"})
    return by(shop, "bea", {"rates.py": NEW})


def lose(shop: Path, *names: str) -> None:
    for gone in [git(shop, "rev-parse", name) for name in names]:
        (shop / ".git/objects" / gone[:2] / gone[2:]).unlink()


def undone(loomstack: Run, cwd: Path) -> tuple[list[str], str]:
    """The changes that the audit finds to be taken back, and what it could not check."""
    found = json.loads(loomstack("audit", "--json", cwd=cwd).stdout)
    told = [one["undone"] for reversal in found["reversals"] for one in reversal["undoes"]]
    return told, " ".join(found["unchecked"])


def test_an_undo_behind_a_commit_that_cannot_be_read_is_found(shop: Path, bea: str, loomstack: Run) -> None:
    lost = by(shop, "cay", {"lost.py": "a line\n"})
    by(shop, "ana", {"lost.py": "another line\n", "kept.py": "a line that is changed\n"})
    by(shop, "ana", {"rates.py": OLD})
    lose(shop, "HEAD~2:lost.py")

    found, unchecked = undone(loomstack, shop)

    assert found == [bea]
    assert f"2 commits could not be read ({lost[:12]}, " in unchecked


def test_what_later_ones_did_to_what_could_not_be_read_is_counted(shop: Path, bea: str, loomstack: Run) -> None:
    by(shop, "cay", {"lost.py": "a line\n"})
    by(shop, "cay", {"lost.py": "another line\n"})
    by(shop, "ana", {"lost.py": "a third line\n"})
    by(shop, "ana", {"lost.py": "a fourth line\n"})
    by(shop, "ana", {"lost.py": "a fifth line\n", "kept.py": "a line that is changed\n"})
    lose(shop, "HEAD~4:lost.py")

    _, unchecked = undone(loomstack, shop)

    assert "2 commits could not be read" in unchecked
    assert "what 3 later ones did to their files was not judged against them" in unchecked


def test_a_clone_without_content_names_what_it_could_not_judge(
    shop: Path, bea: str, loomstack: Run, tmp_path: Path
) -> None:
    for number in range(3):
        by(shop, "ana", {"other.py": f"{number} is the line\n"})
    by(shop, "ana", {"rates.py": OLD})
    git(shop, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{shop}", "partial")
    shutil.move(shop, tmp_path / "gone")

    found, unchecked = undone(loomstack, tmp_path / "partial")

    # That the file is again what it was is told by the trees alone.
    assert found == [bea]
    assert "commits could not be read" in unchecked


def test_a_shallow_clone_blames_nobody_for_what_was_there_before(
    shop: Path, bea: str, loomstack: Run, tmp_path: Path
) -> None:
    by(shop, "ana", {"rates.py": OLD})
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{shop}", "shallow")

    found, unchecked = undone(loomstack, tmp_path / "shallow")

    assert found == []
    assert "this clone is shallow" in unchecked


def test_a_file_of_two_megabytes_hides_nothing(shop: Path, bea: str, loomstack: Run) -> None:
    by(shop, "ana", {"beside.py": OLD})
    large = by(shop, "bea", {"large.txt": LARGE, "beside.py": NEW})
    by(shop, "ana", {"kept.py": "a line that is changed\n"})
    by(shop, "ana", {"rates.py": OLD, "beside.py": OLD})

    found, unchecked = undone(loomstack, shop)

    assert (sorted(found), "could not be read" in unchecked) == (sorted([bea, large]), False)


def test_a_check_names_what_it_could_not_read_and_finds_the_rest(shop: Path, bea: str, loomstack: Run) -> None:
    by(shop, "cay", {"lost.py": "a line\n"})
    by(shop, "cay", {"lost.py": "another line\n"})
    lose(shop, "HEAD~1:lost.py")
    git(shop, "checkout", "--quiet", "-b", "mine")
    write(shop, {"rates.py": OLD})

    found = json.loads(loomstack("conflicts", "--json").stdout)
    again = json.loads(loomstack("conflicts", "--json").stdout)

    for done in (found, again):
        assert [one["commit"] for one in done["conflicts"]] == [bea]
        assert "2 commits could not be read" in " ".join(done["unchecked"])
