"""Where a process stands: in which worktree, under which settings, as which checkout."""

from pathlib import Path

import pytest

from loomstack_mcp.core.errors import Invalid, LoomError, NotFound
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import Loom
from tests.adapters.git.support import commit
from tests.conftest import git
from tests.edge.support import here

CONFIG = ".loomstack/config.yaml"


def test_a_worktree_that_comes_later_is_seen(tmp_path: Path) -> None:
    found = here(tmp_path, tmp_path / "home")
    with pytest.raises(Invalid, match=f"{tmp_path} is in no git worktree; name one with --repo"):
        found.checkout()
    git(tmp_path, "init", "--quiet")

    assert (found.root, found.checkout().worktree) == (tmp_path, str(tmp_path))


def test_without_a_folder_a_repo_must_be_named(tmp_path: Path) -> None:
    found = Here(None, {}, elsewhere="pass `repo`")

    assert found.checkout(repo="git@host:a/b.git").identity == "host/a/b"
    assert found.patterns(["src/"]) == ("src/",)
    with pytest.raises(Invalid, match="no worktree is seen; pass `repo`"):
        found.checkout()
    with pytest.raises(Invalid, match="no worktree is seen"):
        assert found.rules


def test_a_repo_that_is_meant_goes_before_the_one_here_and_one_that_is_passed_before_both(shop: Path) -> None:
    found = Here(shop, {}, elsewhere="", meant="https://host/meant")

    assert (found.checkout().identity, found.checkout().worktree) == ("host/meant", "")
    assert found.checkout(repo="passed", branch="b") == Checkout(identity="passed", branch="b")


def test_the_repo_s_name_is_what_the_trunk_s_settings_say(shop: Path, tmp_path: Path) -> None:
    commit(shop, {CONFIG: "repo: https://host/told\n"})
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {CONFIG: "repo: https://host/other\n"})
    found = here(shop / "src", tmp_path / "home")

    assert (found.checkout().identity, found.checkout().branch) == ("host/told", "work")
    assert found.checkout(branch="another").branch == "another"


def test_where_no_trunk_can_be_told_the_target_that_is_named_says_what_counts(shop: Path, tmp_path: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "unusual")
    commit(shop, {CONFIG: "repo: https://host/told\n"})
    git(shop, "branch", "--quiet", "--delete", "--force", "main")
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {CONFIG: "repo: https://host/mine\n"})
    named, asked = here(shop, tmp_path / "home"), here(shop, tmp_path / "home")
    with named.repository(target="unusual"), asked.repository():
        pass

    assert (named.settings.repo, asked.settings.repo) == ("https://host/told", "")


def test_a_look_reads_the_settings_it_needs(shop: Path, tmp_path: Path) -> None:
    commit(shop, {CONFIG: "repo: https://host/told\nhome: /elsewhere\n"})
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")
    found, bare = here(shop, tmp_path / "home"), here(tmp_path / "bare.git", tmp_path / "home")
    with found.repository() as repo, bare.repository() as other:
        assert (repo.place.root, other.place.root) == (shop, None)

    assert (found.settings.repo, bare.settings.repo) == ("https://host/told", "")
    assert found.settings.home == str(tmp_path / "home")


def test_a_look_ends_its_process_also_where_it_fails(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), here(shop, tmp_path).repository() as repo:
        repo.commit("HEAD")
        process = repo.objects._process
        assert 1 / 0
    assert process
    assert process.returncode is not None


def test_outside_of_git_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="in no git repository"), here(tmp_path, tmp_path / "home").repository():
        pass


def test_a_landing_fills_the_ledger_and_a_new_look_sees_what_moved(shop: Path, tmp_path: Path, loom: Loom) -> None:
    found = here(shop, tmp_path / "home")
    git(shop, "checkout", "--quiet", "-b", "work")
    commit(shop, {"src/a.py": "a line of work\n"})
    told = []
    with found.repository() as repo:
        landing = found.landing(repo, loom.ledger, found.checkout(), progress=lambda *done: told.append(done))
        before = [change.files[0].path for change in landing.proposal().changes]
    git(shop, "branch", "--quiet", "--force", "main", "work")
    with found.repository() as repo:
        after = found.landing(repo, loom.ledger, found.checkout()).proposal().changes

    assert (told, before) == ([(1, 1)], ["src/a.py"])
    assert [change.files for change in after] == [()]


@pytest.mark.parametrize(
    ("target", "said"), [("gone", "gone is no commit"), ("x" * 201, "base"), ("apart", "no commit;")]
)
def test_a_target_that_cannot_be_landed_on_is_told(
    shop: Path, tmp_path: Path, loom: Loom, target: str, said: str
) -> None:
    tree = git(shop, "rev-parse", "HEAD^{tree}")
    git(shop, "branch", "apart", git(shop, "commit-tree", "-m", "Apart", tree))
    found = here(shop, tmp_path / "home")
    with found.repository() as repo, pytest.raises(LoomError, match=said):
        found.landing(repo, loom.ledger, found.checkout(), target=target)
