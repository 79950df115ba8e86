"""`telemetry`: what clients tell of their models' cost, taken in for the runs whose it is."""

from pathlib import Path

import click

from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.core.clients.files.telemetry_entries import RECEIVER_PORT
from loomstack_mcp.edge.here import Here


@click.group()
def telemetry() -> None:
    """What clients tell of their models' cost, and what this tells to others: OpenTelemetry."""


@open_to_all
@telemetry.command()
@click.option("--port", default=RECEIVER_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.pass_obj
def receive(here: Here, *, port: int) -> None:
    """Take in Claude Code's and Codex's own telemetry on loopback, until Ctrl-C.

    Each run then has its tokens, its cost and what its client let tools do. `init --telemetry` has the clients send it.
    """
    from loomstack_mcp.server.telemetry.serving import run_receiver  # imports uvicorn

    run_receiver(here.any_settings, port=port)


@open_to_all
@telemetry.command()
def grafana() -> None:
    """Print a dashboard for Grafana: import it there; its data source is a Prometheus that the collector feeds."""
    click.echo((Path(__file__).parent.parent / "help" / "grafana.json").read_text(encoding="utf-8"), nl=False)
