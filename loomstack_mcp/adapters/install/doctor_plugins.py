"""What our plugin brings to a client, where it is installed and switched on. Run on 2.1.330 and 0.169.0."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from loomstack_mcp.adapters.install.definitions import definition_text
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.install.doctor_files import Entries, SettingsReader, table_at, tables_at, text_at
from loomstack_mcp.adapters.install.scopes import InstallScope
from loomstack_mcp.adapters.install.shipped import shipped_definitions
from loomstack_mcp.core.clients.files.definitions import ClientDefinition, definition_path
from loomstack_mcp.core.clients.files.own_names import COMMAND, NAME

_HOOKS = "hooks/hooks.json"
_ONE_OF_BOTH = f"keep one of both: remove the plugin, or {COMMAND} uninstall, with --user where you used it"


def claude_plugin(folder: Path, user: Entries, others: Sequence[Entries], files: SettingsReader) -> Entries:
    """The settings that our plugins add in Claude Code; empty without any.

    `user` are a person's own settings, which alone switch one on; those of a repository can switch it off.
    """
    copies = _claude_copies(folder, user, others, files)
    return next((files.json(copy / _HOOKS) for copy in copies), {})


def codex_plugins(folder: Path, own: Entries, files: SettingsReader) -> Iterator[tuple[str, Entries]]:
    """The hooks that our plugins add in Codex, each file under the name by which Codex keeps whether it is trusted."""
    for plugin, copy in _codex_copies(folder, own):
        yield f"{plugin}:{_HOOKS}", files.json(copy / _HOOKS)


def plugin_checks(
    project: InstallScope, own: InstallScope, ours: Sequence[ClientDefinition], *, client: str, version: str
) -> Iterator[Check]:
    """Whether a client has agents and skills from our plugin, as in this package, and beside `ours` from elsewhere."""
    files = SettingsReader(client)  # What it cannot read is told by the checks of that client.
    if client == "Claude Code":
        near = [project.root / project.places.claude / name for name in ("settings.json", "settings.local.json")]
        folder = Path(own.places.claude)
        copies = _claude_copies(folder, files.json(folder / "settings.json"), [*map(files.json, near)], files)
    else:
        folder = Path(own.places.codex)
        copies = (copy for _, copy in _codex_copies(folder, files.toml(folder / "config.toml")))
    for copy in islice(copies, 1):
        yield _plugin_check(client, copy, version, ours)


def _plugin_check(client: str, copy: Path, version: str, ours: Sequence[ClientDefinition]) -> Check:
    """What one installed copy has. Codex takes no agents from a plugin."""
    brought = [each for each in shipped_definitions(version) if each.client == client]
    kinds = ("agents", "skills") if client == "Claude Code" else ("skills",)
    old = [each.name for each in brought if each.kind in kinds and not _is_as_shipped(copy, each)]
    state = f"not as in this package: {', '.join(old)}" if old else "as in this package"
    found, mend = f"{' and '.join(kinds)} from the plugin, {state}", "bring the plugin up to date" if old else ""
    if any(each.kind in kinds for each in ours):
        found, mend = f"{found}; listed twice, as there are ours beside it", _ONE_OF_BOTH
    return Check(check=f"{client} agents", status="warn" if mend else "ok", found=found, mend=mend)


def _is_as_shipped(copy: Path, each: ClientDefinition) -> bool:
    text = definition_text(copy / each.kind / definition_path(each.client, each.kind, each.name))
    return text is not None and text.replace("\r\n", "\n") == each.text


def _claude_copies(folder: Path, user: Entries, others: Sequence[Entries], files: SettingsReader) -> Iterator[Path]:
    """Where Claude Code has our plugins that are switched on."""
    installed = table_at(files.json(folder / "plugins" / "installed_plugins.json"), "plugins")
    for plugin in _switched_on(table_at(user, "enabledPlugins")):
        if all(table_at(tree, "enabledPlugins").get(plugin) is not False for tree in others):
            for _, copy in tables_at(installed, plugin):
                if path := text_at(copy, "installPath"):
                    yield Path(path)


def _codex_copies(folder: Path, own: Entries) -> Iterator[tuple[str, Path]]:
    """Our plugins that are switched on in Codex, and where it has them."""
    plugins = table_at(own, "plugins")
    for plugin in _switched_on({name: table_at(plugins, name).get("enabled") for name in plugins}):
        market = plugin.partition("@")[2]
        # One version: Codex takes the old copy away when it installs another.
        for path in sorted((folder / "plugins" / "cache" / market / NAME).glob("*/")):
            yield plugin, path


def _switched_on(plugins: Entries) -> list[str]:
    """Those of our name, from whatever marketplace, that somebody has switched on."""
    return [name for name, is_on in plugins.items() if name.partition("@")[0] == NAME and is_on is True]
