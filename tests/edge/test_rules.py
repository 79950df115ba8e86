"""The rules that hold: each change of a file or of the trunk is seen at the next call, in every worktree."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import Invalid, NotFound, PolicyError
from loomstack_mcp.edge.rules import Rules
from tests.adapters.git.support import commit
from tests.conftest import git
from tests.edge.support import here, ids, landed_rules, rules


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[Path], Rules]:
    return lambda folder: here(folder, tmp_path / "home").rules


@pytest.fixture
def clone(shop: Path, tmp_path: Path) -> Path:
    landed_rules(shop, "first")
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    return tmp_path / "clone"


def test_a_file_of_rules_counts_once_it_is_written_and_its_removal_once_it_landed(
    shop: Path, seen: Callable[[Path], Rules]
) -> None:
    landed_rules(shop, "first")
    git(shop, "checkout", "--quiet", "-b", "work")
    found = seen(shop)
    before = ids(found.book())
    rules(shop, "second")
    written = ids(found.book())
    commit(shop, {})
    committed = ids(found.book())
    git(shop, "branch", "--quiet", "--force", "main", "work")

    assert (before, written, committed) == (["first"], ["first", "second"], ["first", "second"])
    assert ids(found.book()) == ["second"]


def test_a_trunk_that_moved_within_a_tick_of_the_clock_has_moved(shop: Path, seen: Callable[[Path], Rules]) -> None:
    landed_rules(shop, "first")
    git(shop, "checkout", "--quiet", "-b", "work")
    landed_rules(shop, "second")
    found = seen(shop)
    ref = shop / ".git/refs/heads/main"
    before, about = ids(found.book()), ref.stat()
    git(shop, "branch", "--quiet", "--force", "main", "work")
    os.utime(ref, ns=(about.st_atime_ns, about.st_mtime_ns))

    assert (before, ids(found.book())) == (["first", "second"], ["second"])


def test_what_others_landed_counts_once_it_is_fetched(clone: Path, shop: Path, seen: Callable[[Path], Rules]) -> None:
    """Also where the local branch stood for the trunk so far, and in a worktree of another branch."""
    git(clone, "worktree", "add", "--quiet", "-b", "work", str(clone.parent / "linked"))
    both = seen(clone), seen(clone.parent / "linked")
    before = [ids(one.book()) for one in both]
    landed_rules(shop, "first", "second")
    unfetched = [ids(one.book()) for one in both]
    git(clone, "fetch", "--quiet")

    assert before == unfetched == [["first"], ["first"]]
    assert [ids(one.book()) for one in both] == [["first", "second"], ["first", "second"]]


def test_packing_the_refs_or_another_default_branch_moves_the_trunk(clone: Path, seen: Callable[[Path], Rules]) -> None:
    found = seen(clone)
    git(clone, "checkout", "--quiet", "-b", "work")
    landed_rules(clone, "second")
    before = ids(found.book())
    git(clone, "update-ref", "refs/remotes/origin/next", "work")
    git(clone, "pack-refs", "--all")
    packed = ids(found.book())
    git(clone, "remote", "set-head", "origin", "next")
    rules(clone)

    assert (before, packed, ids(found.book())) == (["first", "second"], ["first", "second"], ["second"])


@pytest.mark.parametrize("packed", ["pack-refs --all", "status"])
def test_the_only_branch_that_there_is_stands_for_the_trunk(
    shop: Path, seen: Callable[[Path], Rules], packed: str
) -> None:
    git(shop, "branch", "--quiet", "--move", "work")
    landed_rules(shop, "first")
    git(shop, "worktree", "add", "--quiet", "--detach", str(shop.parent / "linked"))
    found, linked = seen(shop), seen(shop.parent / "linked")
    git(shop, *packed.split())
    before = [ids(one.book()) for one in (found, linked)]
    rules(shop)
    removed = ids(found.book())
    commit(shop, {})
    landed = ids(found.book())
    git(shop.parent / "linked", "checkout", "--quiet", "--detach", "work")

    assert (before, removed, landed) == ([["first"], ["first"]], ["first"], [])
    assert ids(linked.book()) == []


def test_where_no_trunk_can_be_told_a_branch_does_not_judge_itself(shop: Path, seen: Callable[[Path], Rules]) -> None:
    git(shop, "branch", "--quiet", "--move", "unusual")
    git(shop, "checkout", "--quiet", "-b", "work")
    landed_rules(shop, "first")
    found = seen(shop)

    with pytest.raises(NotFound, match="no trunk can be told"):
        found.book()
    git(shop, "config", "init.defaultBranch", "unusual")
    git(shop, "rm", "--quiet", "-r", "policies")
    assert ids(found.book()) == []


def test_each_worktree_has_its_own_tightening(clone: Path, seen: Callable[[Path], Rules]) -> None:
    git(clone, "worktree", "add", "--quiet", "-b", "work", str(clone.parent / "linked"))
    found, linked = seen(clone), seen(clone.parent / "linked")
    rules(clone.parent / "linked", "first", "mine")

    assert (ids(found.book()), ids(linked.book())) == (["first"], ["first", "mine"])


def test_the_organisation_s_rules_are_read_again_too(shop: Path, tmp_path: Path, seen: Callable[[Path], Rules]) -> None:
    found = seen(shop)
    before = ids(found.book())
    rules(tmp_path / "home", "company")
    written = ids(found.book())
    (tmp_path / "home/policies/company.yaml").unlink()

    assert (before, written, ids(found.book())) == ([], ["company"], [])


def test_rules_that_do_not_load_are_refused_until_they_do(shop: Path, seen: Callable[[Path], Rules]) -> None:
    found = seen(shop)
    ids(found.book())
    (shop / "policies").mkdir()
    (shop / "policies/new.yaml").write_text("rules: [")
    for _ in range(2):
        with pytest.raises(PolicyError, match=r"policies/new\.yaml"):
            found.book()
    rules(shop, "new")

    assert ids(found.book()) == ["new"]


def test_the_first_commit_beside_a_remote_makes_no_trunk_of_its_branch(
    tmp_path: Path, seen: Callable[[Path], Rules]
) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=work", "new")
    git(tmp_path / "new", "remote", "add", "origin", "https://git.localhost/acme/new.git")
    rules(tmp_path / "new", "first")
    found = seen(tmp_path / "new")
    before = ids(found.book())
    commit(tmp_path / "new", {})

    assert before == ["first"]
    with pytest.raises(NotFound, match="no trunk can be told"):
        found.book()


def test_before_the_first_commit_the_files_are_the_rules(tmp_path: Path, seen: Callable[[Path], Rules]) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "new")
    rules(tmp_path / "new", "first")
    found = seen(tmp_path / "new")
    before = ids(found.book())
    commit(tmp_path / "new", {})
    rules(tmp_path / "new")

    assert (before, ids(found.book())) == (["first"], ["first"])


@pytest.mark.parametrize(
    ("action", "paths", "touched"),
    [
        ("edit", ["src/a.py"], {("src/a.py", False)}),
        ("edit", ["src"], {("src", True)}),
        ("edit", ["new"], {("new", False), ("new", True)}),
        ("edit", ["src/*.py"], {("src", True)}),
        ("commit", [], {("README.md", False)}),
        ("land", [], {("src/b.py", False)}),
    ],
)
def test_what_an_agent_is_about_to_do_touches_what_it_names_or_what_git_would_take(
    shop: Path, seen: Callable[[Path], Rules], action: str, paths: list[str], touched: set[tuple[str, bool]]
) -> None:
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {"src/b.py": "2\n"})
    (shop / "README.md").write_text("staged\n")
    git(shop, "add", "README.md")
    with seen(shop).situation(action, paths, command="", target="", base="") as situation:  # type: ignore[arg-type]
        found = {(one.path, one.is_folder) for one in situation.touched or ()}

    assert found == touched
    assert situation.branch == ("main" if action == "land" else "work")


def test_an_edit_that_names_nothing_is_no_edit(shop: Path, seen: Callable[[Path], Rules]) -> None:
    with (
        pytest.raises(Invalid, match="name the paths"),
        seen(shop).situation("edit", [], command="", target="", base=""),
    ):
        pass
