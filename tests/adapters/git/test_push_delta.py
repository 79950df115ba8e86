"""What a push of one ref would land, also where its objects are still in quarantine."""

from collections.abc import Set
from pathlib import Path

import pytest

from loomstack_mcp.core.policy.violations import Unknown
from tests.adapters.git.support import ZERO, branched, commit, hook, paths
from tests.conftest import git
from tests.deltas import pushed


@pytest.mark.parametrize(
    ("old", "new", "expected", "refs"),
    [
        ("HEAD~", "HEAD", ["src/a.py"], set()),
        ("HEAD", "HEAD~", ["src/a.py"], {"force"}),
        ("HEAD", ZERO, [], {"delete"}),
        (ZERO, "HEAD", [], {"create"}),
    ],
)
def test_a_push_of_the_trunk_is_judged_from_where_it_was(
    shop: Path, old: str, new: str, expected: list[str], refs: Set[str]
) -> None:
    commit(shop, {"src/a.py": "2\n"})

    landed = pushed(shop, old, new, trunk="main", excused=False)

    assert (paths(landed), landed.refs) == (expected, refs)


@pytest.mark.parametrize(
    ("old", "new", "refs"), [("HEAD~2", "HEAD", set()), ("HEAD~", "HEAD~2", {"force"}), ("HEAD~", "HEAD", set())]
)
def test_a_branch_that_moves_along_the_trunk_brings_nothing(shop: Path, old: str, new: str, refs: set[str]) -> None:
    commit(shop, {"src/a.py": "2\n"})
    commit(shop, {"src/b.py": "2\n"})

    landed = pushed(shop, git(shop, "rev-parse", old), git(shop, "rev-parse", new), trunk="main")

    assert (paths(landed), set(landed.refs)) == ([], refs)


def test_a_branch_moved_onto_the_trunk_is_blamed_for_what_it_loses_of_its_own(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "production")
    commit(shop, {"hotfix.py": "1\n"})
    old = git(shop, "rev-parse", "HEAD")
    git(shop, "checkout", "--quiet", "main")
    commit(shop, {"src/a.py": "2\n"})

    landed = pushed(shop, old, git(shop, "rev-parse", "HEAD"), trunk="main")

    assert (paths(landed), landed.refs) == (["hotfix.py"], frozenset({"force"}))


@pytest.mark.parametrize("how", [("merge", "--quiet", "--no-edit", "main"), ("rebase", "--quiet", "main")])
def test_what_a_branch_took_over_from_the_trunk_is_not_held_against_its_push(shop: Path, how: tuple[str, ...]) -> None:
    _, feat = branched(shop)
    git(shop, "checkout", "--quiet", "feat")
    git(shop, *how)
    commit(shop, {"README.md": "more\n"})

    assert paths(pushed(shop, feat, "HEAD", trunk="main")) == ["README.md"]
    assert paths(pushed(shop, feat, "HEAD", trunk="main", excused=False)) == ["README.md", "src/b.py"]


@pytest.mark.parametrize(("old", "ref", "gaps"), [(ZERO, "create", 0), ("1" * 40, "force", 1)])
def test_a_new_ref_or_one_unknown_here_is_judged_from_where_it_left_the_trunk(
    shop: Path, old: str, ref: str, gaps: int
) -> None:
    _, feat = branched(shop)

    landed = pushed(shop, old, feat, trunk="main")

    assert (paths(landed), landed.refs, len(landed.gaps)) == (["src/a.py"], frozenset({ref}), gaps)


def test_a_tag_lands_its_commit_and_a_blob_cannot_be_judged(shop: Path) -> None:
    _, feat = branched(shop)
    git(shop, "tag", "-a", "-m", "one", "v1", feat)

    assert paths(pushed(shop, ZERO, git(shop, "rev-parse", "v1"), trunk="main")) == ["src/a.py"]
    with pytest.raises(Unknown):
        pushed(shop, ZERO, git(shop, "rev-parse", "HEAD:README.md"), trunk="main")


def test_a_pre_receive_hook_reads_what_is_in_quarantine(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "hub.git")
    judged = 'landed = pushed(folder, *sys.argv[1:3], trunk="refs/heads/main", quarantined=True)\n'
    read = "with Blobs(folder, quarantined=True) as blobs: "
    read += "seen = repr([(file.path, blobs.content(file.blob_after)) for file in landed.subject.files])"
    hook(tmp_path / "hub.git", "pre-receive", judged + read)
    branched(shop)

    git(shop, "push", "--quiet", str(tmp_path / "hub.git"), "feat")

    assert (tmp_path / "hub.git/seen").read_text() == "[('src/a.py', b'feat\\n')]"
