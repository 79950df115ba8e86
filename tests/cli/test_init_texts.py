"""`init` and `uninstall` on the texts of others: line ends, marks, and what TOML makes of lines around ours."""

import json
import os
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.cli.test_init import FILES, MATCHER, contents
from tests.cli.test_uninstall import URL, done, edit, refused, tree
from tests.conftest import Run, commit_all, git


def test_a_checkout_by_git_with_windows_line_ends_is_set_up_already(shop: Path, loomstack: Run) -> None:
    (shop / ".codex").mkdir()
    (shop / ".codex/config.toml").write_text("a = 1\n")
    done(loomstack, "init")
    commit_all(shop)
    git(shop, "config", "core.autocrlf", "true")
    git(shop, "rm", "-r", "--quiet", "--cached", ".")
    git(shop, "reset", "--quiet", "--hard")
    again = done(loomstack, "init")
    done(loomstack, "uninstall")

    assert "nothing to change" in again
    assert (shop / ".codex/config.toml").read_bytes() == b"a = 1\r\n"
    assert "loomstack" not in "".join(text.decode() for text in contents(shop).values())


def test_a_checkout_with_windows_line_ends_works(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    for name in FILES:
        (shop / name).write_bytes((shop / name).read_bytes().replace(b"\n", b"\r\n"))
    again = done(loomstack, "init")
    done(loomstack, "init", "--url", URL)
    with_url = contents(shop)
    done(loomstack, "uninstall")

    assert "nothing to change" in again
    assert all(text.count(b"\n") == text.count(b"\r\n") for text in with_url.values())
    assert contents(shop) == {}


def test_a_hook_of_ones_own_beside_ours_stays(shop: Path, loomstack: Run) -> None:
    own = {"type": "command", "command": "mine"}
    done(loomstack, "init")
    settings = shop / ".claude/settings.json"
    hooks = tree(settings)["hooks"]
    hooks["PreToolUse"][0]["hooks"].append(own)
    edit(settings, hooks=hooks)
    with_it = settings.read_text()
    again = done(loomstack, "init")
    after_init = settings.read_text()
    done(loomstack, "uninstall")

    assert "nothing to change" in again
    assert after_init == with_it
    assert tree(settings) == {"hooks": {"PreToolUse": [{"matcher": MATCHER, "hooks": [own]}]}}


def test_what_a_person_added_to_our_entry_stays(shop: Path, loomstack: Run) -> None:
    mine = {"type": "stdio", "command": "loomstack-mcp", "env": {"A": "1"}, "args": ["--home", "x"], "timeout": 5}
    (shop / ".mcp.json").write_text(json.dumps({"mcpServers": {"loomstack": mine}}))
    done(loomstack, "init")
    kept = tree(shop / ".mcp.json")["mcpServers"]["loomstack"]
    again = done(loomstack, "init")
    done(loomstack, "init", "--url", URL)
    by_url = tree(shop / ".mcp.json")["mcpServers"]["loomstack"]
    done(loomstack, "init")

    assert kept == mine
    assert "nothing to change" in again
    assert by_url == {
        "env": {"A": "1"}, "args": ["--home", "x"], "timeout": 5,
        "type": "http", "url": URL, "headers": {"Authorization": "Bearer ${LOOMSTACK_TOKEN}"},
    }  # fmt: skip
    assert tree(shop / ".mcp.json")["mcpServers"]["loomstack"] == {key: mine[key] for key in mine if key != "type"}


def test_a_header_that_a_person_added_stays_with_a_new_url(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init", "--url", "https://old.example/mcp")
    servers = tree(shop / ".mcp.json")["mcpServers"]
    servers["loomstack"]["headers"]["X-Team"] = "a"
    edit(shop / ".mcp.json", mcpServers=servers)
    done(loomstack, "init", "--url", URL)
    entry = tree(shop / ".mcp.json")["mcpServers"]["loomstack"]

    assert entry["url"] == URL
    assert entry["headers"] == {"Authorization": "Bearer ${LOOMSTACK_TOKEN}", "X-Team": "a"}


@pytest.mark.parametrize("text", ["a = 1", "a = 1\n", "a = 1\n\n", "\n", "a = 1\r\nb = 2", ""])
def test_the_text_comes_back_without_a_journal(shop: Path, loomstack: Run, journal: Path, text: str) -> None:
    (shop / ".codex").mkdir()
    (shop / ".codex/config.toml").write_bytes(text.encode())
    commit_all(shop)
    done(loomstack, "init")
    tomllib.loads((shop / ".codex/config.toml").read_text())
    journal.unlink()
    done(loomstack, "uninstall")

    assert (shop / ".codex/config.toml").read_bytes() == text.encode()


@pytest.mark.parametrize("command", ["init", "uninstall"])
def test_a_lost_mark_is_named(shop: Path, loomstack: Run, command: str) -> None:
    done(loomstack, "init")
    config = shop / ".codex/config.toml"
    config.write_text(config.read_text().replace("# <<< loomstack <<<\n", ""))
    before = contents(shop)
    said = refused(loomstack, command)

    assert ".codex/config.toml" in said
    assert "# <<< loomstack <<<" in said
    assert contents(shop) == before


def test_our_table_without_its_marks_is_not_passed_over(shop: Path, loomstack: Run) -> None:
    done(loomstack, "init")
    config = shop / ".codex/config.toml"
    config.write_text("".join(line for line in config.read_text().splitlines(True) if not line.startswith("#")))

    assert "[mcp_servers.loomstack]" in refused(loomstack, "uninstall")


@pytest.mark.parametrize("added", ['model = "x"\n', '[mcp_servers.loomstack.env]\nA = "1"\n'])
def test_lines_that_are_ours_only_to_toml_are_not_given_another_meaning(shop: Path, loomstack: Run, added: str) -> None:
    done(loomstack, "init")
    with (shop / ".codex/config.toml").open("a") as config:
        config.write(added)
    before = contents(shop)
    again = done(loomstack, "init")
    said = refused(loomstack, "uninstall")

    assert "nothing to change" in again
    assert ".codex/config.toml" in said
    assert contents(shop) == before


@pytest.mark.parametrize(
    ("found", "said", "unsaid"),
    [
        ((), ("neither claude nor codex", "loomstack-mcp is not on PATH"), ("start `claude`", "start `codex`")),
        (("claude",), ("start `claude`", "codex was not found"), ("start `codex`",)),
        (("codex", "loomstack-mcp"), ("start `codex`", "claude was not found"), ("start `claude`", "is not on PATH")),
        (("claude", "codex"), ("start `claude`", "start `codex`"), ("not found", "neither")),
    ],
)
def test_what_comes_next_names_what_is_there(
    tmp_path: Path, loomstack: Run, found: tuple[str, ...], said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git") or "")
    for name in found:
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    shown = loomstack("init", "--yes", PATH=str(programs)).stdout

    assert [words for words in said if words not in shown] == []
    assert [words for words in unsaid if words in shown] == []
    assert os.path.lexists(tmp_path / "shop" / ".mcp.json")
