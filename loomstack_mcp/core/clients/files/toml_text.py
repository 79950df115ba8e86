"""Our server in Codex's TOML: a marked block that gives no line of others another meaning."""

import tomllib
from collections.abc import Callable
from typing import Any

from loomstack_mcp.core.clients.files.marked_block import block_body, with_block, without_block
from loomstack_mcp.core.clients.files.toml_tuning import tuned_table
from loomstack_mcp.core.errors import Invalid

TomlTree = dict[str, Any]
_OTEL = "\n[otel]\n"


def with_server(path: str, text: str, name: str, body: str, *, otel: str = "") -> str:
    """The text with the table of server `name` as our block, and with `otel`, or what stood there of it, behind that.

    Raises Invalid, naming `path`, where that cannot be.
    """
    if without_block(path, text) == text and name in _servers(_parsed(path, text)):
        raise Invalid(
            f"{path} already has a server named {name} that init did not write; remove it or rename it, "
            "nothing was changed"
        )
    before, at, kept = block_body(text).partition(_OTEL)
    otel = at + kept or otel
    if otel and not at and "otel" in _parsed(path, text):
        raise Invalid(f"{path} has an [otel] of yours; have what takes its logs send them on here, nothing was changed")
    table = f"[mcp_servers.{name}]\n{body}"
    changed = with_block(path, text, tuned_table(before, table, name) + otel)
    if _others(_parsed(path, text), name, otel) != _others(_parsed(path, changed), name, otel):
        raise _entangled(path)
    return changed


def without_server(path: str, text: str, name: str, *, is_ours: Callable[[object], bool]) -> str:
    """The text without our block. Raises Invalid, naming `path`, where something of the server would stay."""
    left = without_block(path, text)
    if left == text:
        if is_ours(_servers(_parsed(path, text)).get(name)):
            raise Invalid(
                f"{path} has [mcp_servers.{name}] without the two lines that mark it as ours, `# >>> {name} …` and "
                f"`# <<< {name} <<<`; take that table out by hand first, nothing was changed"
            )
        return text
    after = _parsed(path, left)
    otel = _OTEL if _OTEL in block_body(text) else ""
    if name in _servers(after) or _others(after, name, otel) != _others(_parsed(path, text), name, otel):
        raise _entangled(path)
    return left


def _entangled(path: str) -> Invalid:
    """A key below our block belongs to our table, whoever wrote it: without the block it would be another's."""
    return Invalid(
        f"{path}: lines of yours belong to our block or, as TOML reads them, to its table; move them above the block, "
        "or under a [table] of their own, nothing was changed"
    )


def _parsed(path: str, text: str) -> TomlTree:
    try:
        # A NaN would not be equal to itself.
        return tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(
            f"{path} is not valid TOML, or would not be with our table in it ({error}); mend the file first, "
            "nothing was changed"
        ) from None


def _servers(tree: TomlTree) -> TomlTree:
    servers = tree.get("mcp_servers")
    return servers if isinstance(servers, dict) else {}


def _others(tree: TomlTree, name: str, otel: str) -> TomlTree:
    """What the file says apart from that server, and apart from telemetry where that is in our block."""
    tree = {key: value for key, value in tree.items() if not (otel and key == "otel")}
    if not isinstance(tree.get("mcp_servers", {}), dict):
        return tree
    return {**tree, "mcp_servers": {key: server for key, server in _servers(tree).items() if key != name}}
