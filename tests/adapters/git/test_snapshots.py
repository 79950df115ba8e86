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
