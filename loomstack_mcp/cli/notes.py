"""`notes` and `note add`: shared context, read and written by people."""

from typing import get_args

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json, limit
from loomstack_mcp.cli.people import deciding, open_to_all, person
from loomstack_mcp.core.notes import NoteKind
from loomstack_mcp.core.views import note_shown
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom


@open_to_all
@click.command()
@click.argument("query", default="")
@limit
@as_json
@click.pass_obj
def notes(here: Here, query: str, limit: int, as_json: bool) -> None:
    """List notes that hold, newest first; with QUERY those that match, best first."""
    with open_loom(here.settings) as loom:
        found, now_ms = loom.notes.latest(loom.repos.id_of(here.checkout()), limit=limit, query=query)
    shown = (note_shown(note, now_ms=now_ms) for note in found)
    output.print_rows(shown, as_json=as_json, empty="no note matches" if query else "nothing was shared yet")


@click.group()
def note() -> None:
    """Write shared context as a person."""


@deciding
@note.command()
@click.argument("text")
@click.option("--kind", type=click.Choice(get_args(NoteKind)), default="decision", show_default=True)
@click.option("--path", "paths", multiple=True, help="A path or pattern that it is about; may be repeated.")
@click.option("--expires-hours", type=int, default=0, help="How long it holds; 0: until superseded.")
@click.option("--supersedes", default="", help="The note whose place it takes.")
@click.option("--org", is_flag=True, help="It holds for every repository.")
@as_json
@click.pass_obj
def add(
    here: Here,
    text: str,
    kind: NoteKind,
    paths: tuple[str, ...],
    expires_hours: int,
    supersedes: str,
    org: bool,
    as_json: bool,
) -> None:
    """Share TEXT with all loops, with a person's authority: it comes before what loops say."""
    who = person()
    with open_loom(here.settings) as loom:
        result = loom.notes.add(
            None if org else here.checkout(),
            who=who,
            kind=kind,
            text=text,
            patterns=here.patterns(paths),
            expires_hours=expires_hours,
            supersedes=supersedes,
        )
    output.print_record(note_shown(result.note, now_ms=result.note.shared_at_ms), as_json=as_json)
    for old in result.contradicts:
        click.echo(f"contradicts {old.id} by {old.author}: {output.harmless(old.text)}", err=True)
