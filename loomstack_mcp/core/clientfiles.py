"""The files that make LoomStack part of a repository: what they say with us in them, and without."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loomstack_mcp.core.errors import Invalid

NAME = "loomstack"
COMMAND = "loomstack-mcp"
TOKEN_VARIABLE = "LOOMSTACK_TOKEN"  # noqa: S105 the name of a variable, so that no file holds the token

HOOK = "loomstack-hook"
_TOOLS = f"mcp__{NAME}"
_INDENT = re.compile(r"^([ \t]+)\"", re.MULTILINE)
_BLOCK = re.compile(rf"\n?^# >>> {NAME} .*?^# <<< {NAME} <<<\n?", re.MULTILINE | re.DOTALL)
_OPEN = f"# >>> {NAME} (written by `{COMMAND} init`, removed by `{COMMAND} uninstall`) >>>\n"
_CLOSE = f"# <<< {NAME} <<<\n"
# Codex passes its servers nothing but HOME, LANG, PATH and TERM (run on 0.169.0, 2026-11), and waits one second for
# those that are not required.
_CODEX_STDIO = f'command = "{COMMAND}"\nenv_vars = ["LOOMSTACK_HOME", "LOOMSTACK_STORE", "XDG_DATA_HOME"]\n'
_CODEX = """\
required = true
startup_timeout_sec = 30
tool_timeout_sec = 120
default_tools_approval_mode = "approve"
"""

Tree = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClientFile:
    """One file of a client. `put` and `taken` map its text to its text with us and without; "" is no file."""

    path: str
    put: Callable[[str], str]
    taken: Callable[[str], str]


def files(*, exclude: str, url: str = "") -> tuple[ClientFile, ...]:
    """What `init` writes: for a server that each session starts itself, or for the one at `url`.

    `exclude` is the clone's own list of files that git leaves out.
    """
    entry: Tree = {"command": COMMAND}
    codex = _CODEX_STDIO
    if url:
        entry = {"type": "http", "url": url, "headers": {"Authorization": f"Bearer ${{{TOKEN_VARIABLE}}}"}}
        codex = f'url = {json.dumps(url)}\nbearer_token_env_var = "{TOKEN_VARIABLE}"\n'
    return (
        _json(".mcp.json", lambda tree: _with_server(tree, entry), _without_server),
        _json(
            ".claude/settings.json",
            lambda tree: _with_hook(_with_permission(tree), "claude", "Edit|Write|NotebookEdit"),
            _without_settings,
        ),
        # Claude Code heeds a project's permissions only once its folder is trusted, the local ones at once, but not
        # where git tracks the file (run on 2.1.330, 2026-11).
        _json(".claude/settings.local.json", _with_permission, _without_settings),
        _marked(exclude, ".claude/settings.local.json\n"),
        _marked(".codex/config.toml", f"[mcp_servers.{NAME}]\n{codex}{_CODEX}"),
        _json(".codex/hooks.json", lambda tree: _with_hook(tree, "codex", "Edit|Write"), _without_settings),
    )


def _marked(path: str, body: str) -> ClientFile:
    """A file that gets a block between two comments."""

    def put(text: str) -> str:
        text = _BLOCK.sub("", text)
        end = "" if text.endswith("\n") or not text else "\n"
        return f"{text}{end}{chr(10) if text else ''}{_OPEN}{body}{_CLOSE}"

    return ClientFile(path=path, put=put, taken=lambda text: _BLOCK.sub("", text))


def _json(path: str, put: Callable[[Tree], Tree], taken: Callable[[Tree], Tree]) -> ClientFile:
    def applied(change: Callable[[Tree], Tree]) -> Callable[[str], str]:
        def on_text(text: str) -> str:
            tree = _parsed(path, text)
            changed = change(tree)
            if changed == tree:
                return text
            return _printed(changed, like=text) if changed else ""

        return on_text

    return ClientFile(path=path, put=applied(put), taken=applied(taken))


def _with_server(tree: Tree, entry: Tree) -> Tree:
    servers = _branch(".mcp.json", tree, "mcpServers", {})
    found = servers.get(NAME)
    if found is not None and not _is_ours(found):
        raise Invalid(
            f".mcp.json has another server called {NAME}; rename it, or remove it, and run `{COMMAND} init` again"
        )
    return {**tree, "mcpServers": {**servers, NAME: entry}}


def _is_ours(entry: object) -> bool:
    if not isinstance(entry, Mapping):
        return False
    return str(entry.get("command", "")).endswith(COMMAND) or TOKEN_VARIABLE in json.dumps(entry.get("headers"))


def _without_server(tree: Tree) -> Tree:
    servers = tree.get("mcpServers")
    if not isinstance(servers, dict) or not _is_ours(servers.get(NAME)):
        return tree
    return _pruned(tree, "mcpServers", {name: entry for name, entry in servers.items() if name != NAME})


def _with_permission(tree: Tree) -> Tree:
    permissions = _branch("settings", tree, "permissions", {})
    allowed = _branch("settings", permissions, "allow", [])
    allowed = allowed if _TOOLS in allowed else [*allowed, _TOOLS]
    return {**tree, "permissions": {**permissions, "allow": allowed}}


def _with_hook(tree: Tree, client: str, matcher: str) -> Tree:
    hooks = _branch("settings", tree, "hooks", {})
    before = _branch("settings", hooks, "PreToolUse", [])
    ours = {
        "matcher": matcher,
        "hooks": [{"type": "command", "command": f"{HOOK} {client} PreToolUse", "timeout": 10}],
    }
    return {**tree, "hooks": {**hooks, "PreToolUse": [*(each for each in before if not _names_us(each)), ours]}}


def _without_settings(tree: Tree) -> Tree:
    permissions, hooks = tree.get("permissions"), tree.get("hooks")
    if isinstance(permissions, dict) and isinstance(permissions.get("allow"), list):
        left = [rule for rule in permissions["allow"] if rule != _TOOLS]
        tree = _pruned(tree, "permissions", _pruned(permissions, "allow", left))
    if isinstance(hooks, dict) and isinstance(hooks.get("PreToolUse"), list):
        left = [each for each in hooks["PreToolUse"] if not _names_us(each)]
        tree = _pruned(tree, "hooks", _pruned(hooks, "PreToolUse", left))
    return tree


def _names_us(matcher: object) -> bool:
    return f'"{HOOK} ' in json.dumps(matcher)


def _pruned(tree: Tree, name: str, value: Any) -> Tree:
    """The tree with that value, or without the name where the value is empty and was not before."""
    if value == tree.get(name):
        return tree
    return {**tree, name: value} if value else {key: kept for key, kept in tree.items() if key != name}


def _branch(path: str, tree: Tree, name: str, empty: Any) -> Any:
    found = tree.get(name, empty)
    if not isinstance(found, type(empty)):
        raise Invalid(f"{path}: {name} is no {'list' if isinstance(empty, list) else 'object'}; mend the file first")
    return found


def _parsed(path: str, text: str) -> Tree:
    if not text.strip():
        return {}
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid(f"{path}{where} is not valid JSON; mend the file first, nothing was changed") from None
    if not isinstance(tree, dict):
        raise Invalid(f"{path} holds no JSON object; mend the file first, nothing was changed")
    return tree


def _printed(tree: Tree, *, like: str) -> str:
    """As `like` is indented; two spaces, as the clients write it, where that cannot be told."""
    found = _INDENT.search(like)
    return json.dumps(tree, indent=found[1] if found else 2, ensure_ascii=False) + "\n"
