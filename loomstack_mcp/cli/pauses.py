"""`pause` and `resume`: switch LoomStack off for a while, for a repository or one session, and on again."""

import time

import click

from loomstack_mcp.adapters.pauses import pauses_now, read_pauses, write_pauses
from loomstack_mcp.cli.people import deciding, person
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import DAY_MS, SECOND_MS
from loomstack_mcp.core.pauses import Pause, pause_shown
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

_FOR_MAX_MS = 7 * DAY_MS


@deciding
@click.command()
@click.option("--run", "run_id", default="", help="Only for the session of this run.")
@click.option("--for", "span_ms", type=Span(), default="2h", show_default=True, help="How long: 30m, 2h, at most 7d.")
@click.option("--why", default="", help="What others read about it.")
@click.pass_obj
def pause(here: Here, run_id: str, span_ms: int, why: str) -> None:
    """Switch LoomStack off in this repository: nothing is checked, claimed or recorded.

    `gate` goes on judging what lands.
    """
    who = person()
    if span_ms > _FOR_MAX_MS:
        raise Invalid("a pause lasts at most 7d; write a shorter --for, and pause again if need be")
    settings, repo, now_ms = here.settings, here.checkout().identity, round(time.time() * SECOND_MS)
    session = _session(here, run_id) if run_id else ""
    made = Pause(
        repo=repo,
        session=session,
        run=run_id,
        who=who,
        since_at_ms=now_ms,
        until_at_ms=now_ms + span_ms,
        why=bounded("why", why, chars_max=200),
    )
    others = [each for each in read_pauses(settings.home) if (each.repo, each.session) != (repo, session)]
    write_pauses(settings.home, [*(each for each in others if each.until_at_ms > now_ms), made])
    click.echo(f"{pause_shown(made, now_ms=now_ms)}. `loomstack-mcp resume` ends it.")


@deciding
@click.command()
@click.pass_obj
def resume(here: Here) -> None:
    """End every pause of this repository and of its sessions."""
    person()
    settings, repo = here.settings, here.checkout().identity
    ended, now_ms = pauses_now(settings.home, repo)
    write_pauses(settings.home, [each for each in read_pauses(settings.home) if each.repo != repo])
    for each in ended:
        click.echo(f"Ended: {pause_shown(each, now_ms=now_ms)}.")
    if not ended:
        click.echo("Nothing is paused here.")


def _session(here: Here, run_id: str) -> str:
    with open_loom(here.settings) as loom:
        return loom.runs.details(run_id).run.session
