"""What an organisation's settings say of us, as the clients were seen to heed them."""

import json
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.install.managed import ManagedFile, managed_checks, managed_files

OURS = [{"matcher": "Edit", "hooks": [{"type": "command", "command": "loomstack-hook claude PreToolUse"}]}]


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "claude-code/managed-settings.d").mkdir(parents=True)
    (tmp_path / "codex").mkdir()
    return tmp_path


def found(etc: Path, name: str, content: Any) -> ManagedFile:
    """What is said of the one file that is there."""
    (etc / name).write_text(content if isinstance(content, str) else json.dumps(content))
    [one] = managed_files(etc / "claude-code", etc / "codex")
    assert one.path == etc / name
    return one


def test_where_there_are_none_nothing_is_said(etc: Path) -> None:
    assert list(managed_files(etc / "claude-code", etc / "codex")) == []
    assert list(managed_files(etc / "nowhere", etc / "nowhere")) == []


@pytest.mark.parametrize("name", ["managed-settings.json", "managed-settings.d/10-team.json"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"disableAllHooks": True, "allowManagedHooksOnly": True}, ["no hook runs (disableAllHooks)"]),
        ({"allowManagedHooksOnly": True}, ["(allowManagedHooksOnly)"]),
        ({"allowManagedPermissionRulesOnly": True, "permissions": {"allow": ["Bash"]}}, ["PermissionRulesOnly"]),
        ({"permissions": {"deny": ["Bash", "mcp__loomstack__claim_paths"]}}, ["denies mcp__loomstack__claim_paths"]),
        ({"permissions": {"deny": ["Read", "Agent(maker)", "mcp__loom*"]}}, ["denies Agent(maker), mcp__loom*"]),
        ({"allowedMcpServers": [{"serverName": "other"}, {"serverCommand": ["x"]}]}, ["(allowedMcpServers)"]),
        ({"allowedMcpServers": []}, ["(allowedMcpServers)"]),
        ({"deniedMcpServers": [{"serverName": "loomstack"}]}, ["(deniedMcpServers)"]),
        ({"strictPluginOnlyCustomization": ["agents", "skills"]}, ["agents, skills come from plugins alone"]),
        ({"strictPluginOnlyCustomization": True}, ["agents, skills, hooks, mcp come from plugins"]),
    ],
)
def test_what_keeps_us_out_of_claude_code_is_named(etc: Path, name: str, content: Any, words: list[str]) -> None:
    one = found(etc, f"claude-code/{name}", content)

    assert len(one.limits) == len(words)
    assert [word for word in words if word not in one.line] == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"model": "opus", "disableAllHooks": False, "strictPluginOnlyCustomization": False},
        {"allowManagedHooksOnly": True, "hooks": {"PreToolUse": OURS}},
        {"allowManagedPermissionRulesOnly": True, "permissions": {"allow": ["mcp__loomstack"]}},
        {"allowedMcpServers": [{"serverName": "loomstack"}], "deniedMcpServers": [{"serverName": "other"}]},
        {"allowedMcpServers": [{"serverCommand": ["loomstack-mcp"]}]},
        {"permissions": {"deny": ["mcp__loomstacks", "mcp__loomstack__claim_paths(x)", "Agent(mine)", "Bash(*)"]}},
        {"allowedMcpServers": "all", "permissions": [], "strictPluginOnlyCustomization": 7},
    ],
)
def test_what_does_not_is_only_said_to_go_first(etc: Path, content: Any) -> None:
    one = found(etc, "claude-code/managed-settings.json", content)

    assert one.line == f"{one.path} goes before all other settings of Claude Code"


@pytest.mark.parametrize(
    ("servers", "is_out"), [({}, True), ({"other": {}}, True), ({"loomstack": {"command": "x"}}, False)]
)
def test_servers_of_an_organisation_are_the_only_ones(etc: Path, servers: Any, is_out: bool) -> None:
    one = found(etc, "claude-code/managed-mcp.json", {"mcpServers": servers})

    assert bool(one.limits) == is_out


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("requirements.toml", "allow_managed_hooks_only = true\n", "binds Codex: only its own hooks run"),
        ("requirements.toml", '[mcp_servers.other.identity]\ncommand = "x"\n', "are without loomstack"),
        ("requirements.toml", "[features]\nhooks = false\n", "no hook runs"),
        ("managed_config.toml", "[mcp_servers.loomstack]\nenabled = false\n", "switches the server loomstack off"),
        ("config.toml", "[features]\nhooks = false\n", "where nothing else says otherwise: no hook runs"),
    ],
)
def test_what_keeps_us_out_of_codex_is_named(etc: Path, name: str, text: str, words: str) -> None:
    assert words in found(etc, f"codex/{name}", text).line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.toml", '[mcp_servers.loomstack.identity]\ncommand = "loomstack-mcp"\n'),
        ("managed_config.toml", 'model = "x"\n'),
        ("config.toml", ""),
    ],
)
def test_other_settings_of_codex_are_only_said_to_be_there(etc: Path, name: str, text: str) -> None:
    assert found(etc, f"codex/{name}", text).limits == ()


@pytest.mark.parametrize(("name", "text"), [("claude-code/managed-settings.json", "{"), ("codex/config.toml", "a = ")])
def test_a_file_that_nobody_can_read_is_said_to_be_there(etc: Path, name: str, text: str) -> None:
    assert "cannot be read" in found(etc, name, text).line


def test_doctor_warns_only_of_what_keeps_us_out(etc: Path) -> None:
    (etc / "claude-code/managed-settings.json").write_text('{"allowManagedHooksOnly": true}')
    (etc / "codex/managed_config.toml").write_text("")
    checks = list(managed_checks(etc / "claude-code", etc / "codex"))

    assert [(check.status, bool(check.mend)) for check in checks] == [("warn", True), ("ok", False)]
