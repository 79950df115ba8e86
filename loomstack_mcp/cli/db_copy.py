"""`db copy`: what one store knows goes into another."""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from tempfile import TemporaryDirectory

import click

from loomstack_mcp.adapters.user import SQLITE, principal
from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.people import configuring
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.core.repos import ORG
from loomstack_mcp.loom import is_there, open_store
from loomstack_mcp.services.copying import CopyWish, RepoCopy, copied_repo
from loomstack_mcp.services.ledger_keys import one_key
from loomstack_mcp.services.repos import RepoService
from loomstack_mcp.store.base import Store


@configuring
@click.command(name="copy")
@click.argument("source")
@click.argument("target")
@click.option("--as", "renamed", multiple=True, metavar="OLD=NEW", help="What a person is called there; repeatable.")
@click.option("--org", is_flag=True, help="The organisation's notes come along, too.")
@click.option("--dry-run", is_flag=True, help="Say what would be copied, and write nothing.")
@as_json
def copy_store(source: str, target: str, renamed: tuple[str, ...], org: bool, dry_run: bool, as_json: bool) -> None:
    """Copy what SOURCE knows into TARGET, each `sqlite:///PATH` or `postgresql://…`; SOURCE stays as it is.

    A repository arrives whole or not at all, is counted and compared, and is not copied twice: after an interruption
    run it again. Without new names for people, say --as OLD=NEW, they keep theirs.
    """
    names = _names(renamed)
    if source.removeprefix(SQLITE) == target.removeprefix(SQLITE):
        raise Invalid("SOURCE and TARGET are one store; name another target")
    if not is_there(source):
        raise NotFound(f"there is no store at {source.removeprefix(SQLITE)}; `loomstack-mcp db path` tells yours")
    with TemporaryDirectory() as folder, closing(open_store(source, is_read=True)) as out:
        is_new = dry_run and not is_there(target)  # so that a try makes no file, an empty store stands for it
        with closing(open_store(f"{SQLITE}{folder}/new.db" if is_new else target)) as into:
            has_ledger = one_key(out, into, is_tried=dry_run)
            wish = CopyWish(who=principal(), names=names, has_ledger=has_ledger, is_tried=dry_run)
            done = _copied(out, into, wish, org=org)
    output.print_rows((_shown(one) for one in done), as_json=as_json, empty="the source knows no repository yet")
    for line in _told(done, wish):
        click.echo(line, err=True)


def _copied(out: Store, into: Store, wish: CopyWish, *, org: bool) -> list[RepoCopy]:
    ids = [repo_id for repo_id in RepoService(out).ids() if org or repo_id != ORG]
    done = []
    for at, repo_id in enumerate(ids, start=1):
        if sys.stderr.isatty():
            click.echo(f"{at} of {len(ids)}: {output.harmless(repo_id)}", err=True)
        done.append(copied_repo(out, into, repo_id, wish, told=_show_rows))
        output.passing("")
    return done


def _show_rows(number: int) -> None:
    output.passing(f"… {counted(number, 'row')}")


def _names(renamed: Sequence[str]) -> dict[str, str]:
    """Old names with the new ones. Raises click.UsageError."""
    names = {}
    for one in renamed:
        old, equals, new = one.partition("=")
        if not (old and equals and new):
            raise click.UsageError(f"--as {one}: say OLD=NEW, such as --as ana=ana@example.com")
        names[old] = new
    return names


def _shown(one: RepoCopy) -> dict[str, object]:
    return {name: value for name, value in asdict(one).items() if name != "has_ledger"}


def _told(done: Sequence[RepoCopy], wish: CopyWish) -> list[str]:
    """What does not stand in the rows."""
    said = ["nothing was written: this was a dry run"] if wish.is_tried else []
    if left := [one for one in done if not (one.has_ledger or one.before)]:
        said.append(
            f"{counted(len(left), 'ledger')} left behind, as lines are hashed with another key there: until a session "
            "of a clone fills it again, conflicts with what landed before are not checked, and the answers say so"
        )
    if joined := [one.into for one in done if one.is_joined and not one.before]:
        said.append(f"live runs are not live in what was known there already: {', '.join(joined)}")
    return said
