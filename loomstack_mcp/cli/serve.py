"""`serve`: the MCP server, of one client session, or of all of this person's over HTTP."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.edge.here import ELSEWHERE, Here
from loomstack_mcp.loom import open_loom

_PORT = 8420


@open_to_all
@click.command()
@click.option("--http", is_flag=True, help="Serve http://HOST:PORT/mcp instead of stdin and stdout.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--sdk", is_flag=True, help="On stdin and stdout, with the MCP SDK: slower to start, the reference.")
@click.pass_obj
def serve(here: Here, http: bool, host: str, port: int, sdk: bool) -> None:
    """Serve MCP on stdin and stdout until the client closes them, or over HTTP."""
    if http:
        _serve_http(here, host, port)
    if sdk:
        _serve_sdk(here)
    from loomstack_mcp.server.front.main import serve as serve_front

    serve_front(str(here.folder), here.flags)


def _serve_sdk(here: Here) -> NoReturn:
    from loomstack_mcp.server.ending import Ending
    from loomstack_mcp.server.face import Face
    from loomstack_mcp.server.sdk.app import build_server  # imports the SDK, which no other command needs
    from loomstack_mcp.server.sdk.bus import Bus
    from loomstack_mcp.server.sdk.transport import serve_stdio

    face = Face(Here(here.folder, here.flags, elsewhere=ELSEWHERE))
    ending = Ending(face.close)

    def left() -> None:
        ending.soon()
        face.leave()

    changes = Bus(face)
    serve_stdio(build_server(face, changes), beside=changes.watch, on_eof=left)
    ending.now()


def _serve_http(here: Here, host: str, port: int) -> NoReturn:
    import anyio

    from loomstack_mcp.server.face import Face
    from loomstack_mcp.server.sdk.app import build_server  # imports the SDK, which no other command needs
    from loomstack_mcp.server.sdk.bus import Bus
    from loomstack_mcp.server.sdk.http import listening, serve_http, token_in  # imports uvicorn

    settings = here.any_settings
    token_file = Path(settings.home) / "token"
    token = token_in(token_file)
    with listening(host, port) as listener, open_loom(settings, full_sync=True) as loom:
        face = Face(Here(None, here.flags, elsewhere=ELSEWHERE), loom)
        changes = Bus(face)
        address, taken = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        click.echo(f"LoomStack serves http://{shown}:{taken}/mcp; its bearer token is in {token_file}", err=True)
        anyio.run(lambda: serve_http(build_server(face, changes), listener, token=token, beside=changes.watch))
    sys.exit(0)
