"""Which ref changes land on, as refs come, go and move."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.trunk import named_by
from tests.adapters.git.support import commit
from tests.conftest import git
from tests.deltas import opened_repository

ORIGIN = "refs/remotes/origin"


def trunk(folder: Path) -> str:
    with opened_repository(folder) as repo:
        return repo.trunk


@pytest.fixture
def clone(shop: Path, tmp_path: Path) -> Path:
    """A clone of a shop whose default branch has a name of its own."""
    git(shop, "branch", "--quiet", "--move", "main", "release/next")
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    return tmp_path / "clone"


def test_the_default_branch_of_origin_is_the_trunk_and_its_local_branch_stands_for_it(clone: Path) -> None:
    assert trunk(clone) == "refs/heads/release/next"
    git(clone, "checkout", "--quiet", "--detach")
    git(clone, "branch", "--quiet", "--delete", "--force", "release/next")
    assert trunk(clone) == f"{ORIGIN}/release/next"


def test_the_local_branch_counts_while_it_is_ahead_and_no_longer(clone: Path, shop: Path) -> None:
    commit(clone, {"mine": "1\n"})
    ahead = trunk(clone)
    commit(shop, {"theirs": "1\n"})
    git(clone, "fetch", "--quiet")
    diverged = trunk(clone)
    git(clone, "reset", "--quiet", "--hard", f"{ORIGIN}/release/next~")
    behind = trunk(clone)
    git(clone, "checkout", "--quiet", "--orphan", "new")
    commit(clone, {"new": "1\n"})
    git(clone, "branch", "--quiet", "--force", "release/next")

    assert (ahead, diverged, behind) == ("refs/heads/release/next", *[f"{ORIGIN}/release/next"] * 2)
    assert trunk(clone) == f"{ORIGIN}/release/next"


def test_packed_refs_are_refs(clone: Path, shop: Path) -> None:
    commit(shop, {"theirs": "1\n"})
    git(clone, "fetch", "--quiet")
    git(clone, "pack-refs", "--all", "--prune")
    git(clone, "worktree", "add", "--quiet", "--detach", str(clone.parent / "linked"))

    assert not (clone / ".git" / ORIGIN / "release/next").exists()
    assert trunk(clone) == trunk(clone.parent / "linked") == f"{ORIGIN}/release/next"


def test_a_default_branch_that_is_gone_gives_way_to_a_usual_name(clone: Path) -> None:
    git(clone, "update-ref", f"{ORIGIN}/master", "HEAD")
    git(clone, "update-ref", "-d", f"{ORIGIN}/release/next")

    assert trunk(clone) == f"{ORIGIN}/master"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("heads/develop", "heads/trunk", "heads/master"), "refs/heads/master"),
        (("heads/develop", "heads/trunk"), "refs/heads/trunk"),
        (("heads/main", "remotes/origin/master"), f"{ORIGIN}/master"),
        (("heads/master", "remotes/origin/master"), "refs/heads/master"),
        (("remotes/upstream/main", "tags/main", "heads/work"), ""),
    ],
)
def test_without_one_a_usual_name_counts_of_origin_first(shop: Path, names: tuple[str, ...], expected: str) -> None:
    git(shop, "checkout", "--quiet", "--detach")
    for name in names:
        git(shop, "update-ref", f"refs/{name}", "HEAD")
    for name in {"heads/main"} - set(names):
        git(shop, "update-ref", "-d", f"refs/{name}")

    assert trunk(shop) == expected


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        ("ref: refs/heads/main\n", "refs/heads/main"),
        ("ref:refs/heads/a/b", "refs/heads/a/b"),
        ("ref:\t refs/heads/main \n", "refs/heads/main"),
        ("ref: elsewhere\n", ""),
        ("1" * 40, ""),
        ("", ""),
    ],
)
def test_a_symbolic_ref_names_another(tmp_path: Path, kept: str, named: str) -> None:
    (tmp_path / "HEAD").write_text(kept)
    (tmp_path / "link").symlink_to("refs/heads/old")  # as core.preferSymlinkRefs has it

    assert named_by(tmp_path / "HEAD") == named
    assert named_by(tmp_path / "link") == "refs/heads/old"
    assert named_by(tmp_path) == named_by(tmp_path / "none") == ""
