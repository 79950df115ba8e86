"""The files that make LoomStack part of a repository: what they say with us in them, and without."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from loomstack_mcp.core.clients.files.json_edit import edited
from loomstack_mcp.core.clients.files.json_entries import (
    is_our_server,
    with_hook,
    with_json_server,
    with_permission,
    without_json_server,
    without_settings,
)
from loomstack_mcp.core.clients.files.json_text import JsonTree, json_spelled, parsed_json
from loomstack_mcp.core.clients.files.marked_block import with_block, without_block
from loomstack_mcp.core.clients.files.own_names import COMMAND, NAME, TOKEN_VARIABLE, VARIABLES
from loomstack_mcp.core.clients.files.toml_text import with_server, without_server
from loomstack_mcp.core.errors import Invalid

_LOCAL = ".claude/settings.local.json"
# Of its tools those that edit; of ours every one, for only the hook is told which sub-agent calls, and from where.
_CLAUDE_MATCHER = f"Edit|Write|MultiEdit|NotebookEdit|mcp__{NAME}__.*"
_CODEX_FILE = ".codex/config.toml"
_BYTE_ORDER_MARK = "\ufeff"
# Codex passes its servers nothing but HOME, LANG, PATH and TERM (run on 0.169.0, 2026-11), and waits one second for
# those that are not required.
_CODEX_STDIO = f'command = "{COMMAND}"\nenv_vars = {json.dumps(VARIABLES)}\n'
_CODEX = """\
required = true
startup_timeout_sec = 30
tool_timeout_sec = 120
default_tools_approval_mode = "approve"
"""

TextChange = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class ClientFile:
    """One file of a client."""

    path: str
    put: TextChange
    """Its text, "" where there is none, to its text with us. Raises Invalid, naming the file."""
    taken: TextChange
    """Its text to its text without us; "" where nothing else is in it. Raises Invalid, naming the file."""
    bare: str
    """What it says where nothing is in it and yet it has to be there."""
    hides: str = ""
    """A file of each worktree that git leaves out by our line in this one, so for as long as there is any."""


def client_files(*, exclude: str, url: str = "") -> tuple[ClientFile, ...]:
    """What `init` writes: for a server that each session starts itself, or for the one at `url`.

    `exclude` is the clone's own list of files that git leaves out.
    """
    codex = _CODEX_STDIO
    if url:
        codex = f'url = {json.dumps(url, ensure_ascii=False)}\nbearer_token_env_var = "{TOKEN_VARIABLE}"\n'
    return (
        _json(".mcp.json", lambda tree: with_json_server(tree, url), without_json_server, bare='{"mcpServers": {}}\n'),
        _json(
            ".claude/settings.json",
            lambda tree: with_hook(with_permission(tree), "claude", _CLAUDE_MATCHER),
            without_settings,
        ),
        # Claude Code heeds a project's permissions only once its folder is trusted, the local ones at once, but not
        # where git tracks the file (run on 2.1.330, 2026-11).
        _json(_LOCAL, with_permission, without_settings),
        _file(
            exclude,
            lambda text: with_block(exclude, text, f"{_LOCAL}\n"),
            lambda text: without_block(exclude, text),
            hides=_LOCAL,
        ),
        _file(
            _CODEX_FILE,
            lambda text: with_server(_CODEX_FILE, text, NAME, codex + _CODEX),
            lambda text: without_server(_CODEX_FILE, text, NAME, is_ours=is_our_server),
        ),
        _json(".codex/hooks.json", lambda tree: with_hook(tree, "codex", "Edit|Write"), without_settings),
    )


def _file(path: str, put: TextChange, taken: TextChange, *, bare: str = "", hides: str = "") -> ClientFile:
    """A file whose byte order mark stays, and that is not read where it cannot hold anything of ours."""

    def on_text(change: TextChange, text: str) -> str:
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


def _json(
    path: str, put: Callable[[JsonTree], JsonTree], taken: Callable[[JsonTree], JsonTree], *, bare: str = "{}\n"
) -> ClientFile:
    def applied(change: Callable[[JsonTree], JsonTree]) -> TextChange:
        def on_text(text: str) -> str:
            tree = parsed_json(path, text)
            try:
                changed = change(tree)
                if changed == tree:
                    return text
                if not changed:
                    return ""
                return edited(text, tree, changed) if text.strip() else json_spelled(changed, "  ", "\n") + "\n"
            except Invalid as error:
                raise Invalid(f"{path}: {error}; mend the file first, nothing was changed") from None

        return on_text

    return _file(path, applied(put), applied(taken), bare=bare)
