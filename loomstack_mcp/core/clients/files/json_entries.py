"""Our entries in the clients' JSON files: the server, the permission of its tools, the hook."""

import re
from collections.abc import Mapping
from typing import Any

from loomstack_mcp.core.clients.files.json_text import JsonTree, branch, pruned, without_entry
from loomstack_mcp.core.clients.files.own_names import COMMAND, HOOK, NAME, TOKEN_VARIABLE
from loomstack_mcp.core.errors import Invalid

_TOOLS = f"mcp__{NAME}"
_ANSWERS = ("enabledMcpjsonServers", "disabledMcpjsonServers")
_AUTHORIZATION = {"Authorization": f"Bearer ${{{TOKEN_VARIABLE}}}"}
_TRANSPORT = ("command", "type", "url", "headers")


def with_json_server(tree: JsonTree, url: str, /) -> JsonTree:
    """The servers of `.mcp.json` with ours: at that URL, or started by each session where it is empty.

    Raises Invalid where another server has our name.
    """
    servers = branch(tree, "mcpServers", {})
    found = servers.get(NAME, {})
    if NAME in servers and not is_our_server(found):
        raise Invalid(f"there is another server called {NAME}, which has to be renamed or removed")
    if bool(url) != ("url" in found):
        found = {name: value for name, value in found.items() if name not in _TRANSPORT}
    # What a person added stays, and so does the path by which they call our command.
    entry = {"command": COMMAND, **found}
    if url:
        headers = {**branch(found, "headers", {}), **_AUTHORIZATION}
        entry = {**found, "type": "http", "url": url, "headers": headers}
    return {**tree, "mcpServers": {**servers, NAME: entry}}


def is_our_server(entry: object, /) -> bool:
    """Whether a server's entry, of either client, starts our command or sends our token."""
    if not isinstance(entry, Mapping):
        return False
    command = re.split(r"[/\\]", str(entry.get("command", "")))[-1]
    sent = (entry.get("headers"), entry.get("bearer_token_env_var"))
    return command == COMMAND or TOKEN_VARIABLE in str(sent)


def without_json_server(tree: JsonTree, /) -> JsonTree:
    """The servers without ours; another that has our name stays."""
    servers = tree.get("mcpServers")
    if not isinstance(servers, dict) or not is_our_server(servers.get(NAME)):
        return tree
    return pruned(tree, "mcpServers", {name: entry for name, entry in servers.items() if name != NAME})


def with_permission(tree: JsonTree, /) -> JsonTree:
    """Claude Code's settings, by which our tools need no question. Raises Invalid where they are of another kind."""
    permissions = branch(tree, "permissions", {})
    allowed = branch(permissions, "allow", [])
    allowed = allowed if _TOOLS in allowed else [*allowed, _TOOLS]
    return {**tree, "permissions": {**permissions, "allow": allowed}}


def with_hook(tree: JsonTree, client: str, matcher: str, /) -> JsonTree:
    """Settings of either client with our hook before the tools that `matcher` names, once.

    What a person added to our entry, or to its matcher, stays. Raises Invalid where they are of another kind.
    """
    hooks = branch(tree, "hooks", {})
    groups = branch(hooks, "PreToolUse", [])
    found = [(group, entry) for group in groups for entry in _entries(group) if _is_our_hook(entry)]
    if len(found) == 1 and _covers(found[0][0], matcher) and _calls(found[0][1], client):
        return tree
    entry: JsonTree = {"type": "command", "command": f"{HOOK} {client} PreToolUse", "timeout": 10}
    if found:
        group, kept = found[0]
        program = kept["command"].split()[0]
        entry = {**kept, "command": f"{program} {client} PreToolUse"}
        matcher = group.get("matcher", "*") if _covers(group, matcher) else _widened(group, matcher)
    ours = {"matcher": matcher, "hooks": [entry]}
    return {**tree, "hooks": {**hooks, "PreToolUse": [*_without_hook(groups), ours]}}


def without_settings(tree: JsonTree, /) -> JsonTree:
    """Settings of either client without our permission, our hook and what was answered about our server."""
    permissions, hooks = tree.get("permissions"), tree.get("hooks")
    if isinstance(permissions, dict):
        tree = pruned(tree, "permissions", without_entry(permissions, "allow", _TOOLS))
    if isinstance(hooks, dict) and isinstance(hooks.get("PreToolUse"), list):
        tree = pruned(tree, "hooks", pruned(hooks, "PreToolUse", _without_hook(hooks["PreToolUse"])))
    # Claude Code notes there what a person answered about the servers of .mcp.json.
    for name in _ANSWERS:
        tree = without_entry(tree, name, NAME)
    return tree


def _without_hook(groups: list[Any]) -> list[Any]:
    """The groups of hooks without ours; a group that has no other is gone."""
    left = []
    for group in groups:
        entries = _entries(group)
        others = [entry for entry in entries if not _is_our_hook(entry)]
        if others == entries:
            left.append(group)
        elif others:
            left.append({**group, "hooks": others})
    return left


def _is_our_hook(entry: object) -> bool:
    command = entry.get("command") if isinstance(entry, dict) else None
    words = command.split() if isinstance(command, str) else []
    return bool(words) and re.split(r"[/\\]", words[0])[-1] == HOOK


def _calls(entry: JsonTree, client: str) -> bool:
    return bool(entry["command"].split()[1:] == [client, "PreToolUse"])


def _covers(group: JsonTree, matcher: str) -> bool:
    """Whether the tools that `matcher` names are among those of the group; none named are all."""
    found = group.get("matcher", "")
    return isinstance(found, str) and (found in ("", "*", ".*") or set(matcher.split("|")) <= set(found.split("|")))


def _widened(group: JsonTree, matcher: str) -> str:
    """The matcher of the group, with the tools that it lacks behind those that it names."""
    found = group.get("matcher", "")
    named = found.split("|") if isinstance(found, str) else []
    return "|".join(dict.fromkeys([*named, *matcher.split("|")]))


def _entries(group: object) -> list[Any]:
    entries = group.get("hooks") if isinstance(group, dict) else None
    return entries if isinstance(entries, list) else []
