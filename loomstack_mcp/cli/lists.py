"""`runs`, `claims`, `events`: what goes on in a repository."""

from collections.abc import Iterator

import click

from loomstack_mcp.adapters.pauses import pauses_now
from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import open_to_all
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.pauses import Pause, pause_shown
from loomstack_mcp.core.stranded import stranded_words
from loomstack_mcp.core.views import claim_shown, event_shown, outcomes_told, run_shown
from loomstack_mcp.edge.here import Here
from loomstack_mcp.edge.stranded import stranded_runs
from loomstack_mcp.loom import open_loom

_SEQ_MAX = 2**63 - 1

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON array instead of a table.")
limit = click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")


@open_to_all
@click.group(invoke_without_command=True)
@click.option("--live", is_flag=True, help="Only runs whose lease holds.")
@limit
@as_json
@click.pass_context
def runs(ctx: click.Context, live: bool, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    if not ctx.invoked_subcommand:
        _list_runs(ctx.obj, live=live, limit=limit, as_json=as_json)


def _list_runs(here: Here, *, live: bool, limit: int, as_json: bool) -> None:
    with open_loom(here.settings) as loom:
        checkout = here.checkout()
        for pause, at_ms in paused_in(here, checkout.identity):
            click.echo(f"{pause_shown(pause, now_ms=at_ms)}; `loomstack-mcp resume` ends it", err=True)
        repo_id = loom.repos.id_of(checkout)
        found, now_ms = loom.runs.latest(repo_id, limit=limit, live=live)
        about: dict[str, list[Outcome]] = {run.checks_run or run.id: [] for run in found}
        for outcome in loom.outcomes.of_runs(sorted(about)):
            about[outcome.about_run].append(outcome)
        stranded = stranded_runs(here, loom, loom.stranded.of_runs(repo_id, [run.id for run in found]))
    words = {one.run.id: stranded_words(one.commits) for one in stranded}
    shown = (
        {
            **run_shown(run, now_ms=now_ms),
            "checks": run.checks_run or "",
            "outcomes": outcomes_told(run, about[run.checks_run or run.id]),
            "stranded": words.get(run.id, ""),
        }
        for run in found
    )
    output.print_rows(shown, as_json=as_json, empty="no run is live" if live else "no run was started here yet")


def paused_in(here: Here, identity: str) -> Iterator[tuple[Pause, int]]:
    """Each pause of a repository that holds, and the time."""
    pauses, now_ms = pauses_now(here.settings.home, identity)
    return ((pause, now_ms) for pause in pauses)


@open_to_all
@click.group(invoke_without_command=True)
@limit
@as_json
@click.pass_context
def claims(ctx: click.Context, limit: int, as_json: bool) -> None:
    """List what is held now, newest first."""
    if ctx.invoked_subcommand:
        return
    here: Here = ctx.obj
    with open_loom(here.settings) as loom:
        found, now_ms = loom.claims.held(loom.repos.id_of(here.checkout()), limit=limit)
    shown = (claim_shown(claim, now_ms=now_ms) for claim in found)
    output.print_rows(shown, as_json=as_json, empty="nothing is held")


@open_to_all
@click.command()
@click.option("--since", type=click.IntRange(0, _SEQ_MAX), help="Only events after this seq, oldest first.")
@limit
@as_json
@click.pass_obj
def events(here: Here, since: int | None, limit: int, as_json: bool) -> None:
    """List what happened, oldest first."""
    with open_loom(here.settings) as loom:
        repo_id = loom.repos.id_of(here.checkout())
        if since is None:
            found, now_ms = loom.events.latest(repo_id, limit=limit)
        else:
            found, now_ms = loom.events.since(repo_id, since=since, limit=limit)
            if since < (gap := loom.events.gap(repo_id)):
                click.echo(f"of what happened up to {gap}, what is too old to be kept is not there any more", err=True)
    shown = (event_shown(event, now_ms=now_ms) for event in found)
    output.print_rows(shown, as_json=as_json, empty="nothing happened")
