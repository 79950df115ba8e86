"""`ui`: the dashboard in a browser, of a person on their own machine."""

import click

from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.edge.here import Here

_PORT = 8421


@open_to_all
@click.command()
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.pass_obj
def ui(here: Here, port: int) -> None:
    """Show what all loops do in a browser: serve the dashboard on this machine, and print its link."""
    from loomstack_mcp.server.ui.main import run_ui  # imports uvicorn

    run_ui(here, port=port)
