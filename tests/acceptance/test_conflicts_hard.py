"""The reversal guard where it is easily deceived: clocks, renames, binaries, the index, hostile settings."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_conflicts import AFTER, BEFORE, bea_lands, conflicts, land, trunk, worktree
from tests.conftest import Run, commit_all, environment, git
from tests.processes import SCRIPT, run
from tests.wire import Server

pytestmark = pytest.mark.sqlite("about git, whatever the store is")

__all__ = ["trunk"]

Story = Callable[..., dict[str, Any]]


@pytest.fixture
def ana(trunk: Path, tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """What Ana is told of her worktree, as a person."""

    def check(*options: str) -> dict[str, Any]:
        return conflicts(tmp_path / "ana", tmp_path, *options)[1]

    return check


def commit_at(folder: Path, when: str, *arguments: str) -> None:
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    command = ["git", "-c", "user.name=Cy", "-c", "user.email=cy@shop", "commit", "--quiet", "--allow-empty", "-m", "x"]
    subprocess.run([*command, *arguments], cwd=folder, env={**os.environ, **dates}, check=True)


def test_an_old_clock_on_the_trunk_hides_nothing(trunk: Path, ana: Story, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    commit_at(trunk, "2019-01-01T00:00:00Z")
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").write_text(BEFORE)

    assert ana()["verdict"] == "stop"


def test_a_branch_of_old_commits_landed_when_it_was_merged(trunk: Path, ana: Story) -> None:
    git(trunk, "checkout", "--quiet", "-b", "long")
    (trunk / "src/a.py").write_text(AFTER)
    git(trunk, "add", "--all")
    commit_at(trunk, "2026-01-01T00:00:00Z")
    git(trunk, "checkout", "--quiet", "main")
    git(trunk, "merge", "--quiet", "--no-ff", "long")
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").write_text(BEFORE)

    assert [(one["kind"], one["who"]) for one in ana()["conflicts"]] == [("undo", "Cy")]


def test_a_history_that_cannot_be_followed_is_an_error(trunk: Path, loomstack: Run) -> None:
    commit_all(trunk, "more")
    sha = git(trunk, "rev-parse", "HEAD~1")
    (trunk / ".git/objects" / sha[:2] / sha[2:]).unlink()
    done = loomstack("conflicts", cwd=trunk)

    assert (done.returncode, "git cannot follow the history" in done.stderr) == (1, True)


@pytest.mark.parametrize("content", [b"\0\1", "ünïcode\n".encode("utf-16"), b"x" * 1_500_000])
def test_what_has_no_lines_is_compared_as_a_whole(trunk: Path, ana: Story, content: bytes) -> None:
    (trunk / "src/logo.bin").write_bytes(content)
    commit_all(trunk, "Logo")
    bea = worktree(trunk, "bea")
    (bea / "src/logo.bin").write_bytes(content + content)
    land(trunk, bea, "A better logo")
    branch = worktree(trunk, "ana")
    (branch / "src/logo.bin").write_bytes(content)

    assert [(one["kind"], one["paths"]) for one in ana()["conflicts"]] == [("undo", ["src/logo.bin"])]


def test_a_file_that_moved_on_disk_alone_is_followed(trunk: Path, ana: Story, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").unlink()
    (branch / "src/moved.py").write_text(BEFORE)

    assert ana()["verdict"] == "stop"


def test_who_deletes_a_file_that_was_changed_on_purpose_is_warned(
    trunk: Path, ana: Story, serve: Callable[..., Server]
) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").unlink()
    found = ana()

    assert (found["verdict"], found["conflicts"][0]["kind"]) == ("warn", "intent")


@pytest.mark.parametrize("where", ["index", "head"])
def test_what_is_staged_or_committed_counts_though_the_file_is_mended(
    trunk: Path, ana: Story, serve: Callable[..., Server], where: str
) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").write_text(BEFORE)
    git(branch, "add", "--all")
    if where == "head":
        commit_all(branch)
    (branch / "src/a.py").write_text(AFTER)

    assert ana()["verdict"] == "stop"


def test_a_word_that_weighs_nothing_is_still_a_word(trunk: Path, ana: Story) -> None:
    (trunk / "src/b.py").write_text("def allowed(user):\n    return False\n")
    commit_all(trunk, "Nobody")
    bea = worktree(trunk, "bea")
    (bea / "src/b.py").write_text("def allowed(user):\n    return True\n")
    land(trunk, bea, "Everybody")
    branch = worktree(trunk, "ana")
    (branch / "src/b.py").write_text("def allowed(user):\n    return False\n")

    assert [one["kind"] for one in ana()["conflicts"]] == ["undo"]


def test_a_source_file_called_history_is_no_change_log(trunk: Path, ana: Story) -> None:
    (trunk / "src/history.py").write_text(BEFORE)
    commit_all(trunk, "History")
    bea = worktree(trunk, "bea")
    (bea / "src/history.py").write_text(AFTER)
    land(trunk, bea, "Net history")
    branch = worktree(trunk, "ana")
    (branch / "src/history.py").write_text(BEFORE)

    assert ana()["verdict"] == "warn"


def test_a_branch_cannot_declare_files_generated(trunk: Path, ana: Story, serve: Callable[..., Server]) -> None:
    bea_lands(trunk, serve)
    branch = worktree(trunk, "ana")
    (branch / ".gitattributes").write_text("* linguist-generated\n")
    (branch / "src/a.py").write_text(BEFORE)

    assert ana()["verdict"] == "stop"


def test_without_a_trunk_nothing_is_clear(trunk: Path, tmp_path: Path) -> None:
    git(trunk, "branch", "--quiet", "-m", "main", "unusual")
    git(trunk, "checkout", "--quiet", "-b", "work")

    done = run([SCRIPT, "conflicts"], cwd=trunk, env=environment(tmp_path))
    named = run([SCRIPT, "conflicts", "--base", "unusual"], cwd=trunk, env=environment(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert "no trunk can be told" in done.stderr
    assert "--base" in done.stderr
    assert named.returncode == 0


def test_a_local_trunk_that_is_ahead_of_its_origin_is_the_trunk(trunk: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(trunk), "clone")
    clone = tmp_path / "clone"
    (clone / "src/a.py").write_text(AFTER)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--author", "Bea <bea@shop>", "-m", "Net prices, not pushed yet")
    git(clone, "worktree", "add", "--quiet", "-b", "ana", str(tmp_path / "local"), "main")
    (tmp_path / "local/src/a.py").write_text(BEFORE)

    found = conflicts(tmp_path / "local", tmp_path)[1]

    assert ([one["kind"] for one in found["conflicts"]], found["checked"]["against"]) == (["undo"], "main")


def test_an_open_revert_is_warned_of_though_it_is_large(trunk: Path, ana: Story) -> None:
    many = "".join(f"def f{number}(item):\n    return item * {number}000\n\n" for number in range(8))
    (trunk / "src/b.py").write_text(many)
    commit_all(trunk, "Many")
    bea = worktree(trunk, "bea")
    (bea / "src/b.py").write_text(many.replace("000", "111"))
    sha = land(trunk, bea, "Other factors")
    branch = worktree(trunk, "ana")
    git(branch, "revert", "--no-edit", sha)

    assert ana()["verdict"] == "warn"


def test_a_run_cannot_take_another_s_commit_as_its_own(trunk: Path, serve: Callable[..., Server]) -> None:
    bea = worktree(trunk, "bea")
    (bea / "src/a.py").write_text(AFTER)
    git(bea, "add", "--all")
    commit_at(bea, "2026-11-20T00:00:00Z")
    git(trunk, "merge", "--quiet", "--ff-only", "bea")
    sha = git(trunk, "rev-parse", "HEAD")
    branch = worktree(trunk, "ana")
    server = serve(cwd=branch)
    server.answer("start_run", loop="triage", goal="green")
    server.answer("record_outcome", status="passed", summary="mine", commits=[sha])
    (branch / "src/a.py").write_text(BEFORE)

    assert server.answer("check_conflicts")["conflicts"][0]["who"] == "Cy"


def test_a_conflict_over_very_many_files_is_a_short_answer(trunk: Path, ana: Story) -> None:
    for number in range(400):
        (trunk / f"src/part{number}.py").write_text(BEFORE + f"# {number}\n")
    commit_all(trunk, "Parts")
    bea = worktree(trunk, "bea")
    for number in range(400):
        (bea / f"src/part{number}.py").write_text(AFTER + f"# {number}\n")
    land(trunk, bea, "Net parts")
    branch = worktree(trunk, "ana")
    for number in range(400):
        (branch / f"src/part{number}.py").write_text(BEFORE + f"# {number}\n")

    [conflict] = ana()["conflicts"]

    assert (len(conflict["paths"]), conflict["more_paths"]) == (10, 390)
    assert len(conflict["evidence"]) < 300


def test_nothing_is_left_in_the_repository(trunk: Path, ana: Story) -> None:
    branch = worktree(trunk, "ana")
    (branch / "new.txt").write_text("a new file\n")
    before = sorted(str(path) for path in (trunk / ".git/objects").rglob("*"))

    ana()

    assert sorted(str(path) for path in (trunk / ".git/objects").rglob("*")) == before
    assert git(branch, "status", "--porcelain") == "?? new.txt"


def test_a_mere_change_of_mode_takes_nothing_back(trunk: Path, ana: Story) -> None:
    for text, who in ((AFTER, "bea"), (BEFORE, "dan")):
        branch = worktree(trunk, who)
        (branch / "src/a.py").write_text(text)
        land(trunk, branch, f"By {who}", author=f"{who} <{who}@shop>")
    branch = worktree(trunk, "ana")
    (branch / "src/a.py").chmod(0o755)

    assert ana()["verdict"] == "clear"
