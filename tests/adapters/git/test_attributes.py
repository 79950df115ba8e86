"""What a commit's own files say of paths: the commit's alone, and of every name."""

import os
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.attributes import Attributes, reformatting
from loomstack_mcp.core.changes.generated import Generated
from loomstack_mcp.core.changes.hunks import Change, FileChange
from tests.adapters.git.support import commit, write
from tests.conftest import git
from tests.deltas import opened_repository

ODD = ("a b.gen", "line\nfeed.gen", os.fsdecode(b"\xff.gen"), '"quoted".gen', "gone/deep/er.gen")


def generated(root: Path, tip: str, *paths: str) -> set[str]:
    files = tuple(FileChange(path=path, old_path=path, before="1", after="2") for path in paths)
    found = Generated(())
    with opened_repository(root) as repo:
        Attributes(repo, [repo.commit(tip)]).teach(found, Change(sha="", files=files))
    return {path for path in paths if found(path)}


def test_marked_files_of_any_name_are_generated(shop: Path) -> None:
    commit(shop, {".gitattributes": "*.gen linguist-generated\nlib/** linguist-vendored=true\n"})

    assert generated(shop, "HEAD", *ODD, "lib/a/b", "src/a.py") == {*ODD, "lib/a/b"}


@pytest.mark.parametrize("value", ["-linguist-generated", "linguist-generated=false", "!linguist-generated", "binary"])
def test_what_is_not_set_does_not_mark(shop: Path, value: str) -> None:
    commit(shop, {".gitattributes": f"*.gen linguist-generated\na.gen {value}\n"})

    assert generated(shop, "HEAD", "a.gen", "b.gen") == {"b.gen"} | ({"a.gen"} & {value.replace("binary", "a.gen")})


def test_neither_worktree_nor_index_nor_another_commit_has_a_say(shop: Path) -> None:
    commit(shop, {".gitattributes": "*.gen linguist-generated\n"})
    write(shop, {".gitattributes": "*.py linguist-generated\n"})
    git(shop, "add", "--all")

    assert generated(shop, "main", "a.gen", "a.py") == {"a.gen"}
    assert generated(shop, "main~", "a.gen", "a.py") == set()


def test_a_bare_repository_is_asked_as_well(shop: Path, tmp_path: Path) -> None:
    commit(shop, {".gitattributes": "*.gen linguist-generated\n", "src/.gitattributes": "*.gen -linguist-generated\n"})
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")

    assert generated(tmp_path / "bare.git", "main", "a.gen", "src/a.gen") == {"a.gen"}


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_asking_writes_nothing_and_runs_no_hook(shop: Path) -> None:
    git(shop, "config", "core.splitIndex", "true")
    hook = shop / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {shop}/ran\n")
    hook.chmod(0o755)
    before = contents(shop)
    generated(shop, "HEAD", "a.gen")

    assert contents(shop) == before


def test_commits_that_only_reformat_are_listed_as_blame_has_it(shop: Path) -> None:
    named = [letter * 40 for letter in "abc"] + ["d" * 64]
    text = f"# {'e' * 40}\n{named[0]}\n  {named[1]} # black\n{named[2]}#x\n{named[3]}\n{'f' * 39}\nx{'9' * 40}\n"
    commit(shop, {".git-blame-ignore-revs": text})
    with opened_repository(shop) as repo:
        assert reformatting(repo, [repo.commit("HEAD")]) == {*named}
        assert reformatting(repo, [repo.commit("HEAD~")]) == frozenset()


def test_of_many_changes_what_is_generated_is_left_out_and_their_order_kept(shop: Path) -> None:
    commit(shop, {".gitattributes": "*.gen linguist-generated\n"})
    made = [
        Change(
            sha=str(number),
            files=tuple(
                FileChange(path=path, old_path=path, before="1", after="2")
                for path in (f"{number}.gen", f"{number}.py")
            ),
        )
        for number in range(200)
    ]
    with opened_repository(shop) as repo:
        found = list(Attributes(repo, [repo.commit("HEAD")]).taught(iter(made), Generated(("7.py",))))

    assert [(one.sha, [file.path for file in one.files]) for one in found] == [
        (change.sha, [f"{change.sha}.py"] if change.sha != "7" else []) for change in made
    ]
