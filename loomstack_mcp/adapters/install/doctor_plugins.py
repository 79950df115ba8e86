"""The hook that our plugin brings to a client, where it is installed and switched on. Run on 2.1.330 and 0.169.0."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.install.doctor_files import Entries, SettingsReader, table_at, tables_at, text_at
from loomstack_mcp.core.clients.files.own_names import NAME

_HOOKS = "hooks/hooks.json"


def claude_plugin(folder: Path, user: Entries, others: Sequence[Entries], files: SettingsReader) -> Entries:
    """The settings that our plugins add in Claude Code; empty without any.

    `user` are a person's own settings, which alone switch one on; those of a repository can switch it off.
    """
    installed = table_at(files.json(folder / "plugins" / "installed_plugins.json"), "plugins")
    for plugin in _switched_on(table_at(user, "enabledPlugins")):
        if all(table_at(tree, "enabledPlugins").get(plugin) is not False for tree in others):
            for _, copy in tables_at(installed, plugin):
                if path := text_at(copy, "installPath"):
                    return files.json(Path(path) / _HOOKS)
    return {}


def codex_plugins(folder: Path, own: Entries, files: SettingsReader) -> Iterator[tuple[str, Entries]]:
    """The hooks that our plugins add in Codex, each file under the name by which Codex keeps whether it is trusted."""
    plugins = table_at(own, "plugins")
    for plugin in _switched_on({name: table_at(plugins, name).get("enabled") for name in plugins}):
        market = plugin.partition("@")[2]
        # One version: Codex takes the old copy away when it installs another.
        for path in sorted((folder / "plugins" / "cache" / market / NAME).glob(f"*/{_HOOKS}")):
            yield f"{plugin}:{_HOOKS}", files.json(path)


def _switched_on(plugins: Entries) -> list[str]:
    """Those of our name, from whatever marketplace, that somebody has switched on."""
    return [name for name, is_on in plugins.items() if name.partition("@")[0] == NAME and is_on is True]
