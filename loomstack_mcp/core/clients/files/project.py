"""The files that make LoomStack part of a repository, or of a person's own scope."""

import json
from dataclasses import replace

from loomstack_mcp.core.clients.files.client_file import ClientFile, json_file, text_file
from loomstack_mcp.core.clients.files.hook_entries import client_hooks, with_hooks
from loomstack_mcp.core.clients.files.json_entries import (
    is_our_server,
    with_json_server,
    with_permission,
    without_json_server,
    without_settings,
)
from loomstack_mcp.core.clients.files.json_text import JsonTree
from loomstack_mcp.core.clients.files.marked_block import with_block, without_block
from loomstack_mcp.core.clients.files.own_names import COMMAND, NAME, TOKEN_VARIABLE, VARIABLES
from loomstack_mcp.core.clients.files.telemetry_entries import otel_table, with_telemetry
from loomstack_mcp.core.clients.files.toml_text import with_server, without_server
from loomstack_mcp.core.records import record

# Codex passes its servers nothing but HOME, LANG, PATH and TERM (run on 0.169.0, 2026-11), and waits one second for
# those that are not required.
_CODEX_STDIO = f'command = "{COMMAND}"\nenv_vars = {json.dumps(VARIABLES)}\n'
_CODEX = """\
required = true
startup_timeout_sec = 30
tool_timeout_sec = 120
default_tools_approval_mode = "approve"
"""


@record
class ClientPlaces:
    """Where the clients look: from the top of a worktree, or absolute in a person's home."""

    claude: str = ".claude"
    codex: str = ".codex"
    skills: str = ".agents/skills"
    """Those that Codex reads."""
    servers: str = ".mcp.json"
    """Where Claude Code finds servers; of a person also all else that it keeps of them."""
    exclude: str = ""
    """The clone's own list of files that git leaves out; "" in a person's own scope, which has no local settings."""


def client_files(
    places: ClientPlaces, *, url: str = "", guard: bool = False, telemetry: bool = False
) -> tuple[ClientFile, ...]:
    """What `init` changes: for a server that each session starts itself, or for the one at `url`.

    With `guard` the hooks on steps ask the session's own server, and not a program of their own; with `telemetry` both
    clients send what they consume to the receiver of this machine.
    """
    claude, codex = client_hooks("claude", guard=guard), client_hooks("codex", guard=guard)
    servers = json_file(
        places.servers,
        lambda tree: with_json_server(tree, url),
        without_json_server,
        bare='{"mcpServers": {}}\n',
    )
    if not places.exclude:
        servers = replace(servers, brief="the server, in mcpServers", is_private=True)
    return (
        servers,
        json_file(
            f"{places.claude}/settings.json",
            lambda tree: with_hooks(with_permission(_told(tree, telemetry), guard=guard), claude),
            without_settings,
        ),
        *(_local_files(places, guard=guard) if places.exclude else ()),
        _codex_file(f"{places.codex}/config.toml", url, telemetry=telemetry),
        json_file(f"{places.codex}/hooks.json", lambda tree: with_hooks(tree, codex), without_settings),
    )


def _local_files(places: ClientPlaces, *, guard: bool) -> tuple[ClientFile, ...]:
    """The local settings, and the line by which git leaves them out.

    Claude Code heeds a project's permissions only once its folder is trusted, the local ones at once, but not where git
    tracks the file (run on 2.1.330, 2026-11).
    """
    local, exclude = f"{places.claude}/settings.local.json", places.exclude
    hiding = text_file(
        exclude,
        lambda text: with_block(exclude, text, f"{local}\n"),
        lambda text: without_block(exclude, text),
        hides=local,
    )
    return json_file(local, lambda tree: with_permission(tree, guard=guard), without_settings), hiding


def _told(tree: JsonTree, telemetry: bool) -> JsonTree:
    return with_telemetry(tree) if telemetry else tree


def _codex_file(path: str, url: str, *, telemetry: bool) -> ClientFile:
    way_in = _CODEX_STDIO
    if url:
        way_in = f'url = {json.dumps(url, ensure_ascii=False)}\nbearer_token_env_var = "{TOKEN_VARIABLE}"\n'
    return text_file(
        path,
        lambda text: with_server(path, text, NAME, way_in + _CODEX, otel=otel_table() if telemetry else ""),
        lambda text: without_server(path, text, NAME, is_ours=is_our_server),
    )
