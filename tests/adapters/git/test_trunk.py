"""Which ref changes land on, as refs come, go and move."""

import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.discovery import place_at
from loomstack_mcp.adapters.git.trunk import named_by, written_for
from tests.adapters.git.support import commit
from tests.conftest import IDENTITY, git
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


@pytest.fixture
def fork(tmp_path: Path, shop: Path) -> Path:
    """A clone of a fork that was left behind, with the repository it was forked from as `upstream`."""
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "fork.git")
    git(tmp_path, "clone", "--quiet", "fork.git", "fork")
    commit(shop, {"theirs": "1\n"})
    git(tmp_path / "fork", "remote", "add", "upstream", str(shop))
    git(tmp_path / "fork", "fetch", "--quiet", "upstream")
    return tmp_path / "fork"


def test_a_branch_of_a_fork_lands_where_it_came_from(fork: Path) -> None:
    git(fork, "checkout", "--quiet", "-b", "own")
    own = trunk(fork)
    git(fork, "checkout", "--quiet", "-b", "work", "upstream/main")
    commit(fork, {"mine": "1\n"})

    assert (own, trunk(fork)) == ("refs/heads/main", "refs/remotes/upstream/main")


def test_a_branch_lands_there_also_while_it_is_rebased(fork: Path) -> None:
    git(fork, "checkout", "--quiet", "-b", "work", "upstream/main~")
    commit(fork, {"theirs": "2\n"})
    stopped = subprocess.run(["git", *IDENTITY, "rebase", "--quiet", "upstream/main"], cwd=fork, capture_output=True)

    assert (stopped.returncode, git(fork, "rev-parse", "--abbrev-ref", "HEAD")) == (1, "HEAD")
    assert git(fork, "config", "branch.main.remote") == "origin"
    git(fork, "config", "branch.work.remote", "upstream")
    assert trunk(fork) == "refs/remotes/upstream/main"


def test_what_a_branch_was_pushed_as_is_not_its_trunk(fork: Path) -> None:
    git(fork, "checkout", "--quiet", "-b", "work")
    commit(fork, {"mine": "1\n"})
    git(fork, "push", "--quiet", "--set-upstream", "upstream", "work")

    assert git(fork, "rev-parse", "--abbrev-ref", "@{upstream}") == "upstream/work"
    assert trunk(fork) == "refs/remotes/upstream/main"


def test_a_remote_of_another_branch_only_gives_way_to_the_clone_s_own(fork: Path) -> None:
    """As where a colleague's branch is looked at, of whose fork nothing else was fetched."""
    git(fork, "remote", "add", "ana", "/nowhere")
    git(fork, "update-ref", "refs/remotes/ana/fix", "HEAD")
    git(fork, "checkout", "--quiet", "-b", "fix", "ana/fix")
    of_a_remote = trunk(fork)
    git(fork, "config", "branch.fix.remote", "https://host/ana/shop.git")

    assert git(fork, "config", "branch.fix.merge") == "refs/heads/fix"
    assert of_a_remote == trunk(fork) == "refs/heads/main"


def test_the_local_branch_of_another_remote_does_not_stand_for_it(fork: Path) -> None:
    git(fork, "merge", "--quiet", "upstream/main")
    commit(fork, {"mine": "1\n"})
    ours = trunk(fork)
    git(fork, "checkout", "--quiet", "-b", "work", "upstream/main")

    assert (ours, trunk(fork)) == ("refs/heads/main", "refs/remotes/upstream/main")


def test_a_remote_need_not_be_called_origin(tmp_path: Path, shop: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--origin", "team/hub", str(shop), "clone")
    git(tmp_path / "clone", "checkout", "--quiet", "-b", "work")
    git(tmp_path / "clone", "branch", "--quiet", "-D", "main")

    assert trunk(tmp_path / "clone") == "refs/remotes/team/hub/main"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ""),
        ({"branch.main.remote": "b"}, "refs/remotes/b/main"),
        ({"branch.work.remote": "a", "branch.main.remote": "b"}, "refs/remotes/a/main"),
        ({"branch.work.remote": "gone"}, ""),
        ({"branch.work.remote": "."}, ""),
        ({"remote.upstream.url": "/c"}, "refs/remotes/upstream/main"),
        ({"remote.upstream.url": "/c", "remote.origin.url": "/d"}, "refs/remotes/origin/main"),
        ({"init.defaultBranch": "dev"}, "refs/heads/dev"),
    ],
)
def test_of_several_remotes_without_an_origin_one_must_be_told(
    shop: Path, settings: dict[str, str], expected: str
) -> None:
    git(shop, "checkout", "--quiet", "-b", "work")
    git(shop, "branch", "--quiet", "--move", "main", "dev")
    for name in ("a", "b", "upstream", "origin"):
        git(shop, "update-ref", f"refs/remotes/{name}/main", "HEAD")
    for name, value in {"remote.a.url": "/a", "remote.b.url": "/b", **settings}.items():
        git(shop, "config", name, value)

    assert trunk(shop) == expected


def test_a_clone_of_a_pull_request_alone_has_no_trunk(tmp_path: Path, shop: Path) -> None:
    git(tmp_path, "init", "--quiet", "ci")
    git(tmp_path / "ci", "remote", "add", "origin", str(shop))
    git(tmp_path / "ci", "fetch", "--quiet", "--depth=1", f"file://{shop}", "+HEAD:refs/remotes/pull/1/merge")
    git(tmp_path / "ci", "checkout", "--quiet", "--detach", "refs/remotes/pull/1/merge")
    detached = trunk(tmp_path / "ci")
    git(tmp_path / "ci", "checkout", "--quiet", "-b", "pr-1")

    assert (detached, trunk(tmp_path / "ci")) == ("", "")


def test_the_only_branch_of_a_repository_without_a_remote_is_its_trunk(tmp_path: Path, shop: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=dev", "new")
    unborn = trunk(tmp_path / "new")
    commit(tmp_path / "new", {"a": "1\n"})
    only = trunk(tmp_path / "new")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{tmp_path}/new", "shallow")
    git(tmp_path / "shallow", "remote", "remove", "origin")
    git(tmp_path / "new", "branch", "--quiet", "feature")

    assert (unborn, only) == ("", "refs/heads/dev")
    assert trunk(tmp_path / "new") == trunk(tmp_path / "shallow") == ""


def test_a_bare_repository_s_head_is_its_trunk(tmp_path: Path, shop: Path) -> None:
    git(shop, "branch", "--quiet", "release")
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")
    git(tmp_path / "bare.git", "remote", "remove", "origin")
    git(tmp_path / "bare.git", "symbolic-ref", "HEAD", "refs/heads/release")

    assert trunk(tmp_path / "bare.git") == "refs/heads/release"


@pytest.mark.parametrize("text", ["[include]\n\tpath = more\n", '[remote "up"]\n\turl = "/up" ; as a comment says\n'])
def test_settings_that_only_git_can_read_are_asked_of_git(shop: Path, text: str) -> None:
    (shop / ".git/more").write_text('[remote "up"]\n\turl = /up\n')
    git(shop, "branch", "--quiet", "--move", "work")
    git(shop, "update-ref", "refs/remotes/up/main", "HEAD")
    git(shop, "update-ref", "refs/remotes/origin/main", "HEAD")
    (shop / ".git/config").write_text(f"[core]\n\tbare = false\n{text}")

    assert trunk(shop) == "refs/remotes/up/main"


def test_every_file_is_watched_that_tells_the_trunk(fork: Path) -> None:
    git(fork, "checkout", "--quiet", "-b", "team/work", "upstream/main")
    place = place_at(fork)
    with_remotes = {str(path.relative_to(place.common_dir)) for path in written_for(place)}
    for remote in ("origin", "upstream"):
        git(fork, "remote", "remove", remote)
    alone = {str(path.relative_to(place.common_dir)) for path in written_for(place)}
    always = {"HEAD", "config", "packed-refs", "reftable/tables.list", "refs/heads/main", "refs/heads/master"}

    assert always | {"refs/remotes/upstream/HEAD", "refs/remotes/upstream/main"} < with_remotes
    assert {"refs/remotes/origin/HEAD", "refs/remotes/origin/main"} < with_remotes
    assert "refs/heads/team/work" not in with_remotes  # it is the trunk only where it is the only branch
    assert always | {"refs/heads/team/work", "refs/heads/team", "refs/heads", "refs/remotes"} < alone


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


def test_a_trunk_was_seen_when_it_was_fetched_from_the_only_remote(clone: Path) -> None:
    git(clone, "fetch", "--quiet", "origin")
    fetched_at_ms = (clone / ".git/FETCH_HEAD").stat().st_mtime_ns // 1_000_000
    with opened_repository(clone) as repo:
        seen = repo.trunk_seen_at_ms(now_ms=1)
    git(clone, "remote", "add", "fork", "../fork.git")
    with opened_repository(clone) as repo:
        of_two = repo.trunk_seen_at_ms(now_ms=1)

    assert (seen, of_two) == (fetched_at_ms, 0)


def test_a_trunk_of_this_clone_alone_is_seen_now(shop: Path) -> None:
    with opened_repository(shop) as repo:
        assert repo.trunk_seen_at_ms(now_ms=7) == 7
