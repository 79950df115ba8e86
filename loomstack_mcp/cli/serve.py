"""`serve`: the MCP server of one client session, or over HTTP the hub of a person or a team."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from loomstack_mcp.adapters.hub_tokens import forget_named_token
from loomstack_mcp.adapters.settings import hub_of
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.serve_print import FILES, hub_file
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.edge.here import ELSEWHERE, Here

_PORT = 8420
_FILE = click.Path(dir_okay=False, path_type=Path)


@open_to_all
@click.command()
@click.option("--http", is_flag=True, help="Serve MCP at /mcp and other machines at /api, instead of stdin and stdout.")
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of this machine, or a name of one.")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--tls-cert", type=_FILE, help="PEM file of the certificate and its chain; read again when it changes.")
@click.option("--tls-key", type=_FILE, help="PEM file of its key.")
@click.option("--behind-proxy", default="", metavar="ADDRESS[,…]", help="Proxies whose forwarded headers count.")
@click.option("--public-url", default="", metavar="URL", help="By which people reach it: https://loom.example")
@click.option("--grace", default=1.0, show_default=True, type=click.FloatRange(0, 600), metavar="SECONDS",
              help="After SIGTERM, /ready says no for so long before it ends.")  # fmt: skip
@click.option("--print", "file", type=click.Choice(tuple(FILES)), help="Print a ready file for it, and serve nothing.")
@click.option("--sdk", is_flag=True, help="On stdin and stdout, with the MCP SDK: slower to start, the reference.")
@click.pass_obj
def serve(here: Here, /, http: bool, sdk: bool, file: str | None, **hub: Any) -> None:
    """Serve MCP on stdin and stdout until the client closes them, or over HTTP."""
    if file:
        home = here.own_settings.home if here.own_settings.origins["home"] != "default" else ""
        click.echo(hub_file(file, flags=hub, home=home), nl=False)
        return
    if sdk and http:
        raise click.UsageError("--sdk is of stdin and stdout, and --http is neither")
    if not http and (given := _given(hub)):
        raise click.UsageError(f"{given} is of --http: pass that too, or leave it out")
    if http:
        from loomstack_mcp.server.hub.main import HubOptions, run_hub  # imports uvicorn and the SDK
        from loomstack_mcp.server.ui.of_hub import hub_dashboard

        if other := hub_of(here.any_settings):
            raise Invalid(f"the store here is the hub {other}, and a hub serves a store of its own: pass --store")
        run_hub(
            Here(None, here.flags, elsewhere=ELSEWHERE), here.any_settings, HubOptions(**hub), make_pages=hub_dashboard
        )
        sys.exit(0)
    if sdk:
        _serve_sdk(here)
    from loomstack_mcp.server.front.main import serve as serve_front

    serve_front(str(here.folder), here.flags)


def _given(options: Mapping[str, Any]) -> str:
    """The first of these options that was given; "" for none."""
    context = click.get_current_context()
    given = (one for one in options if context.get_parameter_source(one) is not ParameterSource.DEFAULT)
    return next((f"--{one.replace('_', '-')}" for one in given), "")


def _serve_sdk(here: Here) -> NoReturn:
    from loomstack_mcp.server.ending import Ending
    from loomstack_mcp.server.face import Face
    from loomstack_mcp.server.sdk.app import build_server  # imports the SDK, which no other command needs
    from loomstack_mcp.server.sdk.bus import Bus
    from loomstack_mcp.server.sdk.transport import serve_stdio

    forget_named_token(os.environ)
    face = Face(Here(here.folder, here.flags, elsewhere=ELSEWHERE))
    ending = Ending(face.close)

    def left() -> None:
        ending.soon()
        face.leave()

    changes = Bus(face)
    serve_stdio(build_server(face, changes), beside=changes.watch, on_eof=left)
    ending.now()
