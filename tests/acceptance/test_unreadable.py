"""A repository that git will not read is said to be so by every face, and never taken for none."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes
from tests.conftest import Run, commit_all, environment, git
from tests.hooks.support import made_store
from tests.processes import HOOK
from tests.wire import Server

pytestmark = pytest.mark.sqlite("about git, whatever the store is")

OTHER = 12_345
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
COMMANDS = (
    *("runs", "claims", "events", "notes", "conflicts", "audit", "config", "doctor", "init --yes", "uninstall --yes"),
    *("gate --base main --git-only", "gate --deploy production --git-only", "policy check", "policy replay"),
)


def given_away(shop: Path) -> str:
    os.chown(shop, OTHER, OTHER)
    return f"detected dubious ownership in repository at '{shop}'"


def broken_head(shop: Path) -> str:
    (shop / ".git/HEAD").write_text("")
    return f"git takes {shop}/.git for no repository"


def moved_clone(shop: Path) -> str:
    (shop / ".git").rename(shop.parent / "elsewhere")
    (shop / ".git").write_text(f"gitdir: {shop}/gone/.git/worktrees/shop\n")
    return f"not a git repository: {shop}/gone/.git/worktrees/shop"


BROKEN = [pytest.param(given_away, marks=ROOT), broken_head, moved_clone]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_shows_git_s_word(shop: Path, loomstack: Run, broken: Callable[[Path], str], command: str) -> None:
    word = broken(shop)
    done = loomstack(*command.split())

    assert (done.returncode, word in done.stdout + done.stderr) == (1, True), done


@pytest.mark.parametrize("broken", BROKEN)
def test_a_server_starts_and_each_call_shows_git_s_word(
    shop: Path, serve: Callable[..., Server], broken: Callable[[Path], str]
) -> None:
    word = broken(shop)
    server = serve()

    assert word in server.error("start_run", loop="loop", goal="goal")
    assert word in server.error("claim_paths", paths=["src"], intent="x")
    assert word in server.error("check_policy", action="edit", paths=["src/a.py"])


@pytest.mark.parametrize("broken", BROKEN)
def test_a_hook_says_that_it_did_not_check(shop: Path, tmp_path: Path, broken: Callable[[Path], str]) -> None:
    made_store(tmp_path)
    word = broken(shop)
    payload = {"hook_event_name": "PreToolUse", "session_id": "s", "cwd": str(shop), "tool_name": "Edit",
               "tool_input": {"file_path": str(shop / "src/a.py"), "old_string": "x", "new_string": "y"}}  # fmt: skip
    done = processes.run([HOOK, "claude", "PreToolUse"], cwd=shop, env=environment(tmp_path), given=json.dumps(payload))

    assert "did not check this step" in done.stdout
    assert word in json.loads(done.stdout)["systemMessage"]


@ROOT
@pytest.mark.parametrize("way", ["counted", "global", "sudo"])
def test_a_clone_of_another_user_is_read_once_it_is_trusted(
    shop: Path, tmp_path: Path, loomstack: Run, way: str
) -> None:
    given_away(shop)
    (tmp_path / "given").write_text(f"[safe]\n\tdirectory = {shop}\n")
    trust = {
        "counted": {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(shop)},
        "global": {"GIT_CONFIG_GLOBAL": str(tmp_path / "given")},
        "sudo": {"SUDO_UID": str(OTHER)},
    }
    done = loomstack("audit", **trust[way])

    assert (done.returncode, done.stderr) == (0, "")
    assert "1 commit" in done.stdout


def test_from_the_folder_around_a_bare_repository_its_worktrees_are_named(
    shop: Path, tmp_path: Path, loomstack: Run, serve: Callable[..., Server]
) -> None:
    around = tmp_path / "around"
    around.mkdir()
    git(around, "clone", "--quiet", "--bare", str(shop), ".bare")
    (around / ".git").write_text("gitdir: ./.bare\n")
    git(around, "worktree", "add", "--quiet", "main")
    commit_all(around / "main")
    word = f"{around} is in no git worktree; those of {around}/.bare are {around}/main"

    shown = [loomstack(*command.split(), cwd=around) for command in ("conflicts", "init --yes", "policy check")]
    assert [(done.returncode, word in done.stderr) for done in shown] == [(1, True)] * 3
    assert word in loomstack("doctor", cwd=around).stdout
    assert loomstack("audit", cwd=around).returncode == 0
    server = serve(cwd=around)
    server.answer("start_run", loop="loop", goal="goal")
    assert word in server.error("check_conflicts")
    assert loomstack("conflicts", cwd=around / "main").returncode == 0
