"""`top`: what goes on in a repository, as a screen that keeps up with it, or once as a table."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.limits import HOUR_MS, WINDOW_DAYS
from loomstack_mcp.core.live import Live, LiveRun
from loomstack_mcp.core.overviews import live_shown
from loomstack_mcp.core.phrases import age, counted
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

_NO_SCREEN = "a screen that keeps up needs one more package; install loomstack-mcp[tui]"
_HOURS_MAX = WINDOW_DAYS * 24
_WORDS_MAX = 200


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


def live_rows(live: Live, /) -> Iterator[dict[str, Any]]:
    """A row for each run: those at work, and then those that ended, each newest first."""
    for lane_loop, one in sorted(_runs(live), key=lambda pair: (_is_over(pair[1]), -pair[1].run.seq)):
        run, cost = one.run, one.usage and one.usage.cost_usd
        yield {
            "state": live_word(one),
            "run": run.id,
            "loop": lane_loop,
            "owner": run.principal,
            "goal": output.harmless(run.goal)[:_WORDS_MAX],
            "paths": output.harmless(_where(one)),
            "age": age(live.now_ms - run.started_at_ms),
            "cost": "" if cost is None else f"${cost:,.2f}",
        }


def live_word(one: LiveRun, /) -> str:
    """How a run is, in a word: of one that ended, how."""
    if one.state != "ended":
        return one.state
    return output.harmless(one.run.status).partition(" ")[0] or "ended"


def _runs(live: Live) -> Iterator[tuple[str, LiveRun]]:
    return ((lane.loop, one) for lane in live.lanes for one in lane.runs)


def _is_over(one: LiveRun) -> bool:
    return one.run.ended_at_ms is not None


def _where(one: LiveRun) -> str:
    """What it holds; of one that waits, for what and whom; of one that checks, whom."""
    if one.waits_for:
        first = one.waits_for[0]
        more = f" +{len(one.waits_for) - 1}" if len(one.waits_for) > 1 else ""
        return f"{few_listed(first.paths)} of {first.run}{more}"
    if one.run.checks_run:
        return f"checks {one.run.checks_run}"
    held = [text for claim in one.claims for text in claim.patterns]
    return few_listed(held or one.run.paths)
