"""`serve`: the MCP server of one client session."""

from pathlib import Path

import click

from loomstack_mcp.cli.main import Invocation
from loomstack_mcp.loom import open_loom


@click.command()
@click.pass_obj
def serve(invocation: Invocation) -> None:
    """Serve MCP on stdin and stdout until the client closes them."""
    from loomstack_mcp.server.app import build_server  # imports the SDK, which no other command needs
    from loomstack_mcp.server.changes import Changes
    from loomstack_mcp.server.face import Face
    from loomstack_mcp.server.transport import serve_stdio

    settings = invocation.settings()
    face = Face(open_loom(settings), settings, Path.cwd())
    changes = Changes(face)
    serve_stdio(build_server(face, changes), beside=changes.watch, on_close=face.close)
