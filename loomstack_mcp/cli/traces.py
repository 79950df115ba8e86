"""`trace`: which loop made a change, why, and who let it through; and what landed without a loop."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import limit
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.cli.trace_text import trace_lines
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.edge.clones import clone_of_meant
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.tracing import caught_up, gone_here, traced
from loomstack_mcp.loom import open_loom


@open_to_all
@click.command()
@click.argument("ref", default="")
@click.option("--full", is_flag=True, help="All that is kept, not one screen of it.")
@click.option("--unattributed", is_flag=True, help="List what landed and is no run's instead, newest first.")
@click.option(
    "--since", type=Span(), default="30d", show_default=True, help="How far back that list goes: 12h, 30d, 8w."
)
@limit
@click.option("--json", "as_json", is_flag=True, help="One JSON object; of the list an array.")
@click.pass_obj
def trace(here: Here, ref: str, full: bool, unattributed: bool, since: int, limit: int, as_json: bool) -> None:
    """Trace REF to its run, loop, goal, checks, approvals and deploys.

    REF is a commit, path:line, a pull request (#12 or its URL), deploy:ID or a run.
    """
    if bool(ref) == unattributed:
        raise click.UsageError("name what to trace, or pass --unattributed, which lists them without a name")
    if unattributed:
        _list_unattributed(here, since_ms=since, limit=min(limit, 1_000), as_json=as_json)
        return
    with open_loom(here.settings) as loom:
        found = traced(here, loom, ref)
    shown = trace_shown(found, full=full)
    if as_json:
        click.echo(json.dumps(shown, default=dict))
        return
    for line in trace_lines(shown):
        click.echo(line)


def _list_unattributed(here: Here, *, since_ms: int, limit: int, as_json: bool) -> None:
    with open_loom(here.settings) as loom:
        here = clone_of_meant(here, loom) or here
        for gap in (*caught_up(here, loom), *_too_old(here, since_ms)):
            click.echo(f"Not looked at: {output.harmless(gap)}.", err=True)
        repo_id = loom.repos.id_of(here.checkout())
        _, now_ms = loom.deploys.latest(repo_id, limit=1)
        found = loom.attributions.unattributed(repo_id, since_ms=max(0, now_ms - since_ms), limit=limit)
        gone = gone_here(here, loom, [one.sha for one in found])
    rows: Iterator[Mapping[str, Any]] = (
        {
            "commit": one.sha if as_json else one.sha[:12],
            "title": one.title,
            "author": one.author,
            "candidates": [f"{each.run_id} {each.confidence:.0%}" for each in one.candidates[:3]],
            "flags": [*one.flags, *(["gone"] if one.sha in gone else [])],
            "age": age(max(0, now_ms - one.landed_at_ms)),
        }
        for one in found
    )
    output.print_rows(rows, as_json=as_json, empty="nothing landed in that time that is not known as some run's")


def _too_old(here: Here, since_ms: int) -> Iterator[str]:
    days = here.settings.window_days
    if since_ms > days * DAY_MS:
        yield f"what landed more than {days} days ago (window_days), but for what somebody traced"
