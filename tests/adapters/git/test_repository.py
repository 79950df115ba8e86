"""One look at a repository: refs, ancestors and files, as git tells them."""

import itertools
import os
import random
import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.core.errors import NotFound
from tests.adapters.git.support import commit
from tests.conftest import IDENTITY, commit_all, git
from tests.deltas import opened_repository


def heads(folder: Path) -> tuple[str, str]:
    with opened_repository(folder) as repo:
        return repo.head_ref, repo.branch


def test_a_branch_is_named_before_its_first_commit_and_in_each_worktree(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=new/ü", "new")
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")

    assert heads(tmp_path / "new") == ("refs/heads/new/ü", "new/ü")
    assert heads(tmp_path / "linked") == ("refs/heads/other", "other")
    assert heads(tmp_path / "bare.git") == ("refs/heads/main", "main")


def test_a_detached_head_names_no_branch_and_a_link_does(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--detach")
    detached = heads(shop)
    (shop / ".git/HEAD").unlink()
    (shop / ".git/HEAD").symlink_to("refs/heads/main")

    assert (detached, heads(shop)) == (("", ""), ("refs/heads/main", "main"))


def test_a_branch_goes_before_a_tag_of_its_name_and_one_here_before_one_of_a_remote(shop: Path) -> None:
    for name in ("tags/both", "heads/both", "remotes/up/both", "heads/up/both", "remotes/up/far", "tags/v1"):
        git(shop, "update-ref", f"refs/{name}", "HEAD")
    names = ("both", "up/both", "up/far", "v1", "refs/tags/both", "HEAD", "", "gone")
    with opened_repository(shop) as repo:
        found = [repo.branch_ref(name) for name in names]

    assert found[:3] == ["refs/heads/both", "refs/heads/up/both", "refs/remotes/up/far"]
    assert found[3:] == [*names[3:]]


def test_a_ref_is_called_as_people_call_it(shop: Path) -> None:
    git(shop, "remote", "add", "team/a", "host:a")
    refs = ("refs/heads/main", "refs/remotes/origin/a/b", "refs/remotes/up/main", "refs/remotes/team/a/main")
    others = ("refs/tags/v1", "main", "HEAD")
    with opened_repository(shop) as repo:
        assert [repo.branch_name(ref) for ref in refs] == ["main", "a/b", "main", "main"]
        assert [repo.branch_name(ref) for ref in others] == ["tags/v1", "main", "HEAD"]


@pytest.mark.parametrize("seed", range(3))
def test_forks_and_ancestors_are_those_of_git(shop: Path, seed: int) -> None:
    """Over made histories with criss-cross merges and two roots."""
    chosen = random.Random(seed)
    tree = git(shop, "rev-parse", "HEAD^{tree}")
    made = [git(shop, "rev-parse", "HEAD"), git(shop, "commit-tree", "-m", "root", tree)]
    for number in range(7):
        parents = chosen.sample(made, k=min(len(made), chosen.choice((1, 2, 2))))
        given = [word for parent in parents for word in ("-p", parent)]
        made.append(git(shop, "commit-tree", "-m", str(number), *given, tree))
    with opened_repository(shop) as repo:
        for one, other in itertools.product(made, made):
            bases = run_out(shop, "merge-base", "--all", one, other).split()
            ancestor = subprocess.run(["git", "merge-base", "--is-ancestor", other, one], cwd=shop, check=False)

            assert repo.fork(one, other) in (bases or [""])
            assert repo.fork(one, other) == repo.fork(other, one)
            assert repo.descends(one, other) == (ancestor.returncode == 0)


def run_out(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("name", ["a b", "line\nfeed", "\n", os.fsdecode(b"\xff\n\xfe"), ":(top)x", "-x", "~^@{x}"])
def test_a_file_of_any_name_is_read(shop: Path, name: str) -> None:
    (shop / name).write_bytes(b"\0\xff\n")
    commit_all(shop)
    with opened_repository(shop) as repo:
        found = [repo.file("HEAD", path) for path in (name, f"{name}x", "src", f"src\n{name}")]

    assert found == [b"\0\xff\n", b"", b"", b""]


def test_a_trunk_s_file_is_read_and_none_where_no_trunk_can_be_told(shop: Path) -> None:
    git(shop, "branch", "--quiet", "--move", "work")
    commit(shop, {"config": "\nmine\n\n"})
    with opened_repository(shop) as repo:
        only = (repo.trunk, repo.trunk_file("config"), repo.trunk_file("gone"))
    git(shop, "branch", "--quiet", "other")
    with opened_repository(shop) as repo:
        assert (repo.trunk, repo.trunk_file("config")) == ("", "")
        with pytest.raises(NotFound, match=r"no trunk can be told in .*: name one with base"):
            repo.told_trunk()

    assert only == ("refs/heads/work", "\nmine", "")


def test_a_repository_without_a_readable_commit_says_so(tmp_path: Path, shop: Path) -> None:
    git(tmp_path, "init", "--quiet", "new")
    (shop / ".git/config").write_text("[core\n")
    with opened_repository(tmp_path / "new") as repo, pytest.raises(NotFound, match="no commit yet"):
        repo.must_have_history()
    with opened_repository(shop) as repo, pytest.raises(NotFound, match="bad config line 1"):
        repo.must_have_history()


def test_what_is_under_way_is_a_gap(shop: Path, tmp_path: Path) -> None:
    commit(shop, {"src/a.py": "2\n"})
    git(shop, "checkout", "--quiet", "-b", "other", "HEAD~")
    commit(shop, {"src/a.py": "3\n"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{shop}", "shallow")
    with opened_repository(shop) as repo:
        run_out(shop, "rebase", "main")
        rebasing = repo.gaps
        run_out(shop, "rebase", "--abort")
        run_out(shop, "merge", "main")
        merging = repo.gaps
    with opened_repository(tmp_path / "shallow") as repo:
        shallow = repo.gaps

    assert [gap.partition(" is ")[0] for gap in (*rebasing, *merging)] == ["a rebase", "a merge"]
    assert [gap.partition(":")[0] for gap in shallow] == ["this clone is shallow"]


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_the_empty_tree_is_git_s_own(tmp_path: Path, kind: str) -> None:
    git(tmp_path, "init", "--quiet", f"--object-format={kind}", kind)
    with opened_repository(tmp_path / kind) as repo:
        assert repo.empty_tree == repo.run("hash-object", "-t", "tree", "--stdin").text
        assert repo.objects.entries(repo.empty_tree) == {}
