"""What plain git says of a worktree, in every state a worktree can be in."""

import os
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.cochange import changed_with
from loomstack_mcp.adapters.git.discovery import Unreadable
from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.worktree import Worktree, worktree_at
from tests.conftest import commit_all, git


def at(folder: Path) -> Worktree:
    worktree = worktree_at(folder)
    assert worktree
    return worktree


def identity(folder: Path) -> str:
    return at(folder).checkout().identity


def test_a_repository_is_found_from_any_folder_in_it(shop: Path) -> None:
    assert at(shop / "app" / "[id]").root == shop


def test_a_folder_outside_of_git_and_a_bare_repository_have_no_worktree(tmp_path: Path, shop: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")

    assert worktree_at(tmp_path) is None
    assert worktree_at(tmp_path / "bare.git") is None
    assert worktree_at(tmp_path / "missing") is None


def test_without_an_origin_the_root_commit_names_the_repository(shop: Path, tmp_path: Path) -> None:
    root = git(shop, "rev-list", "--max-parents=0", "HEAD")
    git(tmp_path, "clone", "--quiet", str(shop), "clone")
    git(tmp_path, "clone", "--quiet", f"file://{tmp_path}/clone", "clone-of-clone")
    git(shop, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))

    assert identity(shop) == f"root:{root[:16]}"
    assert {identity(tmp_path / name) for name in ("clone", "clone-of-clone", "tree")} == {identity(shop)}


def test_an_origin_names_the_repository_whatever_its_spelling(shop: Path) -> None:
    git(shop, "remote", "add", "origin", "git@GitHub.com:acme/shop.git")

    assert identity(shop) == "github.com/acme/shop"


def test_an_origin_that_is_gone_or_points_to_itself_is_survived(shop: Path) -> None:
    git(shop, "remote", "add", "origin", "/gone/away")
    gone = identity(shop)
    git(shop, "remote", "set-url", "origin", ".")

    assert gone.startswith("folder:")
    assert identity(shop).startswith("root:")


def test_a_branch_is_named_and_a_detached_head_is_not(shop: Path) -> None:
    git(shop, "switch", "--quiet", "--create", "loop/ü")
    named = at(shop).checkout().branch
    git(shop, "switch", "--quiet", "--detach")

    assert named == "loop/ü"
    assert at(shop).checkout().branch == ""


def test_settings_of_the_repository_come_from_its_trunk(shop: Path) -> None:
    name = ".loomstack/config.yaml"
    (shop / ".loomstack").mkdir()
    (shop / name).write_text("repo: trunk\n")
    commit_all(shop)
    git(shop, "switch", "--quiet", "--create", "feature")
    (shop / name).write_text("repo: feature\n")
    commit_all(shop)
    on_feature = at(shop).on_trunk(name)
    git(shop, "update-ref", "refs/remotes/origin/release", "HEAD")
    git(shop, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release")

    assert on_feature == "repo: trunk"
    assert at(shop).on_trunk(name) == "repo: feature"
    assert at(shop).on_trunk("missing") == ""


def test_inherited_git_variables_do_not_point_elsewhere(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))

    assert at(shop).root == shop


def test_without_git_a_worktree_is_unreadable_and_a_folder_without_its_mark_is_none(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(Unreadable, match="there is no git on PATH"):
        worktree_at(shop)
    assert worktree_at(shop.parent) is None


def test_paths_mean_what_they_name_on_disk(shop: Path) -> None:
    (shop / "link").symlink_to("src")

    assert at(shop).both_ends("app/[id]") == ("app/\\[id\\]/",)
    assert at(shop).both_ends(str(shop / "src")) == ("src/",)
    assert at(shop).both_ends("link") == ("link",)


def test_history_says_which_files_change_together(shop: Path) -> None:
    for number in range(3):
        (shop / "src" / "a.py").write_text(f"{number}\n")
        (shop / "app" / "[id]" / "page.tsx").write_text(f"{number}\n")
        commit_all(shop)

    assert changed_with(Repository(at(shop).place), ["src/a.py"]) == ("app/\\[id\\]/page.tsx",)
    assert changed_with(Repository(at(shop).place), ["src/*.py"]) == ("app/\\[id\\]/page.tsx",)
    assert changed_with(Repository(at(shop).place), ["README.md", "**"]) == ()
