"""What commits changed, read of a whole history at once: as reading each alone, whatever is in them or missing."""

import random
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loomstack_mcp.adapters.git import diffs, history
from loomstack_mcp.adapters.git.diffs import Unread
from loomstack_mcp.core.changes.hunks import Change, FileChange
from loomstack_mcp.core.changes.lines import Lines
from loomstack_mcp.core.changes.patches import file_changes
from tests.adapters.git.support import commit, write
from tests.conftest import IDENTITY, commit_all, git
from tests.deltas import opened_repository
from tests.eval.history import Files, History, written

LINES = Lines(b"key")
OPTIONS = ("--raw", "-z", "--no-abbrev", "-p", "-U0", "-M", "--src-prefix=a/", "--dst-prefix=b/")
SEEN = (*OPTIONS, "--diff-algorithm=myers")


def read(folder: Path, tip: str = "HEAD", *, only: Sequence[str] = ()) -> tuple[list[Change], list[str]]:
    """What was read of a history, or `only` of these commits of it, and which commits were not."""
    unread = Unread()
    with opened_repository(folder) as repo:
        listed = [one for one in history.commits(repo, tip) if not only or one.sha in only]
        return list(diffs.changes(repo, listed, unread, lines=LINES)), unread.shas


def git_says(folder: Path, sha: str) -> tuple[FileChange, ...]:
    """What `git diff-tree` says of a commit that is no merge."""
    asked = ["git", "diff-tree", "--root", "--no-commit-id", "-r", *SEEN, sha]
    entries, _, patch = subprocess.run(asked, cwd=folder, capture_output=True, check=True).stdout.partition(b"\0\0")
    return file_changes([part.decode() for part in entries.split(b"\0")], patch, lines=LINES)


def paths_of_merge(folder: Path, sha: str) -> list[str]:
    """What `git show` says that a merge changed beside merging."""
    asked = ["git", "show", "--remerge-diff", "--format=", "--name-only", "-z", sha]
    found = subprocess.run(asked, cwd=folder, capture_output=True, check=True).stdout
    return [name.decode() for name in found.split(b"\0") if name.strip()]


def tangled(seed: int, folder: Path) -> History:
    """Some commits on a few lines of work, merged by twos, which may take either side or change more besides."""
    made = History(random.Random(seed))
    made.start()
    saved: dict[int, Files] = {made.head: made.files}
    for _ in range(9):
        parents = tuple(made.random.sample(sorted(saved), k=min(len(saved), made.random.choice((1, 1, 2)))))
        files = [saved[parent] for parent in parents]
        made.files = {
            path: [list(block) for block in made.random.choice(files)[path]]
            for path in sorted(set.intersection(*map(set, files)))
        }
        if made.random.random() < 0.7:
            made.noise(1)
            parents = (*parents[:-1], made.head) if made.commits[-1].parents == parents[-1:] else parents
        sha = made.commit("ana", f"{made.word()}\n\nLoom-Run: run_{made.random.randint(1, 9)}", parents=parents)
        saved[sha] = made.files
    tips = set(saved) - {parent for one in made.commits for parent in one.parents}
    made.commit("ana", "All", parents=tuple(sorted(tips))[:2] if len(tips) > 1 else ())
    written(made, folder)
    return made


@given(seed=st.integers(0, 10_000))
@settings(max_examples=4)
def test_a_history_read_at_once_is_each_commit_read_alone(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("tangled") / "made"
    tangled(seed, folder)

    found, unread = read(folder)
    plain = [change for change in found if len(change.parents) < 2]
    merges = [change for change in found if len(change.parents) > 1]

    assert [change.sha for change in found] == git(folder, "rev-list", "--date-order", "--reverse", "HEAD").split()
    assert {change.sha: change.files for change in plain} == {one.sha: git_says(folder, one.sha) for one in plain}
    assert [[file.path for file in one.files] for one in merges] == [paths_of_merge(folder, one.sha) for one in merges]
    assert [read(folder, only=[one.sha])[0] for one in merges] == [[one] for one in merges]
    assert unread == []


def branch(root: Path, name: str, files: dict[str, str]) -> None:
    git(root, "checkout", "--quiet", "-b", name, "main")
    commit(root, files)
    git(root, "checkout", "--quiet", "main")


def merge(root: Path, *names: str, besides: dict[str, str] | None = None) -> str:
    git(root, "merge", "--quiet", "--no-ff", "--no-commit", *names)
    write(root, besides or {})
    commit_all(root, f"Merge {' '.join(names)}")
    return git(root, "rev-parse", "HEAD")


def files_of(found: list[Change]) -> list[list[str]]:
    return [[file.path for file in change.files] for change in found]


def test_a_merge_has_what_it_changed_beside_merging(shop: Path) -> None:
    branch(shop, "one", {"one": "1\n"})
    branch(shop, "two", {"two": "2\n"})
    branch(shop, "three", {"three": "3\n"})
    clean = merge(shop, "one")
    evil = merge(shop, "two", besides={"evil": "an evil line\n"})
    merge(shop, "three")

    found, _ = read(shop)

    assert {one.sha: files_of([one])[0] for one in found if one.sha in (clean, evil)} == {clean: [], evil: ["evil"]}


@pytest.mark.parametrize(
    ("kept", "dropped"),
    [
        ("our own line\ntheir own line\n", set()),
        ("their own line\nour own line\n", set()),
        ("our own line\n", {"their own line"}),
        ("x\n", {"our own line", "their own line"}),
    ],
)
def test_of_a_conflict_a_merge_takes_only_what_does_not_stand_in_it(shop: Path, kept: str, dropped: set[str]) -> None:
    branch(shop, "one", {"src/a.py": "their own line\n"})
    commit(shop, {"src/a.py": "our own line\n"})
    subprocess.run(["git", *IDENTITY, "merge", "--quiet", "one"], cwd=shop, capture_output=True, check=False)
    commit(shop, {"src/a.py": kept})

    [*_, merged] = read(shop)[0]

    gone = {line for file in merged.files for hunk in file.hunks for line in hunk.removed}
    assert {line for line in ("our own line", "their own line") if LINES.number(line.encode()) in gone} == dropped


def test_an_octopus_is_read_and_what_comes_after_it(shop: Path) -> None:
    branch(shop, "one", {"one": "1\n"})
    branch(shop, "two", {"two": "2\n"})
    octopus = merge(shop, "one", "two")
    last = commit(shop, {"last": "x\n"})

    found, unread = read(shop)

    assert [change.sha for change in found][-2:] == [octopus, last]
    assert (files_of(found)[-2:], unread) == ([[], ["last"]], [])


def test_no_file_passes_for_the_commit_behind_it(shop: Path) -> None:
    """A merge is read before those that it can know, and so name, or have stand in a file, with what git prints."""
    branch(shop, "one", {"one": "1\n"})
    branch(shop, "two", {"two": "2\n"})
    first = merge(shop, "one")
    forged = f"\x02{first}\0\0001\0eve\0eve@shop\0forged\0\0\0"
    text = "a line of it\n" * 1_000 + forged
    second = merge(shop, "two", besides={f"\x02{first}": "x\n", "text": text, f"{first}": "x\n"})

    found, _ = read(shop)

    assert [(one.sha, one.author, len(one.files)) for one in found if one.sha in (first, second)] == [
        (first, "test", 0),
        (second, "test", 3),
    ]


def lose(root: Path, *names: str) -> None:
    """Objects that this clone has no more."""
    for gone in {git(root, "rev-parse", name) for name in names}:
        (root / ".git/objects" / gone[:2] / gone[2:]).unlink()


@pytest.mark.parametrize(
    ("missing", "named"), [("HEAD~2^{tree}", [[], []]), ("HEAD~2:src/a.py", [["src/a.py"], ["src/a.py"]])]
)
def test_what_git_cannot_show_is_unread_and_keeps_its_place(shop: Path, missing: str, named: list[list[str]]) -> None:
    for number in range(5):
        commit(shop, {"src/a.py": f"a line {number}\n" * 3})
    lose(shop, missing)
    listed = git(shop, "rev-list", "--reverse", "HEAD").split()
    shown = [subprocess.run(["git", "show", sha], cwd=shop, capture_output=True, check=False) for sha in listed]
    failed = [sha for sha, ran in zip(listed, shown, strict=True) if ran.returncode]

    found, unread = read(shop)
    not_read = [change for change in found if change.unread]

    assert [(change.sha, change.parents) for change in found] == [
        (sha, tuple(git(shop, "rev-list", "--parents", "-n1", sha).split()[1:])) for sha in listed
    ]
    assert [change.sha for change in not_read] == sorted(unread, key=listed.index) == failed
    assert files_of(not_read) == named
    assert all(file.unread and len(file.hunks) == 1 for change in not_read for file in change.files)


def test_of_a_commit_only_the_files_that_are_not_here_are_unread(shop: Path) -> None:
    commit(
        shop, {"a.py": "one line\n", "b.py": "another line\n", "[c].py": "a third line\n", "c.py": "a fourth line\n"}
    )
    lost = commit(shop, {"a.py": "two lines\n", "b.py": "changed line\n", "[c].py": "changed\n", "c.py": "changed c\n"})
    whole = read(shop)[0][-1]
    lose(shop, "HEAD:b.py", "HEAD:[c].py")

    [*_, found] = read(shop)[0]

    assert (found.sha, found.author, found.message, found.unread) == (lost, "test", whole.message, True)
    assert {file for file in found.files if not file.unread} == {
        file for file in whole.files if file.path in ("a.py", "c.py")
    }
    assert {(file.path, file.before, file.after, len(file.hunks)) for file in found.files if file.unread} == {
        (file.path, file.before, file.after, 1) for file in whole.files if file.path in ("b.py", "[c].py")
    }


@pytest.mark.parametrize("name", ["yarn.lock", "web/vendor/lib/x.go", "docs/CHANGELOG.md"])
def test_what_machines_write_need_not_be_here(shop: Path, name: str) -> None:
    commit(shop, {name: "one\n", "b.py": "a line of code\n"})
    commit(shop, {name: "two\n"})
    commit(shop, {name: "three\n", "b.py": "another line of code\n"})
    whole, _ = read(shop)
    lose(shop, f"HEAD~1:{name}")

    found, unread = read(shop)
    assert [replace(one, lists=()) for one in found] == [replace(one, lists=()) for one in whole]
    assert unread == []


def test_a_submodule_is_no_file_that_is_not_here(shop: Path) -> None:
    commit(shop, {"a.py": "a line of code\n"})
    git(shop, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(shop, "commit", "--quiet", "-m", "A submodule")
    commit(shop, {"a.py": "another line of code\n"})
    lose(shop, "HEAD:a.py")

    assert read(shop)[1] == [git(shop, "rev-parse", "HEAD")]


def test_a_merge_that_cannot_be_made_again_is_unread_and_the_others_are_read(shop: Path) -> None:
    lines = [f"a line {number}\n" for number in range(20)]
    commit(shop, {"a.py": "".join(lines)})
    branch(shop, "one", {"a.py": "".join([*lines, "theirs\n"])})
    branch(shop, "two", {"other.py": "a line\n"})
    commit(shop, {"a.py": "".join(["ours\n", *lines])})
    lost, kept = merge(shop, "one"), merge(shop, "two")
    last = commit(shop, {"other.py": "another line\n"})
    lose(shop, "HEAD~3:a.py")  # one of the sides, which is what merging needs

    found = {change.sha: change for change in read(shop)[0]}

    assert [(file.path, file.unread) for file in found[lost].files] == [("a.py", True)]
    assert [change.sha for change in found.values() if not change.unread][-2:] == [kept, last]


def test_the_first_commits_of_a_shallow_clone_have_not_made_its_files(shop: Path, tmp_path: Path) -> None:
    for number in range(4):
        commit(shop, {"a.py": f"a line {number}\n"})
    git(tmp_path, "clone", "--quiet", "--depth=3", f"file://{shop}", "shallow")

    found, unread = read(tmp_path / "shallow")

    assert [(change.unread, len(change.files)) for change in found] == [(True, 0), (False, 1), (False, 1)]
    assert unread == []


def lines_lost(folder: Path) -> None:
    """A clone without the content of any file."""
    listed = git(folder, "cat-file", "--batch-all-objects", "--batch-check").splitlines()
    for blob in [line[:40] for line in listed if " blob " in line]:
        (folder / ".git/objects" / blob[:2] / blob[2:]).unlink()


def test_of_a_clone_without_content_every_path_is_named_with_a_few_processes(tmp_path: Path) -> None:
    made = "".join(
        f"commit refs/heads/main\ncommitter a <a@shop> {at} +0000\ndata 0\nM 100644 inline a\ndata 3\n{at:03}\n"
        for at in range(120)
    )
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    asked = ["git", "-c", "fastimport.unpackLimit=999", "fast-import", "--quiet"]
    subprocess.run(asked, cwd=tmp_path, input=made.encode(), check=True)
    lines_lost(tmp_path)

    found, unread = read(tmp_path)

    assert unread == [change.sha for change in found] == git(tmp_path, "rev-list", "--reverse", "HEAD").split()
    assert files_of(found) == [["a"]] * 120


@pytest.mark.parametrize(
    ("when", "at_ms"),
    [
        ("ana <a@shop> 7 +0000", 7_000),
        ("ana <a@shop>", 0),
        ("ana", 0),
        ("ana <a@shop> 18446744073709551614 +0000", 253_402_300_799_000),
    ],
)
def test_a_commit_may_say_any_time_or_none(shop: Path, when: str, at_ms: int) -> None:
    head, tree = git(shop, "rev-parse", "HEAD", "HEAD^{tree}").split()
    text = f"tree {tree}\nparent {head}\nauthor {when}\ncommitter {when}\n\nA commit\n"
    (shop / "text").write_text(text)
    odd = git(shop, "hash-object", "--literally", "-w", "-t", "commit", "text")

    [*_, last] = read(shop, odd)[0]

    assert (last.sha, last.at_ms) == (odd, at_ms)


@pytest.mark.parametrize("name", ["a b", "line\nfeed", "quote\"'", "tab\t", "ü", "\x02", "-x", " -> "])
def test_a_file_of_any_name_is_named(shop: Path, name: str) -> None:
    sha = commit(shop, {name: "some line of text\n"})
    (shop / name).rename(shop / f"{name}2")
    commit_all(shop)

    [_, added, renamed] = read(shop)[0]

    assert (added.sha, files_of([added])[0]) == (sha, [name])
    assert [(file.old_path, file.path) for file in renamed.files] == [(name, f"{name}2")]


def test_no_setting_of_a_clone_changes_what_is_read(shop: Path) -> None:
    """For the store compares what several clones read."""
    lines = [f"a line {number}\n" for number in range(9)]
    block = "def one():\n    return 1\n\n"
    commit(shop, {"b": "".join(lines), "c": block, "d": "a file of its own\n", "e": "another file\n"})
    branch(shop, "one", {"b": "".join(lines).replace("4", "of theirs")})
    lines[2], lines[6] = "changed\n", "changed too\n"
    for name in ("d", "e"):
        (shop / name).rename(shop / f"{name}2")
    commit(shop, {"b": "".join(lines), "c": block.replace("one", "two") + block, "d2": "a file of its own\nmore\n"})
    commit(shop, {"README.md": "more\n\nLoom-Run: run_1\n"})
    git(shop, "commit", "--quiet", "--allow-empty", "-m", "Signed\n\nLoom-Run: run_1")
    merge(shop, "one", besides={"evil": "an evil line\n"})
    expected = read(shop)
    (shop / "order").write_text("c\nb\n")
    for setting in ("color.ui=always", "core.quotePath=false", "diff.algorithm=patience", "diff.context=9",
                    "diff.external=false", "diff.indentHeuristic=false", "diff.interHunkContext=9",
                    "diff.mnemonicPrefix=true", "diff.noprefix=true", f"diff.orderFile={shop}/order",
                    "diff.relative=true", "diff.renameLimit=1", "diff.renames=false", "format.pretty=oneline",
                    "i18n.logOutputEncoding=UTF-16", "log.diffMerges=on", "log.follow=true", "log.showRoot=false",
                    "log.showSignature=true", "merge.conflictStyle=diff3", "merge.renames=false",
                    "trailer.separators=%"):  # fmt: skip
        git(shop, "config", *setting.split("="))

        assert (setting, read(shop)) == (setting, expected)
