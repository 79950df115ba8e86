"""Our entries in the clients' JSON files: the server, and the permissions of its tools."""

import re
from collections.abc import Mapping

from loomstack_mcp.core.clients.files.hook_entries import without_hooks
from loomstack_mcp.core.clients.files.json_text import JsonTree, branch, pruned, without_entry
from loomstack_mcp.core.clients.files.own_names import COMMAND, GUARD_RULE, NAME, TOKEN_VARIABLE
from loomstack_mcp.core.clients.files.telemetry_entries import without_telemetry
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


def with_permission(tree: JsonTree, /, *, guard: bool = False) -> JsonTree:
    """Claude Code's settings, by which our tools need no question. Raises Invalid where they are of another kind.

    With `guard` that tool is kept from the model: hooks call it all the same (run on 2.1.330, 2026-11).
    """
    permissions = branch(tree, "permissions", {})
    allowed = branch(permissions, "allow", [])
    permissions = {**permissions, "allow": allowed if _TOOLS in allowed else [*allowed, _TOOLS]}
    if not guard:
        return {**tree, "permissions": without_entry(permissions, "deny", GUARD_RULE)}
    denied = branch(permissions, "deny", [])
    return {
        **tree,
        "permissions": {**permissions, "deny": denied if GUARD_RULE in denied else [*denied, GUARD_RULE]},
    }


def without_settings(tree: JsonTree, /) -> JsonTree:
    """Settings of either client without our permissions, our hooks and what was answered about our server."""
    permissions = tree.get("permissions")
    if isinstance(permissions, dict):
        left = without_entry(without_entry(permissions, "allow", _TOOLS), "deny", GUARD_RULE)
        tree = pruned(tree, "permissions", left)
    tree = without_telemetry(without_hooks(tree))
    # Claude Code notes there what a person answered about the servers of .mcp.json.
    for name in _ANSWERS:
        tree = without_entry(tree, name, NAME)
    return tree
