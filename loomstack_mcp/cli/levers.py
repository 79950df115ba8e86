"""`claims release` and `runs stop`: a person steps in, sees what that ends and who waits, and everybody is told why."""

from collections.abc import Iterator

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import claims as claims
from loomstack_mcp.cli.lists import runs as runs
from loomstack_mcp.cli.people import deciding, person
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.services.levers import Lever

why = click.option("--why", required=True, help="The runs concerned read it.")
dry_run = click.option("--dry-run", is_flag=True, help="Only show what would end, and who waits.")


@deciding
@claims.command()
@click.argument("claim")
@why
@dry_run
@click.pass_obj
def release(here: Here, claim: str, why: str, dry_run: bool) -> None:
    """End CLAIM, whoever's it is: its holder is told to stop editing there, and those who wait that it is free."""
    who = person()
    with open_loom(here.settings, is_told=True) as loom:
        _show(loom.levers.about_claim(claim))
        if not dry_run:
            done = loom.levers.release_claim(claim, who=who, why=why)
            click.echo(f"{claim} is released; {done.claims[0].run_id} hears of it{_freed(done)}.")


@deciding
@runs.command()
@click.argument("run")
@why
@dry_run
@click.pass_obj
def stop(here: Here, run: str, why: str, dry_run: bool) -> None:
    """Stop RUN, with those started in it: what they hold is free, and their next call is told who stopped them and why.

    No key resumes them. A session that goes on under another run is told, too.
    """
    who = person()
    with open_loom(here.settings, is_told=True) as loom:
        _show(loom.levers.about_run(run), stopping=True)
        if not dry_run:
            done = loom.levers.stop_run(run, who=who, why=why)
            click.echo(f"{', '.join(each.id for each in done.runs)} stopped{_freed(done)}.")


def _show(lever: Lever, *, stopping: bool = False) -> None:
    for line in _lines(lever, stopping=stopping):
        click.echo(output.harmless(line))


def _lines(lever: Lever, *, stopping: bool) -> Iterator[str]:
    whose = {run.id: f"{run.id} ({run.who}: “{run.goal}”)" for run in lever.runs}
    if stopping:
        yield from (f"ends   {words}" for words in whose.values())
    for claim in lever.claims:
        held = "" if stopping else f", held by {whose[claim.run_id]}"
        yield f"frees  {few_listed(claim.patterns)} ({claim.id}: “{claim.intent}”{held})"
    for waiter in lever.waiting:
        yield f"waits  {waiter.run_id} ({waiter.loop}@{waiter.principal}) for {few_listed(waiter.patterns)}"


def _freed(done: Lever) -> str:
    return f"; free now for {', '.join(done.freed_for)}, told too" if done.freed_for else ""
