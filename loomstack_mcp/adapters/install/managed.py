"""What an organisation's settings say of us: they go before everybody's, and nothing is ever written there.

All run on Claude Code 2.1.330 and Codex 0.169.0, 2026-11, on Linux, with our files beside them; the folder of macOS is
the one that Claude Code's program names. Each file is judged by itself, though Claude Code joins its own.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.install.doctor_files import (
    Entries,
    SettingsReader,
    table_at,
    tables_at,
    text_at,
    words_at,
)
from loomstack_mcp.adapters.install.shipped import shipped_definitions
from loomstack_mcp.core.clients.files.definitions import ClientDefinition
from loomstack_mcp.core.clients.files.own_names import COMMAND, HOOK, NAME
from loomstack_mcp.core.clients.files.permission_rules import is_rule_for_definition, is_rule_for_tools
from loomstack_mcp.core.records import record

CLAUDE_MANAGED = Path("/Library/Application Support/ClaudeCode" if sys.platform == "darwin" else "/etc/claude-code")
CODEX_MANAGED = Path("/etc/codex")
_CHECK = "managed settings"
_ASK = "ask whoever manages this machine"
_SURFACES = ("agents", "skills", "hooks", "mcp")


@record
class ManagedFile:
    """A file of an organisation, and what in it keeps us out."""

    path: Path
    rank: str
    """What it goes before, or after."""
    limits: tuple[str, ...] = ()
    broken: str = ""
    """Why nobody can read it; "" where they can."""

    @property
    def line(self) -> str:
        """What a person is told of it."""
        found = self.broken or "; ".join(self.limits)
        return f"{self.path} {self.rank}{': ' if found else ''}{found}"


def managed_files(claude: Path = CLAUDE_MANAGED, codex: Path = CODEX_MANAGED) -> Iterator[ManagedFile]:
    """The files that are there, whatever they say."""
    for path in (claude / "managed-settings.json", *sorted((claude / "managed-settings.d").glob("*.json"))):
        yield from _looked_at(path, "goes before all other settings of Claude Code", _claude_limits)
    yield from _looked_at(claude / "managed-mcp.json", "goes before all other servers of Claude Code", _claude_servers)
    yield from _looked_at(codex / "requirements.toml", "binds Codex", _codex_limits)
    yield from _looked_at(codex / "managed_config.toml", "goes before all other settings of Codex", _codex_config)
    yield from _looked_at(codex / "config.toml", "counts for Codex where nothing else says otherwise", _codex_config)


def managed_checks(claude: Path = CLAUDE_MANAGED, codex: Path = CODEX_MANAGED) -> Iterator[Check]:
    """The same for `doctor`."""
    for each in managed_files(claude, codex):
        is_fine = not (each.broken or each.limits)
        yield Check(check=_CHECK, status="ok" if is_fine else "warn", found=each.line, mend="" if is_fine else _ASK)


def _looked_at(path: Path, rank: str, limits: Callable[[Entries], Iterator[str]]) -> Iterator[ManagedFile]:
    files = SettingsReader(_CHECK)
    tree = files.toml(path) if path.suffix == ".toml" else files.json(path)
    if files.broken:
        yield ManagedFile(path=path, rank=rank, broken=files.broken[0].found.removeprefix(f"{path} "))
    elif path.is_file():
        yield ManagedFile(path=path, rank=rank, limits=tuple(limits(tree)))


def _claude_limits(tree: Entries) -> Iterator[str]:
    """What of Claude Code's managed settings keeps us out."""
    if tree.get("disableAllHooks") is True:
        yield "no hook runs (disableAllHooks)"
    elif tree.get("allowManagedHooksOnly") is True and HOOK not in str(tree.get("hooks")):
        yield "only its own hooks run, and ours is not among them (allowManagedHooksOnly)"
    yield from _claude_rules(tree)
    if isinstance(tree.get("allowedMcpServers"), list) and not _names_us(tree, "allowedMcpServers"):
        yield f"the servers that it allows are without {NAME} (allowedMcpServers)"
    if _names_us(tree, "deniedMcpServers"):
        yield f"it denies the server {NAME} (deniedMcpServers)"
    yield from _claude_plugins_only(tree)


def _claude_rules(tree: Entries) -> Iterator[str]:
    # Their names are asked for alone, so that no version matters.
    permissions, shipped = table_at(tree, "permissions"), shipped_definitions("")
    if denied := [rule for rule in words_at(permissions, "deny") if _is_about_us(rule, shipped)]:
        yield f"it denies {', '.join(denied)}"
    is_allowed = any(map(is_rule_for_tools, words_at(permissions, "allow")))
    if tree.get("allowManagedPermissionRulesOnly") is True and not is_allowed:
        yield "only its own permissions count, and our tools have none (allowManagedPermissionRulesOnly)"


def _is_about_us(rule: str, shipped: Sequence[ClientDefinition]) -> bool:
    return is_rule_for_tools(rule) or any(is_rule_for_definition(rule, each.kind, each.name) for each in shipped)


def _claude_plugins_only(tree: Entries) -> Iterator[str]:
    key = "strictPluginOnlyCustomization"
    locked = _SURFACES if tree.get(key) is True else words_at(tree, key)
    if found := [each for each in _SURFACES if each in locked]:
        yield f"{', '.join(found)} come from plugins alone ({key})"


def _names_us(tree: Entries, key: str) -> bool:
    """Whether a list of servers has ours, by its name or its command."""
    entries = [entry for _, entry in tables_at(tree, key)]
    return any(text_at(each, "serverName") == NAME or words_at(each, "serverCommand") == (COMMAND,) for each in entries)


def _claude_servers(tree: Entries) -> Iterator[str]:
    if not table_at(tree, "mcpServers", NAME):
        yield f"only its own servers load, and {NAME} is not among them"


def _codex_limits(tree: Entries) -> Iterator[str]:
    """What of Codex's requirements keeps us out."""
    if tree.get("allow_managed_hooks_only") is True and HOOK not in str(tree.get("hooks")):
        yield "only its own hooks run, and ours is not among them (allow_managed_hooks_only)"
    if table_at(tree, "features").get("hooks") is False:
        yield "no hook runs (features.hooks)"
    if isinstance(tree.get("mcp_servers"), dict) and not table_at(tree, "mcp_servers", NAME):
        yield f"the servers that it allows are without {NAME} (mcp_servers)"


def _codex_config(tree: Entries) -> Iterator[str]:
    if table_at(tree, "mcp_servers", NAME).get("enabled") is False:
        yield f"it switches the server {NAME} off"
    if table_at(tree, "features").get("hooks") is False:
        yield "no hook runs (features.hooks)"
