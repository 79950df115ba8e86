"""Which plugins of ours count: those that a person switched on, and no repository off again."""

import json
from pathlib import Path
from typing import Any

import pytest

from loomstack_mcp.adapters.install.doctor_files import SettingsReader
from loomstack_mcp.adapters.install.doctor_plugins import claude_plugin, codex_plugins

HOOKS: dict[str, Any] = {"hooks": {"PreToolUse": []}}


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("users", "repositorys", "found"),
    [
        (True, None, HOOKS),
        (True, True, HOOKS),
        (True, False, {}),
        (False, True, {}),
        (None, True, {}),
        ("yes", None, {}),
    ],
)
def test_a_person_switches_a_plugin_of_claude_code_on_and_a_repository_only_off(
    tmp_path: Path, users: object, repositorys: object, found: object
) -> None:
    write(tmp_path / "copy/hooks/hooks.json", HOOKS)
    copies = [{"installPath": str(tmp_path / "copy")}]
    write(tmp_path / "plugins/installed_plugins.json", {"plugins": {"loomstack@mine": copies}})
    user, repository = ({"enabledPlugins": {"loomstack@mine": value}} for value in (users, repositorys))

    assert claude_plugin(tmp_path, user, [repository], SettingsReader("Claude Code")) == found


@pytest.mark.parametrize(
    "plugins", [{}, {"loomstack@mine": []}, {"loomstack@mine": [{}]}, {"other@mine": [{"installPath": "/"}]}]
)
def test_a_plugin_that_is_not_installed_brings_nothing(tmp_path: Path, plugins: dict[str, Any]) -> None:
    write(tmp_path / "plugins/installed_plugins.json", {"plugins": plugins})
    user = {"enabledPlugins": {"loomstack@mine": True, "other@mine": True}}

    assert claude_plugin(tmp_path, user, [], SettingsReader("Claude Code")) == {}


@pytest.mark.parametrize(("enabled", "names"), [(True, ["loomstack@mine:hooks/hooks.json"]), (False, []), (None, [])])
def test_codex_knows_the_hooks_of_a_plugin_by_its_name(tmp_path: Path, enabled: object, names: list[str]) -> None:
    write(tmp_path / "plugins/cache/mine/loomstack/0.1.0/hooks/hooks.json", HOOKS)
    own = {"plugins": {"loomstack@mine": {"enabled": enabled}, "loomstack-x@mine": {"enabled": True}}}
    found = dict(codex_plugins(tmp_path, own, SettingsReader("Codex")))

    assert found == dict.fromkeys(names, HOOKS)
