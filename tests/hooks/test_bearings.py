"""What git said of a worktree is not asked again, until a file that decides it was written to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

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


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _hold(serve: Callable[..., Server]) -> None:
    other = serve(CLAUDE_CODE_SESSION_ID="s-other")
    other.answer("start_run", loop="refactor", goal="split")
    other.answer("claim_paths", paths=["src"], intent="split it")
