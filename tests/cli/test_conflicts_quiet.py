"""`conflicts` where nothing was compared: it says so, and answers nothing that was not earned."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run, commit_all, git
from tests.wire import Server

QUIET = "nothing was compared: no change landed on main in the time that is looked at."
SAME = "nothing was compared: nothing that counts would land on main."


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository on which nothing has landed for years, and a branch that would land something."""
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2021-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2021-01-01T00:00:00Z")
    root = tmp_path / "quiet"
    root.mkdir()
    (root / "a.py").write_text("price = 1\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root)
    git(root, "checkout", "--quiet", "-b", "side")
    (root / "a.py").write_text("price = 2\n")
    return root


def test_a_quiet_window_is_no_clear(quiet: Path, loomstack: Run) -> None:
    told = loomstack("conflicts", cwd=quiet)
    found = json.loads(loomstack("conflicts", "--json", cwd=quiet).stdout)

    assert (told.returncode, told.stdout) == (0, f"N{QUIET[1:]}\n")
    assert found["checked"]["changes"] == 0
    assert f"nothing was compared: {found['checked']['nothing']}." == QUIET


def test_a_gap_is_told_beside_it(quiet: Path, loomstack: Run, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=main", f"file://{quiet}", "shallow")
    told = loomstack("conflicts", cwd=tmp_path / "shallow").stdout

    assert told.startswith("warn: nothing was compared: no change landed on main")
    assert "Not checked: this clone is shallow" in told


def test_a_worktree_that_would_land_nothing_is_no_clear(shop: Path, loomstack: Run) -> None:
    git(shop, "checkout", "--quiet", "-b", "side")
    (shop / "package-lock.json").write_text('{"generated": true}\n')
    told = loomstack("conflicts", cwd=shop).stdout

    assert SAME[1:] in told
    assert "clear" not in told


def test_what_was_compared_is_answered_as_before(shop: Path, loomstack: Run) -> None:
    git(shop, "checkout", "--quiet", "-b", "side")
    (shop / "src/new.py").write_text("price = net_price - discount\n")
    told = loomstack("conflicts", cwd=shop).stdout
    found = json.loads(loomstack("conflicts", "--json", cwd=shop).stdout)

    assert "compared with 1 change on main" in told
    assert found["checked"].keys() == {"against", "changes", "ms"}


def test_an_agent_is_told_the_same(quiet: Path, serve: Callable[..., Server]) -> None:
    server = serve(cwd=quiet)
    server.answer("start_run", loop="triage", goal="green")

    assert f"nothing was compared: {server.answer('check_conflicts')['checked']['nothing']}." == QUIET


def test_the_gate_says_it_too(quiet: Path, loomstack: Run) -> None:
    commit_all(quiet)
    loomstack("conflicts", cwd=quiet)  # from here on there is a store to be asked
    told = loomstack("gate", "--base", "main", cwd=quiet).stdout

    assert f"Note: {QUIET}" in told


def test_an_audit_of_a_time_without_commits_judged_nothing(quiet: Path, loomstack: Run, tmp_path: Path) -> None:
    commit_all(quiet)
    told = loomstack("audit", "--since", "30d", "--html", str(tmp_path / "page.html"), cwd=quiet).stdout

    assert told.startswith("nothing was judged: no commit here is from that time, ")
    assert "took back" not in told
    assert "nothing was judged: no commit here is from that time</p>" in (tmp_path / "page.html").read_text()
