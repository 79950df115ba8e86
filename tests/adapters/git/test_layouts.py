"""Repositories as people have them: each is looked at as its worktree is, and nothing is written there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.audit import audited
from loomstack_mcp.adapters.git.delta import landing_delta, staged_delta
from loomstack_mcp.adapters.git.history import commits
from loomstack_mcp.adapters.git.proposal import Landing
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.policy.violations import Unknown
from tests.adapters.git.support import commit, paths, write
from tests.conftest import commit_all, git
from tests.deltas import opened_repository


def linked(shop: Path) -> Path:
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(shop.parent / "linked"))
    return shop.parent / "linked"


def moved(shop: Path) -> Path:
    """A worktree whose clone does not know where it is."""
    return linked(shop).rename(shop.parent / "moved")


def contained(shop: Path) -> Path:
    around = shop.parent / "around"
    around.mkdir()
    git(around, "clone", "--quiet", "--bare", str(shop), ".bare")
    (around / ".git").write_text("gitdir: ./.bare\n")
    git(around, "worktree", "add", "--quiet", "-b", "other", "tree")
    return around / "tree"


def configured_by_worktree(shop: Path) -> Path:
    """`core.bare` in the clone's settings, and the contrary in the worktree's (git-worktree(1), CONFIGURATION FILE)."""
    git(shop, "config", "extensions.worktreeConfig", "true")
    tree = linked(shop)
    git(tree, "config", "--worktree", "core.bare", "false")
    git(shop, "config", "core.bare", "true")
    return tree


def separate(shop: Path) -> Path:
    git(shop.parent, "clone", "--quiet", "--separate-git-dir", "apart.git", str(shop), "apart")
    return shop.parent / "apart"


def elsewhere(shop: Path) -> Path:
    """A worktree that only its clone's settings name, seen from the git folder's side."""
    (shop.parent / "files").mkdir()
    for name in ("src", "tests", "app", "README.md"):
        (shop / name).rename(shop.parent / "files" / name)
    git(shop, "config", "core.worktree", str(shop.parent / "files"))
    return shop


def submodule(shop: Path) -> Path:
    git(shop.parent, "init", "--quiet", "super")
    git(shop.parent / "super", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shop), "sub")
    return shop.parent / "super/sub"


def borrowing(shop: Path) -> Path:
    """Objects of a clone that borrows them, by a path from where its own are."""
    git(shop.parent, "clone", "--quiet", "--shared", str(shop), "middle")
    git(shop.parent, "clone", "--quiet", "--shared", "middle", "end")
    (shop.parent / "end/.git/objects/info/alternates").write_text("../../../middle/.git/objects\n")
    return shop.parent / "end"


def partial(shop: Path) -> Path:
    """Without the content of what is not checked out."""
    commit(shop, {"gone": "1\n"})
    git(shop, "rm", "--quiet", "gone")
    commit_all(shop)
    git(shop, "config", "uploadpack.allowFilter", "true")
    git(shop.parent, "clone", "--quiet", "--filter=blob:none", f"file://{shop}", "partial")
    return shop.parent / "partial"


LAYOUTS: tuple[Callable[[Path], Path], ...] = (
    linked, moved, contained, configured_by_worktree, separate, elsewhere, submodule, borrowing, partial,
)  # fmt: skip


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files and folders below it, when they changed; of objects, which git marks as found again, without."""
    return {
        str(path): (path.read_bytes(), 0) if path.is_file() and "objects" in path.parts
        else (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_worktree_of_each_layout_is_looked_at_and_nothing_is_written(
    shop: Path, layout: Callable[[Path], Path]
) -> None:
    root = layout(shop)
    with opened_repository(root) as repo:
        files = repo.place.root
    assert files
    write(files, {"src/a.py": "staged\n"})
    git(root, "add", "--all")
    write(files, {"src/b.py": "changed\n", "new": "new\n"})
    before = state(shop.parent)
    with opened_repository(root) as repo:
        proposed = Landing(repo, target="HEAD", key=b"key").proposal()
        staged = staged_delta(repo)

    assert [[file.path for file in change.files] for change in proposed.changes][:2] == [
        ["new", "src/a.py", "src/b.py"], ["src/a.py"],
    ]  # fmt: skip
    assert paths(staged) == ["src/a.py"]
    assert state(shop.parent) == before


def test_a_repository_of_sha256_is_looked_at(tmp_path: Path) -> None:
    root = tmp_path / "sha256"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "sha256")
    commit(root, {"a": "1\n"})
    commit(root, {"a": "2\n"})
    write(root, {"a": "3\n"})
    with opened_repository(root) as repo:
        proposed = Landing(repo, target="main", key=b"key").proposal()
        landed = landing_delta(repo, "HEAD~", "HEAD")
        found = audited(repo, progress=lambda *_: None)

    assert [[file.path for file in change.files] for change in proposed.changes] == [["a"], []]
    assert (paths(landed), found.commits, found.unchecked) == (["a"], 2, ())


def test_what_a_shallow_clone_lacks_is_said(shop: Path, tmp_path: Path) -> None:
    commit(shop, {"a": "1\n"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{shop}", "shallow")
    with opened_repository(tmp_path / "shallow") as repo:
        found = audited(repo, progress=lambda *_: None)

        assert len(commits(repo, "HEAD")) == found.commits == 1
    assert [gap.partition(":")[0] for gap in found.unchecked] == ["this clone is shallow"]


def test_what_a_partial_clone_lacks_is_not_fetched_and_is_said(shop: Path) -> None:
    root = partial(shop)
    before = state(root / ".git")
    with opened_repository(root) as repo:
        found = audited(repo, progress=lambda *_: None)
        with pytest.raises(Unknown, match="what would land"):
            landing_delta(repo, "HEAD~2", "HEAD~1")
        with pytest.raises(Invalid, match="cannot compare"):
            Landing(repo, target="HEAD~1", key=b"key").proposal()
        assert repo.file("HEAD~1", "gone") == b""

    assert "could not be read" in " ".join(found.unchecked)
    assert state(root / ".git") == before


def test_a_broken_index_is_called_so(shop: Path) -> None:
    (shop / ".git/index").write_bytes(b"DIRC broken")
    with opened_repository(shop) as repo:
        with pytest.raises(Invalid, match=r"git cannot read this worktree: fatal: .*index"):
            Landing(repo, target="HEAD", key=b"key").proposal()
        with pytest.raises(Unknown, match=r"what is staged .*index"):
            staged_delta(repo)


def test_what_merging_gives_is_not_left_in_the_repository(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "feat")
    feat = commit(shop, {"src/a.py": "feat\n"})
    git(shop, "checkout", "--quiet", "main")
    trunk = commit(shop, {"src/b.py": "main\n"})
    before = state(shop / ".git")
    with opened_repository(shop) as repo:
        landed = landing_delta(repo, trunk, feat)

    assert paths(landed) == ["src/a.py"]
    assert state(shop / ".git") == before
