"""`top`: what goes on in a repository, as a screen that keeps up with it, or once as a table."""

import importlib.util
import json
import sys

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.top_rows import live_rows
from loomstack_mcp.core.limits import HOUR_MS, WINDOW_DAYS
from loomstack_mcp.core.overviews import live_shown
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

_NO_SCREEN = "a screen that keeps up needs one more package; install loomstack-mcp[tui]"
_HOURS_MAX = WINDOW_DAYS * 24


@open_to_all
@click.command()
@click.option("--once", is_flag=True, help="Print a table and end, as where no terminal shows it.")
@click.option("--hours", default=3, show_default=True, type=click.IntRange(1, _HOURS_MAX), help="Ended runs, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, once.")
@click.pass_obj
def top(here: Here, once: bool, hours: int, as_json: bool) -> None:
    """Show who works here now, on what, and who waits for whom; Ctrl-C ends it."""
    is_watched = sys.stdout.isatty() and not (once or as_json)
    has_screen = importlib.util.find_spec("rich") is not None
    with open_loom(here.settings) as loom:
        repo_id = loom.repos.id_of(here.checkout())
        if is_watched and has_screen:
            from loomstack_mcp.cli.top_screen import show_live  # rich is 100 ms, and an extra

            show_live(loom, repo_id, window_ms=hours * HOUR_MS)
            return
        live = loom.live.live(repo_id, window_ms=hours * HOUR_MS)
    if as_json:
        click.echo(json.dumps(live_shown(live)))
        return
    output.print_rows(live_rows(live), as_json=False, empty="no run is at work here; start_run begins one")
    if live.more:
        click.echo(f"and {counted(live.more, 'run')} more", err=True)
    if is_watched:
        click.echo(_NO_SCREEN, err=True)
