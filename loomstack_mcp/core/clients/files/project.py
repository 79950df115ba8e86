"""The files that make LoomStack part of a repository: what they say with us in them, and without."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loomstack_mcp.core.clients.files.json_text import Tree, branch, parsed, printed, pruned, without_entry
from loomstack_mcp.core.clients.files.marked_block import with_block, without_block
from loomstack_mcp.core.clients.files.toml_text import with_server, without_server
from loomstack_mcp.core.errors import Invalid

NAME = "loomstack"
COMMAND = "loomstack-mcp"
TOKEN_VARIABLE = "LOOMSTACK_TOKEN"  # noqa: S105 the name of a variable, so that no file holds the token

HOOK = "loomstack-hook"
_LOCAL = ".claude/settings.local.json"
_CODEX_FILE = ".codex/config.toml"
_TOOLS = f"mcp__{NAME}"
_ANSWERS = ("enabledMcpjsonServers", "disabledMcpjsonServers")
_AUTHORIZATION = {"Authorization": f"Bearer ${{{TOKEN_VARIABLE}}}"}
_TRANSPORT = ("command", "type", "url", "headers")
_BYTE_ORDER_MARK = "\ufeff"
# Codex passes its servers nothing but HOME, LANG, PATH and TERM (run on 0.169.0, 2026-11), and waits one second for
# those that are not required.
_CODEX_STDIO = f'command = "{COMMAND}"\nenv_vars = ["LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME"]\n'
_CODEX = """\
required = true
startup_timeout_sec = 30
tool_timeout_sec = 120
default_tools_approval_mode = "approve"
"""

Change = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class ClientFile:
    """One file of a client."""

    path: str
    put: Change
    """Its text, "" where there is none, to its text with us. Raises Invalid, naming the file."""
    taken: Change
    """Its text to its text without us; "" where nothing else is in it. Raises Invalid, naming the file."""
    bare: str
    """What it says where nothing is in it and yet it has to be there."""
    hides: str = ""
    """A file of each worktree that git leaves out by our line in this one, so for as long as there is any."""


def files(*, exclude: str, url: str = "") -> tuple[ClientFile, ...]:
    """What `init` writes: for a server that each session starts itself, or for the one at `url`.

    `exclude` is the clone's own list of files that git leaves out.
    """
    codex = _CODEX_STDIO
    if url:
        codex = f'url = {json.dumps(url, ensure_ascii=False)}\nbearer_token_env_var = "{TOKEN_VARIABLE}"\n'
    return (
        _json(".mcp.json", lambda tree: _with_server(tree, url), _without_server, bare='{"mcpServers": {}}\n'),
        _json(
            ".claude/settings.json",
            lambda tree: _with_hook(_with_permission(tree), "claude", "Edit|Write|NotebookEdit"),
            _without_settings,
        ),
        # Claude Code heeds a project's permissions only once its folder is trusted, the local ones at once, but not
        # where git tracks the file (run on 2.1.330, 2026-11).
        _json(_LOCAL, _with_permission, _without_settings),
        _file(
            exclude,
            lambda text: with_block(exclude, text, f"{_LOCAL}\n"),
            lambda text: without_block(exclude, text),
            hides=_LOCAL,
        ),
        _file(
            _CODEX_FILE,
            lambda text: with_server(_CODEX_FILE, text, NAME, codex + _CODEX),
            lambda text: without_server(_CODEX_FILE, text, NAME, is_ours=_is_ours),
        ),
        _json(".codex/hooks.json", lambda tree: _with_hook(tree, "codex", "Edit|Write"), _without_settings),
    )


def _file(path: str, put: Change, taken: Change, *, bare: str = "", hides: str = "") -> ClientFile:
    """A file whose byte order mark stays, and that is not read where it cannot hold anything of ours."""

    def on_text(change: Change, text: str) -> str:
        plain = text.removeprefix(_BYTE_ORDER_MARK)
        changed = change(plain)
        return text[: len(text) - len(plain)] + changed if changed else ""

    return ClientFile(
        path=path,
        put=lambda text: on_text(put, text),
        taken=lambda text: on_text(taken, text) if NAME in text else text,
        bare=bare,
        hides=hides,
    )


def _json(path: str, put: Callable[[Tree], Tree], taken: Callable[[Tree], Tree], *, bare: str = "{}\n") -> ClientFile:
    def applied(change: Callable[[Tree], Tree]) -> Change:
        def on_text(text: str) -> str:
            tree = parsed(path, text)
            try:
                changed = change(tree)
                if changed == tree:
                    return text
                return printed(changed, like=text) if changed else ""
            except Invalid as error:
                raise Invalid(f"{path}: {error}; mend the file first, nothing was changed") from None

        return on_text

    return _file(path, applied(put), applied(taken), bare=bare)


def _with_server(tree: Tree, url: str) -> Tree:
    servers = branch(tree, "mcpServers", {})
    found = servers.get(NAME, {})
    if NAME in servers and not _is_ours(found):
        raise Invalid(f"there is another server called {NAME}, which has to be renamed or removed")
    if bool(url) != ("url" in found):
        found = {name: value for name, value in found.items() if name not in _TRANSPORT}
    # What a person added stays, and so does the path by which they call our command.
    entry = {"command": COMMAND, **found}
    if url:
        headers = {**branch(found, "headers", {}), **_AUTHORIZATION}
        entry = {**found, "type": "http", "url": url, "headers": headers}
    return {**tree, "mcpServers": {**servers, NAME: entry}}


def _is_ours(entry: object) -> bool:
    """Whether a server's entry, of either client, starts our command or sends our token."""
    if not isinstance(entry, Mapping):
        return False
    command = re.split(r"[/\\]", str(entry.get("command", "")))[-1]
    sent = (entry.get("headers"), entry.get("bearer_token_env_var"))
    return command == COMMAND or TOKEN_VARIABLE in str(sent)


def _without_server(tree: Tree) -> Tree:
    servers = tree.get("mcpServers")
    if not isinstance(servers, dict) or not _is_ours(servers.get(NAME)):
        return tree
    return pruned(tree, "mcpServers", {name: entry for name, entry in servers.items() if name != NAME})


def _with_permission(tree: Tree) -> Tree:
    permissions = branch(tree, "permissions", {})
    allowed = branch(permissions, "allow", [])
    allowed = allowed if _TOOLS in allowed else [*allowed, _TOOLS]
    return {**tree, "permissions": {**permissions, "allow": allowed}}


def _with_hook(tree: Tree, client: str, matcher: str) -> Tree:
    hooks = branch(tree, "hooks", {})
    groups = branch(hooks, "PreToolUse", [])
    command = f"{HOOK} {client} PreToolUse"
    for group in groups:
        called = [entry["command"] for entry in _entries(group) if _is_our_hook(entry)]
        if called == [command] and group.get("matcher") == matcher:
            return tree
    ours = {"matcher": matcher, "hooks": [{"type": "command", "command": command, "timeout": 10}]}
    return {**tree, "hooks": {**hooks, "PreToolUse": [*_without_hook(groups), ours]}}


def _without_settings(tree: Tree) -> Tree:
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
    return isinstance(entry, dict) and str(entry.get("command", "")).startswith(f"{HOOK} ")


def _entries(group: object) -> list[Any]:
    entries = group.get("hooks") if isinstance(group, dict) else None
    return entries if isinstance(entries, list) else []
