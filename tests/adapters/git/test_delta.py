"""What would land, asked of real repositories in every state that they can be in."""

import os
import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git import blobs
from loomstack_mcp.adapters.git.blobs import tree_of
from loomstack_mcp.adapters.git.delta import landing_delta
from loomstack_mcp.adapters.git.objects import BLOB_BYTES_MAX
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.policy.content import secrets_added
from loomstack_mcp.core.policy.delta import LINK, NO_MODE, SUBMODULE
from loomstack_mcp.core.policy.violations import Unknown
from tests.adapters.git.support import ZERO, branched, commit, gitlink, hook, paths, write
from tests.conftest import commit_all, git
from tests.deltas import Blobs, landing, opened_repository, pushed, staged, tree


def old_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that knows no `merge-tree --write-tree`."""
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    script = folder / "bin" / "git"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\ncase "$*" in *merge-tree*) echo usage >&2; exit 129;; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")


def test_a_file_is_told_with_modes_blobs_lines_and_size(shop: Path) -> None:
    commit(shop, {"src/a.py": "x\ny\nz\n"})

    [file] = landing(shop, "HEAD~", "HEAD").subject.files

    assert (file.path, file.old_path, file.status) == ("src/a.py", "src/a.py", "M")
    assert (file.mode_before, file.mode_after) == ("100644", "100644")
    assert (file.lines_added, file.lines_removed, file.bytes_after, file.is_binary) == (2, 0, 6, False)
    assert file.blob_after == git(shop, "rev-parse", "HEAD:src/a.py")


def test_a_branch_behind_the_trunk_is_not_blamed_for_the_trunks_work(shop: Path) -> None:
    trunk, feat = branched(shop)

    assert paths(landing(shop, trunk, feat)) == ["src/a.py"]


@pytest.mark.parametrize(("strategy", "expected"), [("ort", ["src/a.py"]), ("ours", ["src/a.py", "src/b.py"])])
def test_a_merge_of_the_trunk_counts_for_what_it_changes_in_the_trunk(
    shop: Path, strategy: str, expected: list[str]
) -> None:
    trunk, _ = branched(shop)
    git(shop, "checkout", "--quiet", "feat")
    git(shop, "merge", "--quiet", "--no-edit", "-s", strategy, "main")

    assert paths(landing(shop, trunk, "HEAD")) == expected


def test_what_is_undone_before_it_lands_is_nothing(shop: Path) -> None:
    base = git(shop, "rev-parse", "HEAD")
    commit(shop, {"src/a.py": "2\n"})
    commit(shop, {"src/a.py": "x\n"})

    assert paths(landing(shop, base, "HEAD")) == []


def test_the_tree_that_would_land_holds_both_sides(shop: Path) -> None:
    trunk, feat = branched(shop)

    with opened_repository(shop) as repo:
        found = tree_of(repo, landing_delta(repo, trunk, feat).after)
        read = blobs.Blobs(repo)

        assert read.content(found.entries["src/a.py"][1]) == b"feat\n"
        assert read.content(found.entries["src/b.py"][1]) == b"main\n"
    assert (found.holds("src"), found.holds("app/[id]"), found.holds("sr")) == (True, True, False)


def test_a_conflict_is_reported_and_the_branch_judged_by_its_own_work(shop: Path) -> None:
    branched(shop)
    commit(shop, {"src/a.py": "main\n"})

    landed = landing(shop, "main", "feat")

    assert (paths(landed), landed.conflicts) == (["src/a.py"], ("src/a.py",))
    assert "do not merge (1 file in conflict)" in landed.gaps[0]


def test_an_older_git_falls_back_to_the_merge_base_and_says_so(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk, feat = branched(shop)
    old_git(tmp_path, monkeypatch)

    landed = landing(shop, trunk, feat)

    assert paths(landed) == ["src/a.py"]
    assert "older than 2.38" in landed.gaps[0]


def test_histories_without_a_common_commit_are_judged_by_how_they_differ(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--orphan", "other")
    head = commit(shop, {"src/a.py": "other\n"})

    landed = landing(shop, "main", head)

    assert paths(landed) == ["src/a.py"]
    assert "no commit in common" in landed.gaps[0]


def test_a_shallow_clone_says_how_to_deepen_it(shop: Path, tmp_path: Path) -> None:
    branched(shop)
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{shop}", "clone")

    landed = landing(tmp_path / "clone", "origin/main", "origin/feat")

    assert "--unshallow" in landed.gaps[0]


@pytest.mark.parametrize("base", ["", ZERO])
def test_the_first_commits_land_on_nothing(shop: Path, base: str) -> None:
    assert len(paths(landing(shop, base, "HEAD"))) == 5


@pytest.mark.parametrize("name", ["missing", "--output=x", "HEAD:README.md", "a\nb"])
def test_what_is_no_commit_is_refused(shop: Path, name: str) -> None:
    with pytest.raises(NotFound):
        landing(shop, "main", name)
    with pytest.raises(NotFound):
        landing(shop, name, "main")
    with pytest.raises(NotFound):
        landing(shop.parent, "main", "HEAD")


def test_a_rename_tells_both_names(shop: Path) -> None:
    base = commit(shop, {"long.py": "1\n2\n3\n4\n"})
    git(shop, "mv", "long.py", "app/long.py")
    commit_all(shop)

    [file] = landing(shop, base, "HEAD").subject.files

    assert (file.old_path, file.path, file.status, file.has_new_content) == ("long.py", "app/long.py", "R", False)


@pytest.mark.parametrize("name", [b"a\nb.py", b"a\tb.py", b":100644 100644 0 0 M", b"1\t2\tx", b"\xff\xfe.py", b" "])
def test_any_name_that_git_takes_is_read(shop: Path, name: bytes) -> None:
    (shop / os.fsdecode(name)).write_text("1\n")
    commit_all(shop)

    landed = landing(shop, "HEAD~", "HEAD")

    assert [(os.fsencode(file.path), file.lines_added) for file in landed.subject.files] == [(name, 1)]
    assert os.fsdecode(name) in tree(shop, landed.after).entries


def test_three_thousand_files_are_read(shop: Path) -> None:
    commit(shop, {f"many/{number}/{number}.txt": f"{number}\n" for number in range(3_000)})

    landed = landing(shop, "HEAD~", "HEAD")

    assert len(paths(landed)) == 3_000
    with Blobs(shop) as blobs:
        assert len({blobs.content(file.blob_after) for file in landed.subject.files}) == 3_000


def test_links_and_submodules_are_known_by_their_modes(shop: Path) -> None:
    base = git(shop, "rev-parse", "HEAD")
    (shop / "src/a.py").unlink()
    (shop / "src/a.py").symlink_to("../../etc")
    git(shop, "add", "src/a.py")
    gitlink(shop, "vendor", "1" * 40)

    link, submodule = landing(shop, base, "HEAD").subject.files

    assert (link.status, link.mode_before, link.mode_after) == ("T", "100644", LINK)
    assert (submodule.mode_before, submodule.mode_after) == (NO_MODE, SUBMODULE)
    assert (submodule.lines_added, submodule.bytes_after, submodule.blob_after) == (0, 0, "1" * 40)


def test_a_change_cannot_hide_a_submodule_or_make_its_lines_binary(shop: Path) -> None:
    ignoring = '[submodule "vendor"]\n\tpath = vendor\n\turl = x\n\tignore = all\n'
    write(shop, {".gitmodules": ignoring, ".gitattributes": "*.py -diff\n"})
    commit_all(shop)
    gitlink(shop, "vendor", "1" * 40)
    base = git(shop, "rev-parse", "HEAD")
    git(shop, "config", "core.bigFileThreshold", "1")
    write(shop, {"src/a.py": "x\ny\n"})
    git(shop, "add", "src/a.py")
    gitlink(shop, "vendor", "2" * 40)

    code, submodule = landing(shop, base, "HEAD").subject.files

    assert (code.lines_added, code.is_binary, submodule.blob_after) == (1, False, "2" * 40)


def test_a_binary_file_has_a_size_and_no_lines(shop: Path) -> None:
    (shop / "x.bin").write_bytes(b"\0\n" * 50)
    commit_all(shop)

    [file] = landing(shop, "HEAD~", "HEAD").subject.files

    assert (file.is_binary, file.lines_added, file.bytes_after) == (True, 0, 100)


def test_what_is_staged_counts_and_not_the_worktree(shop: Path) -> None:
    write(shop, {"src/a.py": "k = 'AKIA" + "A" * 16 + "'\n"})
    git(shop, "add", "src/a.py")
    write(shop, {"src/a.py": "x\n", "src/b.py": "y\n", "new.py": "z\n"})
    git(shop, "add", "--intent-to-add", "new.py")

    landed = staged(shop)

    assert paths(landed) == ["src/a.py"]
    with Blobs(shop) as blobs:
        [found] = secrets_added(landed.subject, blobs.content)
    assert (found.path, found.line, found.text) == ("src/a.py", 1, "shows an AWS access key")


def test_before_the_first_commit_everything_staged_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"a.py": "1\n"})
    git(tmp_path, "add", "a.py")

    [file] = staged(tmp_path).subject.files

    assert (file.path, file.status) == ("a.py", "A")


def test_a_hook_sees_the_index_that_git_commits_from(shop: Path) -> None:
    """`git commit PATH` commits from an index of its own, which git names to the hook."""
    hook(shop / ".git", "pre-commit", 'seen = " ".join(file.path for file in staged(folder).subject.files)')
    write(shop, {"src/a.py": "1\n", "src/b.py": "2\n"})
    git(shop, "add", "src/b.py")

    git(shop, "commit", "--quiet", "-m", "one file", "src/a.py")

    assert (shop / ".git/seen").read_text() == "src/a.py"


def test_an_unfinished_merge_has_nothing_staged_that_could_be_judged(shop: Path) -> None:
    branched(shop)
    commit(shop, {"src/a.py": "main\n"})
    with pytest.raises(subprocess.CalledProcessError):
        git(shop, "merge", "feat")

    with pytest.raises(Unknown):
        staged(shop)


def test_a_large_blob_is_known_by_its_size_and_the_next_one_is_read(shop: Path) -> None:
    write(shop, {"a.txt": "x" * (BLOB_BYTES_MAX + 1), "b.txt": "small\n", "c.txt": ""})
    commit_all(shop)

    landed = landing(shop, "HEAD~", "HEAD")

    with Blobs(shop) as blobs:
        assert [blobs.content(file.blob_after) for file in landed.subject.files] == [None, b"small\n", b""]
    assert landed.subject.files[0].bytes_after == BLOB_BYTES_MAX + 1


@pytest.mark.parametrize("blob", ["1" * 40, ZERO, "", "HEAD", "HEAD:README.md", "1" * 40 + "\n"])
def test_what_is_no_blob_here_is_unknown_and_the_reader_goes_on(shop: Path, blob: str) -> None:
    with Blobs(shop) as blobs:
        with pytest.raises(Unknown):
            blobs.content(blob)
        with pytest.raises(Unknown):
            blobs.content(git(shop, "rev-parse", "HEAD"))

        assert blobs.content(git(shop, "rev-parse", "HEAD:README.md")) == b"x\n"


def test_a_clone_without_the_objects_says_so(shop: Path) -> None:
    commit(shop, {"src/a.py": "2\n"})
    blob = git(shop, "rev-parse", "HEAD:src/a.py")
    (shop / ".git/objects" / blob[:2] / blob[2:]).unlink()

    with pytest.raises(Unknown):
        landing(shop, "HEAD~", "HEAD")


def test_a_repository_of_sha_256_is_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    head = commit(tmp_path, {"a.py": "1\n"})

    landed = landing(tmp_path, "", head)

    with Blobs(tmp_path) as blobs:
        assert [blobs.content(file.blob_after) for file in landed.subject.files] == [b"1\n"]
    assert paths(pushed(tmp_path, "0" * 64, head, trunk="refs/heads/missing")) == ["a.py"]


def test_a_linked_worktree_is_read_like_its_repository(shop: Path, tmp_path: Path) -> None:
    trunk, _ = branched(shop)
    git(shop, "worktree", "add", "--quiet", str(tmp_path / "tree"), "feat")
    write(tmp_path / "tree", {"README.md": "more\n"})
    git(tmp_path / "tree", "add", "README.md")

    assert paths(landing(tmp_path / "tree", trunk, "HEAD")) == ["src/a.py"]
    assert paths(staged(tmp_path / "tree")) == ["README.md"]
