"""`init` and `uninstall` on real files: planned, all or none, and undone byte for byte."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from loomstack_mcp.adapters.settings import _NAMES as SETTINGS
from tests.cli.test_cli import on_terminal
from tests.conftest import Run, commit_all, environment, git
from tests.processes import SCRIPT, run

MATCHER = "Edit|Write|MultiEdit|NotebookEdit|Bash|Monitor|mcp__.*"
FILES = (".mcp.json", ".claude/settings.json", ".claude/settings.local.json", ".codex/config.toml", ".codex/hooks.json")
FOREIGN = {
    ".mcp.json": '{"mcpServers":{"other":{"command":"x","args":["ü"]}}}',
    ".claude/settings.json": '{\n    "model": "opus",\n    "permissions": {"allow": [], "deny": ["WebFetch"]},\n'
    '    "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": []}]}\n}',
    ".claude/settings.local.json": "{}\n",
    ".codex/hooks.json": '{"hooks": {"Stop": []}}\n',
    ".codex/config.toml": '# mine\r\nmodel = "gpt-5.5" # keep\r\n[mcp_servers.other]\r\ncommand = "x"\r\n',
}


def write_foreign(root: Path) -> None:
    for name, text in FOREIGN.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(text.encode())


def contents(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in FILES if (root / name).exists()}


def test_a_fresh_repository_gets_the_files_and_loses_them_without_a_trace(shop: Path, loomstack: Run) -> None:
    done = loomstack("init", "--yes")
    settings = json.loads((shop / ".claude/settings.json").read_text())
    codex = tomllib.loads((shop / ".codex/config.toml").read_text())["mcp_servers"]["loomstack"]

    assert done.returncode == 0, done.stderr
    assert "Next:" in done.stdout
    assert json.loads((shop / ".mcp.json").read_text()) == {"mcpServers": {"loomstack": {"command": "loomstack-mcp"}}}
    assert settings["permissions"] == {"allow": ["mcp__loomstack"]}
    assert settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"] == "loomstack-hook claude PreToolUse"
    assert codex["command"] == "loomstack-mcp"
    assert codex["required"] is True
    assert set(codex["env_vars"]) >= {"LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME", "XDG_CONFIG_HOME"}
    assert set(codex["env_vars"]) >= {f"LOOMSTACK_{name.upper()}" for name in SETTINGS if not name.startswith("jwt_")}
    assert loomstack("uninstall", "--yes").returncode == 0
    assert git(shop, "status", "--porcelain") == ""
    assert not (shop / ".claude").exists()


def test_foreign_content_stays_and_comes_back_byte_for_byte(shop: Path, loomstack: Run) -> None:
    write_foreign(shop)
    exclude = shop / ".git" / "info" / "exclude"
    exclude.write_text("*.mine")
    before = contents(shop)
    loomstack("init", "--yes")
    with_us = contents(shop)
    excluded = exclude.read_text()
    settings = json.loads(with_us[".claude/settings.json"])
    loomstack("uninstall", "--yes")

    assert json.loads(with_us[".mcp.json"])["mcpServers"].keys() == {"other", "loomstack"}
    assert settings["permissions"] == {"allow": ["mcp__loomstack"], "deny": ["WebFetch"]}
    assert [each["matcher"] for each in settings["hooks"]["PreToolUse"]] == ["Bash", MATCHER]
    assert b'model = "gpt-5.5" # keep\r\n' in with_us[".codex/config.toml"]
    assert contents(shop) == before
    assert ".claude/settings.local.json" in excluded.splitlines()
    assert exclude.read_text() == "*.mine"


def test_a_server_elsewhere_cannot_guard(loomstack: Run) -> None:
    done = loomstack("init", "--yes", "--guard", "--url", "https://loom.example/mcp")

    assert done.returncode == 1
    assert "sees no worktree" in done.stderr


@pytest.mark.parametrize("wanted", [(), ("--guard",)])
def test_what_an_older_init_wrote_becomes_new_and_goes_again(
    shop: Path, loomstack: Run, wanted: tuple[str, ...]
) -> None:
    write_foreign(shop)
    before = contents(shop)
    old = {"type": "command", "command": "loomstack-hook claude PreToolUse", "timeout": 10}
    matcher = "Edit|Write|MultiEdit|NotebookEdit|mcp__loomstack__.*"
    settings = shop / ".claude/settings.json"
    loomstack("init", "--yes")
    tree = json.loads(settings.read_text())
    hooks = [tree["hooks"]["PreToolUse"][0], {"matcher": matcher, "hooks": [old]}]
    settings.write_text(json.dumps({**tree, "hooks": {"PreToolUse": hooks}}, indent=4))
    loomstack("init", "--yes", *wanted)
    new = json.loads(settings.read_text())["hooks"]
    loomstack("uninstall", "--yes")

    assert [group["matcher"] for group in new["PreToolUse"]] == ["Bash", MATCHER]
    assert len(new) == 9
    assert json.loads(settings.read_text())["hooks"] == json.loads(before[".claude/settings.json"])["hooks"]
    assert not any(b"loomstack" in text for text in contents(shop).values())


def test_twice_is_once(shop: Path, loomstack: Run) -> None:
    write_foreign(shop)
    loomstack("init", "--yes")
    once = contents(shop)
    again = loomstack("init", "--yes")

    assert "nothing to change" in again.stdout
    assert contents(shop) == once
    assert (
        "nothing to change" in loomstack("uninstall", "--yes", "--dry-run", cwd=shop).stdout or contents(shop) == once
    )


def test_only_our_part_goes_from_files_that_others_changed_since(shop: Path, loomstack: Run) -> None:
    loomstack("init", "--yes")
    for name in FILES[:3]:
        tree = json.loads((shop / name).read_text())
        (shop / name).write_text(json.dumps({**tree, "mine": 1}))
    with (shop / ".codex/config.toml").open("a") as config:
        config.write('\n[mine]\nmodel = "mine"\n')
    loomstack("uninstall", "--yes")

    for name in FILES[:3]:
        assert json.loads((shop / name).read_text()) == {"mine": 1}
    assert tomllib.loads((shop / ".codex/config.toml").read_text()) == {"mine": {"model": "mine"}}


def test_another_person_takes_out_what_a_colleague_committed(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    write_foreign(shop)
    commit_all(shop)
    loomstack("init", "--yes")
    commit_all(shop)
    colleague = {**environment(tmp_path), "LOOMSTACK_HOME": str(tmp_path / "colleague")}
    run([SCRIPT, "uninstall", "--yes"], cwd=shop, env=colleague, check=True)

    assert json.loads((shop / ".mcp.json").read_text()) == json.loads(FOREIGN[".mcp.json"])
    assert "loomstack" not in "".join((shop / name).read_text() for name in FILES if (shop / name).exists())


def test_a_dry_run_and_a_no_change_nothing(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    done = loomstack("init", "--dry-run")
    unasked = loomstack("init")

    assert done.returncode == 0
    assert '+    "loomstack": {' in done.stdout
    assert unasked.returncode == 1
    assert "--yes" in unasked.stderr
    assert contents(shop) == {}
    assert not (tmp_path / "loomstack").exists()


def test_a_team_server_is_written_with_its_token_by_reference(shop: Path, loomstack: Run) -> None:
    done = loomstack("init", "--yes", "--url", "https://loom.example/mcp")
    text = "".join((shop / name).read_text() for name in FILES)

    assert done.returncode == 0, done.stderr
    assert "LOOMSTACK_TOKEN" in done.stdout
    assert '"Authorization": "Bearer ${LOOMSTACK_TOKEN}"' in text
    assert 'bearer_token_env_var = "LOOMSTACK_TOKEN"' in text


def test_a_url_that_cannot_be_used_is_refused_before_anything_is_written(shop: Path, loomstack: Run) -> None:
    done = loomstack("init", "--yes", "--url", "https://user:hunter2@host.example/mcp")

    assert done.returncode == 1
    assert "LOOMSTACK_TOKEN" in done.stderr
    assert "hunter2" not in done.stderr
    assert loomstack("init", "--yes", "--url", "").returncode == 1
    assert contents(shop) == {}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (".mcp.json", "{", ".mcp.json:1 is not valid JSON"),
        (".mcp.json", "[]", "holds no JSON object"),
        (".mcp.json", '{"mcpServers": []}', "mcpServers is no object"),
        (".mcp.json", '{"mcpServers": {"loomstack": {"command": "other"}}}', "another server called loomstack"),
        (".claude/settings.json", '{"permissions": {"allow": "all"}}', "allow is no list"),
        (".claude/settings.json", '// comment\n{"a": 1}', "not valid JSON"),
        (".codex/config.toml", "a = ", "valid TOML"),
        (".codex/config.toml", '[mcp_servers.loomstack]\ncommand = "other"\n', "server named loomstack that init"),
        (".codex/config.toml", 'mcp_servers = {loomstack = {url = "x"}}', "server named loomstack that init"),
        (".codex/config.toml", 'mcp_servers.loomstack.url = "x"', "server named loomstack that init"),
        (".codex/config.toml", "mcp_servers = {}", "config.toml"),
        (".codex/config.toml", "[[mcp_servers]]\na = 1\n", "config.toml"),
        (".codex/hooks.json", '{"hooks": []}', ".codex/hooks.json: hooks is no object"),
        (".claude/settings.json", '{"permissions": []}', ".claude/settings.json: permissions is no object"),
        (".mcp.json", '{"a": {"b": 1, "c": 2, "b": 3}}', '.mcp.json has the key "b" twice'),
    ],
)
def test_a_broken_file_is_named_and_nothing_is_changed(
    shop: Path, loomstack: Run, name: str, text: str, words: str
) -> None:
    (shop / name).parent.mkdir(exist_ok=True)
    (shop / name).write_text(text)
    done = loomstack("init", "--yes")

    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(shop) == {name: text.encode()}


def test_a_read_only_file_leaves_all_files_as_they_were(shop: Path, loomstack: Run) -> None:
    (shop / ".codex").mkdir()
    (shop / ".codex/config.toml").mkdir()
    done = loomstack("init", "--yes")

    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert not (shop / ".mcp.json").exists()


def test_a_failure_on_the_way_puts_back_what_was_written(shop: Path, loomstack: Run) -> None:
    (shop / ".codex").write_text("a file where a folder should be\n")
    done = loomstack("init", "--yes")

    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert contents(shop) == {}


@pytest.mark.parametrize("name", ["with space ü", "worktree"])
def test_worktrees_and_odd_paths_and_no_commits(
    tmp_path: Path, shop: Path, name: str, loomstack: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    folder = tmp_path / name
    if name == "worktree":
        git(shop, "worktree", "add", "--quiet", "-b", "other", str(folder))
    else:
        git(tmp_path, "init", "--quiet", str(folder))
    (folder / "deep").mkdir()

    assert loomstack("init", "--yes", cwd=folder / "deep").returncode == 0
    assert set(contents(folder)) == set(FILES)
    assert loomstack("uninstall", "--yes", cwd=folder).returncode == 0
    assert contents(folder) == {}


def test_a_linked_file_stays_a_link(shop: Path, tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "dotfiles.json").write_text("{}\n")
    (shop / ".mcp.json").symlink_to(tmp_path / "dotfiles.json")
    loomstack("init", "--yes")

    assert (shop / ".mcp.json").is_symlink()
    assert "loomstack" in (tmp_path / "dotfiles.json").read_text()


def test_on_a_terminal_it_asks(shop: Path, tmp_path: Path) -> None:
    status, shown = on_terminal(["sh", "-c", f"echo n | {SCRIPT} init"], cwd=shop, env=environment(tmp_path))

    assert status == 1
    assert "--yes" in shown
    assert contents(shop) == {}


def test_outside_of_git_it_says_so(tmp_path: Path, loomstack: Run) -> None:
    (tmp_path / "plain").mkdir()

    assert "no git worktree" in loomstack("init", "--yes", cwd=tmp_path / "plain").stderr
