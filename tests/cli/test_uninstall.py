"""`uninstall`, and `init` again, after people and git have changed the files in between."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.install import files as installing
from loomstack_mcp.adapters.install.journal import write_journal
from loomstack_mcp.adapters.install.writing import carried_out
from loomstack_mcp.core.clients.files.project import ClientPlaces, client_files
from tests.cli.test_init import FILES, contents, write_foreign
from tests.conftest import Run, commit_all, git

LOCAL = ".claude/settings.local.json"
URL = "https://loom.example/mcp"
OTHER = {"command": "x"}


def done(run: Run, *arguments: str, cwd: Path | None = None) -> str:
    ended = run(*arguments, "--yes", **({"cwd": cwd} if cwd else {}))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def refused(run: Run, *arguments: str, **env: str) -> str:
    ended = run(*arguments, "--yes", **env)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def tree(path: Path) -> Any:
    return json.loads(path.read_text())


def exclude_of(shop: Path) -> Path:
    return shop / ".git" / "info" / "exclude"


def test_an_approval_that_claude_wrote_goes_too(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    edit(shop / LOCAL, enabledMcpjsonServers=["loomstack"])
    edit(shop / ".claude/settings.json", disabledMcpjsonServers=["other", "loomstack"])
    done(loomstack, "uninstall")

    assert not (shop / LOCAL).exists()
    assert tree(shop / ".claude/settings.json") == {"disabledMcpjsonServers": ["other"]}
    assert LOCAL not in exclude_of(shop).read_text()


def test_local_settings_with_content_of_their_own_stay_out_of_git(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    edit(shop / LOCAL, enabledMcpjsonServers=["loomstack"], enableAllProjectMcpServers=True)
    done(loomstack, "uninstall")

    assert tree(shop / LOCAL) == {"enableAllProjectMcpServers": True}
    assert git(shop, "status", "--porcelain") == ""
    assert "nothing to change" in done(loomstack, "uninstall")


def test_a_server_added_between_two_inits_stays(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    edit(shop / ".mcp.json", mcpServers={**tree(shop / ".mcp.json")["mcpServers"], "other": OTHER})
    done(loomstack, "init", "--url", URL)
    done(loomstack, "uninstall")

    assert tree(shop / ".mcp.json") == {"mcpServers": {"other": OTHER}}


def test_a_table_added_between_two_inits_stays(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    with (shop / ".codex/config.toml").open("a") as config:
        config.write('\n[mine]\nmodel = "x"\n')
    with_it = contents(shop)
    again = done(loomstack, "init")
    after_init = contents(shop)
    done(loomstack, "uninstall")

    assert "nothing to change" in again
    assert after_init == with_it
    assert (shop / ".codex/config.toml").read_text() == '\n[mine]\nmodel = "x"\n'


def test_what_was_committed_since_comes_back_and_not_what_was_before(shop: Path, loomstack: Run) -> None:
    old, new = '{"mcpServers": {"old": {"command": "x"}}}', '{"mcpServers": {"new": {"command": "x"}}}'
    (shop / ".mcp.json").write_text(old)
    commit_all(shop)
    done(loomstack, "init")
    git(shop, "checkout", "--", ".")
    (shop / ".mcp.json").write_text(new)
    git(shop, "commit", "--quiet", "-m", "newer", ".mcp.json")
    done(loomstack, "init")
    done(loomstack, "uninstall")

    assert (shop / ".mcp.json").read_text() == new


def test_a_file_that_was_removed_since_does_not_come_back(shop: Path, loomstack: Run) -> None:
    (shop / ".mcp.json").write_text('{"mcpServers": {"old": {"command": "x"}}}')
    done(loomstack, "init")
    commit_all(shop)
    git(shop, "rm", "--quiet", ".mcp.json")
    commit_all(shop)
    done(loomstack, "init")
    done(loomstack, "uninstall")

    assert not (shop / ".mcp.json").exists()


def test_another_repository_at_the_same_path_gets_no_old_text(shop: Path, loomstack: Run, journal: Path) -> None:
    (shop / ".mcp.json").write_text('{"mcpServers": {"old": {"command": "x"}}}')
    done(loomstack, "init")
    (shop / ".mcp.json").write_text('{"mcpServers": {"loomstack": {"command": "loomstack-mcp"}, "other": 1}}')
    done(loomstack, "uninstall")

    assert tree(shop / ".mcp.json") == {"mcpServers": {"other": 1}}
    assert not journal.exists()


def test_a_journal_from_before_a_kill_still_counts(shop: Path, loomstack: Run, journal: Path) -> None:
    (shop / ".mcp.json").write_text("{  }")
    done(loomstack, "init")
    before = contents(shop)
    (shop / ".codex/config.toml").unlink()
    (shop / ".codex/config.toml").mkdir()
    refused(loomstack, "init", "--url", URL)
    (shop / ".codex/config.toml").rmdir()
    (shop / ".codex/config.toml").write_bytes(before[".codex/config.toml"])
    done(loomstack, "init", "--url", URL)
    for name, text in before.items():  # as when the second init was killed before its first file
        (shop / name).write_bytes(text)
    done(loomstack, "uninstall")

    assert contents(shop) == {".mcp.json": b"{  }"}


@pytest.mark.parametrize("home", ["/proc/nope", "/dev/null/home"])
def test_without_a_place_for_the_journal_nothing_is_changed(shop: Path, loomstack: Run, home: str) -> None:
    said = refused(loomstack, "init", LOOMSTACK_HOME=home)

    assert "LOOMSTACK_HOME" in said
    assert "nothing was changed" in said
    assert contents(shop) == {}
    assert not (shop / ".claude").exists()


@pytest.mark.parametrize("command", ["init", "uninstall"])
def test_what_a_killed_init_left_is_removed(shop: Path, loomstack: Run, command: str) -> None:
    done(loomstack, "init")
    left = shop / "..mcp.json.loomstack-new"
    left.write_bytes(b'{"\xc3')
    done(loomstack, command)

    assert not left.exists()


@pytest.mark.parametrize("text", ["", '{"mcpServers": {}}', "{}"])
def test_a_file_without_content_comes_back(shop: Path, loomstack: Run, text: str) -> None:
    (shop / ".mcp.json").write_text(text)
    done(loomstack, "init")
    done(loomstack, "uninstall")

    assert contents(shop) == {".mcp.json": text.encode()}


def test_a_file_in_git_is_never_removed_on_a_guess(shop: Path, loomstack: Run, journal: Path) -> None:
    for name in FILES[:2]:
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_text("")
    commit_all(shop)
    done(loomstack, "init")
    journal.unlink()
    done(loomstack, "uninstall")

    assert contents(shop) == {".mcp.json": b'{"mcpServers": {}}\n', ".claude/settings.json": b"{}\n"}


def test_what_init_made_is_removed_from_git_too(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    commit_all(shop)
    (shop / ".mcp.json").write_text((shop / ".mcp.json").read_text() + "\n")
    done(loomstack, "uninstall")

    assert contents(shop) == {}


def test_a_line_that_another_worktree_needs_stays(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    other = tmp_path / "other tree"
    git(shop, "worktree", "add", "--quiet", "-b", "other", str(other))
    done(loomstack, "init")
    done(loomstack, "init", cwd=other)
    done(loomstack, "uninstall")
    between = exclude_of(shop).read_text()
    done(loomstack, "uninstall", cwd=other)

    assert LOCAL in between.splitlines()
    assert LOCAL not in exclude_of(shop).read_text()


def test_a_folder_behind_a_link_stays_and_so_does_the_link(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "dotclaude").mkdir()
    (shop / ".claude").symlink_to(tmp_path / "dotclaude")
    (shop / ".codex").mkdir()
    done(loomstack, "init")
    done(loomstack, "uninstall")

    assert (shop / ".claude").is_symlink()
    assert (tmp_path / "dotclaude").is_dir()
    assert list((tmp_path / "dotclaude").iterdir()) == []
    assert (shop / ".codex").is_dir()


def test_a_clone_that_lost_its_home_folder_is_cleaned_all_the_same(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    shutil.rmtree(tmp_path / "loomstack")
    done(loomstack, "uninstall")

    assert contents(shop) == {}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("count", range(len(FILES) + 1))
def test_a_kill_between_two_files_loses_nothing(
    shop: Path, loomstack: Run, journal: Path, count: int, again: bool
) -> None:
    write_foreign(shop)
    before, excluded = contents(shop), exclude_of(shop).read_text()
    wanted = client_files(ClientPlaces(exclude=str(exclude_of(shop))))
    steps = installing.planned(shop, wanted)
    write_journal(journal, shop, wanted, steps)
    carried_out(steps[:count])
    done(loomstack, "init", *(("--url", URL) if again else ("--dry-run",)))
    done(loomstack, "uninstall")

    assert contents(shop) == before
    assert exclude_of(shop).read_text() == excluded
