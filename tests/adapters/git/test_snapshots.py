"""A worktree as trees, made aside: what would land, and nothing written where it lies."""

import os
import subprocess
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.snapshots import snapshot
from loomstack_mcp.core.errors import Invalid
from tests.adapters.git.support import write
from tests.conftest import IDENTITY, commit_all, git
from tests.deltas import opened_repository

Files = dict[str, bytes]


def taken(root: Path) -> tuple[list[Files], tuple[str, ...]]:
    """The files of each tree, and what was left out."""
    with opened_repository(root) as repo:
        found = snapshot(repo)
        return [_files(root, tree, repo.aside.plain) for tree in found.trees], found.left_out


def _files(root: Path, tree: str, variables: dict[str, str]) -> Files:
    def asked(*words: str) -> bytes:
        return subprocess.run(
            ["git", *words], cwd=root, check=True, capture_output=True, env={**os.environ, **variables}
        ).stdout

    entries = [entry.split(b"\t", 1) for entry in asked("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0")[:-1]]
    kept = [(os.fsdecode(name), meta.split()) for meta, name in entries]
    return {name: asked("cat-file", "blob", blob.decode()) for name, (_, kind, blob) in kept if kind == b"blob"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    root = tmp_path / "small"
    write(root, {"a": "1\n", "sub/b": "1\n", ".gitignore": "*.log\n"})
    git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root)
    return root


BEFORE: Files = {"a": b"1\n", "sub/b": b"1\n", ".gitignore": b"*.log\n"}


def test_files_index_and_head_are_each_there_where_they_differ(small: Path) -> None:
    clean = taken(small)
    write(small, {"a": "staged\n"})
    git(small, "add", "a")
    write(small, {"a": "changed\n", "new/c": "new\n", "x.log": "ignored\n"})
    (small / "sub/b").unlink()
    trees, left_out = taken(small / "new")

    assert clean == ([BEFORE], ())
    assert trees == [
        {"a": b"changed\n", ".gitignore": BEFORE[".gitignore"], "new/c": b"new\n"},
        {**BEFORE, "a": b"staged\n"},
        BEFORE,
    ]
    assert left_out == ()


def test_a_folder_s_name_and_the_names_in_it_may_hold_any_byte(tmp_path: Path) -> None:
    root = tmp_path / 'a:b "c" \\d\n'
    names = ["a b", "line\nfeed", os.fsdecode(b"\xff"), ":(top)x", "*", "-x", '"q"']
    write(root, {"a": "1\n"})
    git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root)
    write(root, dict.fromkeys(names, "x\n"))

    assert taken(root) == ([{"a": b"1\n", **dict.fromkeys(names, b"x\n")}, {"a": b"1\n"}], ())


def contents(root: Path) -> Files:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("setting", ["core.splitIndex", "core.fsmonitor", "core.untrackedCache", "index.threads"])
def test_nothing_is_written_and_no_hook_runs(small: Path, setting: str) -> None:
    git(small, "config", setting, "true")
    for name in ("post-index-change", "pre-commit"):
        hook = small / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {small}/ran\n")
        hook.chmod(0o755)
    write(small, {"a": "changed\n", "new": "new\n"})
    before = contents(small)

    assert taken(small)[0] == [{**BEFORE, "a": b"changed\n", "new": b"new\n"}, BEFORE]
    assert contents(small) == before


def test_another_git_may_hold_the_index_meanwhile(small: Path) -> None:
    (small / ".git/index.lock").touch()
    write(small, {"a": "changed\n"})

    assert taken(small) == ([{**BEFORE, "a": b"changed\n"}, BEFORE], ())


def test_in_an_unfinished_merge_the_files_count_and_the_index_is_none(small: Path) -> None:
    git(small, "checkout", "--quiet", "-b", "other")
    write(small, {"a": "theirs\n"})
    commit_all(small)
    git(small, "checkout", "--quiet", "main")
    write(small, {"a": "ours\n"})
    commit_all(small)
    subprocess.run(["git", *IDENTITY, "merge", "other"], cwd=small, capture_output=True, check=False)
    write(small, {"a": "both\n"})

    assert taken(small) == ([{**BEFORE, "a": b"both\n"}, {**BEFORE, "a": b"ours\n"}], ())


def test_a_clone_that_borrows_objects_and_one_without_a_commit_are_looked_at(small: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--shared", str(small), "borrows")
    git(tmp_path, "init", "--quiet", "new")
    write(tmp_path, {"borrows/a": "changed\n", "new/x": "x\n"})

    assert taken(tmp_path / "borrows") == ([{**BEFORE, "a": b"changed\n"}, BEFORE], ())
    assert taken(tmp_path / "new") == ([{"x": b"x\n"}, {}], ())


def test_what_is_not_checked_out_is_not_taken_for_removed(small: Path) -> None:
    git(small, "sparse-checkout", "set", "--no-cone", "/a")
    write(small, {"a": "changed\n"})

    assert not (small / "sub").exists()
    assert taken(small) == ([{**BEFORE, "a": b"changed\n"}, BEFORE], ())


def test_what_is_too_large_or_no_file_is_left_out_and_said(small: Path) -> None:
    with (small / "large").open("wb") as file:
        file.truncate(20_000_001)
    os.mkfifo(small / "pipe")
    (small / "a").unlink()
    os.mkfifo(small / "a")
    trees, left_out = taken(small)

    assert trees == [BEFORE]
    assert [sentence.partition(" (")[0] for sentence in left_out] == [
        "some changed files could not be read",
        "1 of 1 new files are too many or too large to look at",
    ]


def test_a_repository_within_is_another_s(small: Path) -> None:
    write(small, {"inner/x": "x\n"})
    git(small / "inner", "init", "--quiet")
    commit_all(small / "inner")

    assert taken(small) == ([BEFORE], ())


def test_without_a_worktree_there_is_none(small: Path) -> None:
    with pytest.raises(Invalid, match="has no worktree"):
        taken(small / ".git")


def test_what_changed_as_the_index_was_written_is_seen(small: Path) -> None:
    """As git-update-index(1) has it under "racily clean": the times tell nothing, so the content has to."""
    git(small, "update-index", "--refresh")
    index, told = small / ".git/index", (small / "a").stat()
    (small / "a").write_text("2\n")
    os.utime(small / "a", ns=(told.st_atime_ns, told.st_mtime_ns))
    os.utime(index, ns=(told.st_mtime_ns, told.st_mtime_ns))

    assert taken(small)[0][0] == {**BEFORE, "a": b"2\n"}


def test_an_index_in_two_files_is_read(small: Path) -> None:
    git(small, "update-index", "--split-index")
    write(small, {"a": "staged\n"})
    git(small, "add", "a")
    write(small, {"a": "changed\n"})
    before = contents(small)

    assert list(small.glob(".git/sharedindex.*"))
    assert taken(small)[0] == [{**BEFORE, "a": b"changed\n"}, {**BEFORE, "a": b"staged\n"}, BEFORE]
    assert contents(small) == before


FILTERED = "2 files behind a filter program, which is not run: looked at as it lies in the worktree"


def test_a_text_that_a_filter_would_change_is_looked_at_as_it_lies_and_named(small: Path) -> None:
    """Else a branch that sends its files through a filter would land what nobody looked at."""
    write(small, {".gitattributes": "*a filter=strip\n*.py filter=unknown\n"})
    commit_all(small)
    git(small, "config", "filter.strip.clean", f"touch {small}/ran")
    git(small, "config", "filter.strip.required", "true")
    before = taken(small)
    write(small, {"a": "changed\n", "new a": "new\n", "new.py": "new\n"})
    trees, left_out = taken(small)

    assert before[1] == ()
    assert trees[0] == {**before[0][0], "a": b"changed\n", "new a": b"new\n", "new.py": b"new\n"}
    assert left_out == (f"{FILTERED} (a, new a)",)
    assert not (small / "ran").exists()


def test_what_is_no_text_and_passes_through_a_filter_is_left_as_it_was_and_named(small: Path) -> None:
    """A pointer of git-lfs is no change of what it points to."""
    write(small, {".gitattributes": "*.bin filter=lfs\n", "one.bin": "version 1\noid 2\n"})
    commit_all(small)
    git(small, "config", "filter.lfs.process", f"touch {small}/ran")
    (small / "one.bin").write_bytes(b"\0the content")
    (small / "two.bin").write_bytes(b"\0another")
    trees, left_out = taken(small)

    assert trees == [{**BEFORE, ".gitattributes": b"*.bin filter=lfs\n", "one.bin": b"version 1\noid 2\n"}]
    assert left_out == (f"{FILTERED.partition(': ')[0]}: not looked at (one.bin, two.bin)",)


def test_line_ends_encodings_and_ignored_files_are_git_s_own_business(small: Path, tmp_path: Path) -> None:
    write(small, {".gitattributes": "*.u text working-tree-encoding=UTF-16\n", "t": "1\n2\n"})
    (small / "one.u").write_text("ü\n", "utf-16")
    (tmp_path / "ignored").write_text("*.tmp\n")
    git(small, "config", "core.autocrlf", "true")
    git(small, "config", "core.excludesFile", str(tmp_path / "ignored"))
    commit_all(small)
    before = taken(small)[0]
    (small / "t").write_bytes(b"1\r\n3\r\n")
    (small / "one.u").write_text("ö\n", "utf-16")
    write(small, {"x.tmp": "x\n"})

    attributes = {".gitattributes": b"*.u text working-tree-encoding=UTF-16\n"}
    assert before == [{**BEFORE, **attributes, "t": b"1\n2\n", "one.u": "ü\n".encode()}]
    assert taken(small)[0][0] == {**before[0], "t": b"1\n3\n", "one.u": "ö\n".encode()}


def test_a_submodule_is_a_commit_and_what_is_changed_in_it_is_its_own(small: Path) -> None:
    write(small, {"sub/x": "1\n"})
    git(small / "sub", "init", "--quiet")
    commit_all(small / "sub")
    git(small, "update-index", "--add", "--cacheinfo", f"160000,{git(small / 'sub', 'rev-parse', 'HEAD')},inner")
    (small / "sub").rename(small / "inner")
    commit_all(small)
    write(small / "inner", {"x": "changed\n"})
    unchanged = looked_at(small)
    commit_all(small / "inner")

    assert unchanged == [git(small, "rev-parse", "HEAD^{tree}")]
    git(small, "add", "inner")
    assert looked_at(small) == [git(small, "write-tree"), unchanged[0]]


def looked_at(root: Path) -> list[str]:
    with opened_repository(root) as repo:
        return list(snapshot(repo).trees)
