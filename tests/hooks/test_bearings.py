"""What git said of a worktree is not asked again, until a file that decides it was written to."""

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.deciding import deciding_files, is_told_by_files
from loomstack_mcp.adapters.git.discovery import place_at
from tests.conftest import commit_all, environment, git
from tests.hooks.support import claude_edit, codex_patch, hook, refused
from tests.house.started import Started, started
from tests.processes import HOOK
from tests.wire import Server

ORIGIN = "https://git.localhost/acme/shop.git"
REWRITTEN = '[url "https://git.localhost/other/"]\n\tinsteadOf = https://git.localhost/acme/\n'
PATCH = "*** Begin Patch\n*** Delete File: src/a.py\n"


def another_remote(_: Path, shop: Path) -> None:
    git(shop, "remote", "set-url", "origin", "https://git.localhost/other/shop.git")


def a_name_on_the_trunk(_: Path, shop: Path) -> None:
    (shop / ".loomstack").mkdir()
    (shop / ".loomstack/config.yaml").write_text("repo: other/shop\n")
    commit_all(shop)


def another_trunk(_: Path, shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "work")
    a_name_on_the_trunk(_, shop)
    git(shop, "update-ref", "refs/remotes/origin/main", "work")


def hooked(home: Path, shop: Path, client: str, payload: object) -> Started:
    return started(
        [HOOK, client, "PreToolUse"], cwd=shop, environment=environment(home), stdin=json.dumps(payload)
    )  # fmt: skip


@pytest.fixture(params=[ORIGIN, "git@github.com:acme/shop.git", ""])
def clone(shop: Path, request: pytest.FixtureRequest) -> Path:
    """With a remote, or without one."""
    if request.param:
        git(shop, "remote", "add", "origin", request.param)
    return shop


def test_git_is_asked_once_for_a_clone_that_the_store_knows(
    tmp_path: Path, clone: Path, serve: Callable[..., Server]
) -> None:
    _hold(serve)
    edit, patch = claude_edit(clone, "src/a.py"), codex_patch(clone, PATCH)
    first = hook(tmp_path, "claude", edit)
    found = [hooked(tmp_path, clone, "claude", edit), hooked(tmp_path, clone, "codex", patch)]

    assert refused(first)
    assert [json.loads(each.printed) for each in found] == [first, first]
    assert [each.git for each in found] == [(), ()]


@pytest.mark.parametrize("change", [another_remote, a_name_on_the_trunk, another_trunk])
def test_what_decides_a_clone_is_seen_to_change(
    tmp_path: Path, shop: Path, serve: Callable[..., Server], change: Callable[[Path, Path], None]
) -> None:
    git(shop, "remote", "add", "origin", ORIGIN)
    _hold(serve)
    before = [refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))) for _ in range(2)]
    change(tmp_path, shop)
    after = refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py")))

    assert (before, after) == ([True, True], False)


def test_a_clone_without_a_remote_is_seen_to_get_another_history_and_a_remote(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    _hold(serve)
    edit = claude_edit(shop, "src/a.py")
    before = [refused(hook(tmp_path, "claude", edit)) for _ in range(2)]
    git(shop, "checkout", "--quiet", "--orphan", "fresh")
    git(shop, "commit", "--quiet", "-m", "another root")
    other = hooked(tmp_path, shop, "claude", edit)
    git(shop, "checkout", "--quiet", "main")
    again = refused(hook(tmp_path, "claude", edit))

    assert (before, again) == ([True, True], True)
    assert other.verbs["rev-list"] == 1


def test_a_persons_settings_are_seen_to_change_and_those_that_include_others_asked_for_each_time(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    git(shop, "remote", "add", "origin", ORIGIN)
    _hold(serve)
    edit, asked = claude_edit(shop, "src/a.py"), []
    for text in ("", "", REWRITTEN, REWRITTEN, "[include]\n\tpath = more\n", "[include]\n\tpath = more\n"):
        if text and text not in _read(tmp_path / ".gitconfig"):
            (tmp_path / ".gitconfig").write_text(text)
        found = hooked(tmp_path, shop, "claude", edit)
        asked.append((refused(json.loads(found.printed)), found.verbs["config"] > 0))

    assert asked == [(True, True), (True, False), (True, True), (True, False), (True, True), (True, True)]


@pytest.mark.parametrize(
    ("variable", "value"), [("XDG_CONFIG_HOME", "conf"), ("HOME", "home"), ("GIT_CONFIG_GLOBAL", "/conf")]
)
def test_settings_that_a_variable_moves_are_asked_for_each_time(
    shop: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    git(shop, "remote", "add", "origin", ORIGIN)
    place = place_at(shop)
    usual = deciding_files(place, "/etc/gitconfig")
    monkeypatch.setenv(variable, value)

    assert usual
    assert deciding_files(place, "/etc/gitconfig") == ()
    assert not is_told_by_files(place, "/etc/gitconfig")


def test_a_commit_beside_the_trunk_is_no_news(tmp_path: Path, shop: Path, serve: Callable[..., Server]) -> None:
    git(shop, "remote", "add", "origin", ORIGIN)
    git(shop, "checkout", "--quiet", "-b", "work")
    _hold(serve)
    held, free = claude_edit(shop, "src/a.py"), claude_edit(shop, "README.md")
    first = [hook(tmp_path, "claude", edit) for edit in (held, free)]
    (shop / "README.md").write_text("more\n")
    commit_all(shop)
    then = [hooked(tmp_path, shop, "claude", edit) for edit in (held, free)]
    git(shop, "branch", "--force", "main")
    moved = [hooked(tmp_path, shop, "claude", edit) for edit in (held, free)]

    assert [refused(reply) for reply in first] == [True, False]
    assert [json.loads(each.printed or "null") for each in (*then, *moved)] == first * 2
    assert [each.git for each in then] == [(), ()]
    assert "loomstack_mcp.edge.guarding" not in then[1].ours
    assert all("loomstack_mcp.edge.guarding" in each.ours for each in moved)


def test_a_branch_that_stands_for_another_is_seen_to_move(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    git(shop, "remote", "add", "origin", ORIGIN)
    git(shop, "branch", "--quiet", "--move", "main", "team/trunk")
    git(shop, "symbolic-ref", "refs/heads/main", "refs/heads/team/trunk")
    git(shop, "checkout", "--quiet", "-b", "named", "team/trunk")
    a_name_on_the_trunk(tmp_path, shop)
    git(shop, "checkout", "--quiet", "-b", "work", "team/trunk")
    _hold(serve)
    before = [refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))) for _ in range(2)]
    git(shop, "branch", "--force", "team/trunk", "named")

    assert before == [True, True]
    assert not refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py")))


def test_the_only_branch_is_seen_to_get_another_one_beside_it(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    a_name_on_the_trunk(tmp_path, shop)
    git(shop, "branch", "--quiet", "--move", "main", "feature/x")
    _hold(serve, "docs")
    before = [hook(tmp_path, "claude", claude_edit(shop, "src/a.py")) for _ in range(2)]
    git(shop, "branch", "feature/y")  # so that none is the trunk, and nothing names the repository
    _hold(serve)

    assert before == [None, None]
    assert refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py", session="s-2")))


def test_the_trunk_of_a_branch_that_is_rebased_is_seen_to_move(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    git(shop, "remote", "add", "origin", ORIGIN)
    git(shop, "remote", "add", "fork", ORIGIN.replace("acme", "ana"))
    git(shop, "update-ref", "refs/remotes/fork/main", "main")
    git(shop, "checkout", "--quiet", "-b", "work", "--track", "fork/main")
    (shop / "src/a.py").write_text("mine\n")
    commit_all(shop)
    git(shop, "checkout", "--quiet", "-b", "named", "main")
    a_name_on_the_trunk(tmp_path, shop)
    git(shop, "branch", "--quiet", "--delete", "--force", "main")
    _hold(serve)
    git(shop, "checkout", "--quiet", "work")
    with suppress(subprocess.CalledProcessError):  # it stops
        git(shop, "rebase", "--quiet", "--force-rebase", "--exec", "false", "fork/main")
    before = [refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py"))) for _ in range(2)]
    git(shop, "update-ref", "refs/remotes/fork/main", "named")

    assert before == [True, True]
    assert not refused(hook(tmp_path, "claude", claude_edit(shop, "src/a.py")))


def test_a_partial_clone_that_lacks_what_names_its_repository_says_so(
    tmp_path: Path, shop: Path, serve: Callable[..., Server]
) -> None:
    git(shop, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{shop}", "partial")
    partial, name = tmp_path / "partial", "origin/main:.loomstack/config.yaml"
    a_name_on_the_trunk(tmp_path, shop)
    _hold(serve)
    git(partial, "fetch", "--quiet")
    edit = claude_edit(partial, "src/a.py")
    said = hook(tmp_path, "claude", edit) or {}
    told = serve(cwd=partial).error("start_run", loop="fix", goal="x")
    git(partial, "-c", "protocol.file.allow=always", "show", name)
    git(partial, "remote", "set-url", "origin", ORIGIN)

    assert f"git show refs/remotes/{name}" in said["systemMessage"]
    assert f"git show refs/remotes/{name}" in told
    assert refused(hook(tmp_path, "claude", edit))


def test_what_git_could_not_read_once_is_read_again(tmp_path: Path, shop: Path, serve: Callable[..., Server]) -> None:
    a_name_on_the_trunk(tmp_path, shop)
    _hold(serve)
    ends = tmp_path / "ends/git"
    ends.parent.mkdir()
    ends.write_text('#!/bin/sh\nPATH=${PATH#*:}\n[ $1 = cat-file ] || exec git "$@"\n')
    ends.chmod(0o755)
    edit = claude_edit(shop, "src/a.py")
    said = hook(tmp_path, "claude", edit, PATH=f"{ends.parent}:{environment(tmp_path)['PATH']}") or {}

    assert "git ended" in said["systemMessage"]
    assert refused(hook(tmp_path, "claude", edit))


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _hold(serve: Callable[..., Server], path: str = "src") -> None:
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    other.answer("start_run", loop="refactor", goal="split")
    other.answer("claim_paths", paths=[path], intent="split it")
