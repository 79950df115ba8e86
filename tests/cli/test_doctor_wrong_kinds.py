"""`doctor` reads what others write: no kind of value at any key that it reads stops it."""

import json
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.install import doctor_servers, doctor_urls
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.install.doctor_claude import claude_code
from loomstack_mcp.adapters.install.doctor_codex import codex
from loomstack_mcp.adapters.install.doctor_files import Surroundings
from tests.cli.doctors import Doctor

WRONG: list[Any] = [None, True, 7, 0.5, "text", "\0", [], [None, 7, [], {}], {}, {"a": None}, {"hooks": [{"hooks": 1}]}]
ANSWERS = ("enabledMcpjsonServers", "disabledMcpjsonServers", "enableAllProjectMcpServers")
SETTINGS = (*ANSWERS, "permissions", "permissions/allow", "permissions/deny", "hooks", "hooks/PreToolUse")
SERVER = ("command", "args", "env", "env/LOOMSTACK_HOME", "env/LOOMSTACK_STORE", "url")
SERVERS = ("mcpServers", "mcpServers/loomstack", *(f"mcpServers/loomstack/{name}" for name in SERVER))
PROJECT = ("hasTrustDialogAccepted", "disabledMcpServers", "mcpServers", "mcpServers/loomstack", *ANSWERS)
HOOKS = ("hooks", "hooks/PreToolUse")
CODEX = (
    *("mcp_servers", "mcp_servers/loomstack", "projects", "projects/ROOT", "projects/ROOT/trust_level"),
    *(f"mcp_servers/loomstack/{name}" for name in (*SERVER, "enabled", "env_vars")),
    *(*HOOKS, "hooks/state", "hooks/state/KEY", "hooks/state/KEY/enabled", "hooks/state/KEY/trusted_hash"),
)
KEYS = {
    ".claude.json": (*SERVERS, "projects", "projects/ROOT", *(f"projects/ROOT/{name}" for name in PROJECT)),
    ".claude/settings.json": SETTINGS,
    "shop/.claude/settings.local.json": SETTINGS,
    "shop/.claude/settings.json": SETTINGS,
    "shop/.mcp.json": SERVERS,
    "shop/.codex/hooks.json": HOOKS,
    ".codex/hooks.json": HOOKS,
    ".codex/config.toml": CODEX,
    "shop/.codex/config.toml": CODEX,
}


@pytest.fixture
def doctor(tmp_path: Path, shop: Path) -> Doctor:
    return Doctor(tmp_path, shop)


@pytest.mark.parametrize("path", KEYS)
def test_no_wrong_kind_in_a_clients_file_stops_it(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    doctor.all_set()
    monkeypatch.setenv("PATH", f"{doctor.home / 'bin'}:/usr/bin:/bin")
    meant = {"ROOT": str(doctor.shop), "KEY": f"{doctor.shop}/.codex/hooks.json:pre_tool_use:0:0"}
    outcomes = []
    for key in KEYS[path]:
        names = [meant.get(name, name) for name in key.split("/")]
        for value in WRONG:
            doctor.write(path, _toml(names, value) if path.endswith("toml") else _nested(names, value))
            outcomes.append(_looked_at(doctor))

    assert len(outcomes) == len(KEYS[path]) * len(WRONG)
    assert all(outcomes)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("shop/.mcp.json", "[" * 100_000),
        ("shop/.mcp.json", "[]"),
        ("shop/.codex/config.toml", "a = " + "[" * 100_000),
        ("shop/.codex/hooks.json", '{"hooks": {"PreToolUse": [{"matcher": "\\ud800", "hooks": [{"command": "x"}]}]}}'),
        ("shop/.claude/settings.json", '{"a": NaN}'),
    ],
)
def test_no_content_of_a_clients_file_stops_it(doctor: Doctor, path: str, content: str) -> None:
    doctor.all_set()
    doctor.write(path, content)

    assert doctor.found()


def _looked_at(doctor: Doctor) -> list[Check]:
    worktree = worktree_at(doctor.shop)
    assert worktree
    place = Surroundings(worktree=worktree, home=doctor.home, environment={"HOME": str(doctor.home)})
    clients = (claude_code(place), codex(place))
    return [
        *(check for client in clients for check in client.checks),
        *doctor_servers.command_checks(clients, doctor.shop),
        *doctor_servers.same_store_checks(clients, place.environment),
        *doctor_urls.http_server_checks(clients, "token", Path("/nowhere")),
    ]


def _nested(names: list[str], value: object) -> object:
    return {names[0]: _nested(names[1:], value)} if names else value


def _toml(names: list[str], value: object) -> str:
    return f"{'.'.join(json.dumps(name) for name in names)} = {_inline(value)}\n"


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)} = {_inline(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    # TOML has no null; its dates are the kind that JSON has not.
    return "1979-05-27" if value is None else json.dumps(value)
