"""`forget`: what people may ask to have erased, of a person, a repository or a note."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from loomstack_mcp.adapters.settings import postgres_url, sqlite_path
from loomstack_mcp.cli import output
from loomstack_mcp.cli.people import deciding, person
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.repos import Checkout, earlier_identities, named_identity
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import is_hub_store, open_store
from loomstack_mcp.services.erasing import Erased, erased_note, erased_owner, erased_person, erased_repo
from loomstack_mcp.services.repos import RepoService
from loomstack_mcp.store.base import Store
from loomstack_mcp.store.sqlite import admin

_POSTGRES_LEFT = "PostgreSQL keeps what was until `VACUUM FULL` of the schema loom, and longer in archived logs"


@deciding
@click.command()
@click.option("--person", "people", multiple=True, metavar="NAME", help="A name of theirs; repeat it for others.")
@click.option("--repo", "repo", default="", metavar="REPO", help="A repository, by URL or name.")
@click.option("--note", "note", default="", metavar="ID", help="One note, wherever it is quoted.")
@click.option("--free", is_flag=True, help="Only clear what an earlier erasure had to leave in the store's file.")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.pass_obj
def forget(here: Here, people: tuple[str, ...], repo: str, note: str, free: bool, dry_run: bool) -> None:
    """Erase the words of a person and their loops, of a repository, or a note. It cannot be undone.

    Rows, their numbers and times stay, so that counts and the order of events stay true; a person is called by a
    pseudonym. Backups, and what git keeps, are yours to see to.
    """
    if bool(people) + bool(repo) + bool(note) + free != 1:
        raise click.UsageError("give one of --person NAME, --repo REPO, --note ID and --free")
    who = person()
    path = None if postgres_url(here.settings) else sqlite_path(here.settings)
    if free:
        _say_left(path)
        return
    with closing(open_store(here.settings.store)) as store:
        planned = _erased(store, people, repo, note, who=who, is_tried=True)
        click.echo("\n".join(_told(planned)))
        if dry_run:
            click.echo("nothing was erased: this was a dry run")
            return
        click.confirm("Erase this for good?", abort=True)
        done = _erased(store, people, repo, note, who=who, is_tried=False)
        if people and is_hub_store(here.settings.store):
            with closing(store.private()) as private:
                erased_owner(private, people, done[0].pseudonym)
    click.echo("\n".join(f"erased in {output.harmless(one.repo)}" for one in done))
    _say_left(path)


def _say_left(path: Path | None) -> None:
    """Clear the store's file, and say where words may be still."""
    for left in admin.scrub(path) if path else (_POSTGRES_LEFT,):
        click.echo(f"not erased: {output.harmless(left)}", err=True)


def _erased(
    store: Store, people: Sequence[str], repo: str, note: str, *, who: str, is_tried: bool
) -> tuple[Erased, ...]:
    if people:
        return erased_person(store, people, who=who, is_tried=is_tried)
    if note:
        return erased_note(store, note, who=who, is_tried=is_tried)
    meant = Checkout(identity=named_identity(repo), others=earlier_identities(repo))
    return erased_repo(store, RepoService(store).id_of(meant), who=who, is_tried=is_tried)


def _told(planned: Sequence[Erased]) -> list[str]:
    counts = {one.repo: [counted(rows, noun.replace("_", " ")) for noun, rows in one.rows.items()] for one in planned}
    return [f"{output.harmless(repo)}: {', '.join(listed) or 'nothing'}" for repo, listed in counts.items()]
