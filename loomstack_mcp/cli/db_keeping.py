"""Keep a store and get it back: copies of a hub with its tokens and key, `db restore`, and `db rotate-keys`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import click

from loomstack_mcp.adapters.settings import Settings, postgres_url, sqlite_path
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.cli.people import configuring
from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import is_hub_store, open_store
from loomstack_mcp.services.ledger_keys import rotated_key
from loomstack_mcp.store.sqlite import admin


def kept_copy(settings: Settings, file: Path) -> Iterator[Path]:
    """Write a copy of the store, and of what a hub keeps to itself; yields what was written. Never overwrites."""
    if url := postgres_url(settings):
        _refuse_taken(file)
        _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={file}")
        file.chmod(0o600)
        yield file
        return
    path = sqlite_path(settings)
    pairs = [(path, file)]
    if is_hub_store(settings.store):
        pairs.append((_beside(path), _beside(file)))
    for _, target in pairs:
        _refuse_taken(target)
    for source, target in pairs:
        admin.back_up(source, target, is_private=source != path)
        yield target


@configuring
@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def restore(here: Here, file: Path) -> None:
    """Make the store out of FILE, which `db backup` wrote, where there is none; stop the hub first.

    What was held and recorded after the backup is not known any more: let nobody go on as if it were.
    """
    settings = here.settings
    if url := postgres_url(settings):
        # In one transaction: all of it, or nothing; into a database that has none of these tables.
        _run(url, "pg_restore", "--single-transaction", "--no-owner", "--exit-on-error", str(file))
        click.echo(f"restored from {file}")
        return
    path = sqlite_path(settings)
    pairs = [(file, path)]
    if _beside(file).exists():
        pairs.append((_beside(file), _beside(path)))
    for _, target in pairs:
        _refuse_taken(target)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for source, target in reversed(pairs):  # the store last: without it nobody finds what lies beside
        admin.back_up(source, target, is_private=source != file)
        click.echo(f"{target}: restored from {source}")


@configuring
@click.command(name="rotate-keys")
@click.pass_obj
def rotate_keys(here: Here) -> None:
    """Hash lines with a new key; stop the hub first. The ledgers are emptied, and filled again by sessions of clones.

    Meanwhile conflicts with what landed before are not checked, and the answers say so.
    """
    settings = here.settings
    with closing(open_store(settings.store)) as store:
        emptied = rotated_key(store, who=principal())
    click.echo(
        f"a new key; {counted(len(emptied), 'ledger')} emptied: until a session of a clone fills it again, conflicts "
        "with what landed before are not checked, and the answers say so"
    )


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}-private{path.suffix}")


def _refuse_taken(target: Path) -> None:
    if target.exists():
        raise Invalid(f"{target} is there already; nothing is overwritten: move it away, or name another")


def _run(url: str, *command: str) -> None:
    """A program of PostgreSQL's. Raises Invalid with what it says. No command line shows the password of the URL."""
    parts = urlsplit(url)
    open_url = urlunsplit(parts._replace(netloc=_without_password(parts.netloc)))
    secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    environment = {**os.environ, **secret, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [*command, f"--dbname={open_url}"], capture_output=True, text=True, check=False, env=environment
        )
    except FileNotFoundError:
        raise Invalid(f"there is no {command[0]} here: it comes with PostgreSQL's client programs") from None
    if done.returncode:
        first, *more = done.stderr.strip().splitlines() or ["it said nothing"]
        said = "; ".join([first, *(line for line in more if "detail:" in line)])
        for word in command:
            if word.startswith("--file="):
                Path(word.removeprefix("--file=")).unlink(missing_ok=True)
        raise Invalid(f"{command[0]} failed: {said}")


def _without_password(place: str) -> str:
    who, at, host = place.rpartition("@")
    return f"{who.partition(':')[0]}{at}{host}"
