"""`db`: where the store is, whether it is sound, copies of it, and questions to it."""

import importlib.util
import math
import time
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from loomstack_mcp.adapters.settings import POSTGRES_NEEDED, postgres_url, sqlite_path, store_shown
from loomstack_mcp.cli import output
from loomstack_mcp.cli.db_copy import copy_store
from loomstack_mcp.cli.db_keeping import kept_copy, restore, rotate_keys
from loomstack_mcp.cli.db_prune import prune, tidy
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.people import private
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.phrases import counted
from loomstack_mcp.edge.here import Here
from loomstack_mcp.store.sqlite import admin

_QUERY_SECONDS_MAX = 10


@private
@click.group()
def db() -> None:
    """Look after the store."""


db.add_command(copy_store)
db.add_command(restore)
db.add_command(rotate_keys)
db.add_command(prune)
db.add_command(tidy)


@db.command()
@click.pass_obj
def path(here: Here) -> None:
    """Print where the store is."""
    click.echo(store_shown(here.settings))


@db.command()
@as_json
@click.pass_obj
def check(here: Here, as_json: bool) -> int:
    """Read the whole file, or all rows that refer to others; exit 1 where something is wrong."""
    if url := postgres_url(here.settings):
        health = _database().check_database(url)
    else:
        health = admin.check(sqlite_path(here.settings))
    output.print_record(asdict(health), as_json=as_json)
    return 0 if health.ok else 1


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(here: Here, file: Path) -> None:
    """Write one consistent copy to FILE, while sessions go on; of a hub, its tokens and key beside it.

    Of PostgreSQL, with its own pg_dump: FILE is then in its custom format.
    """
    for written in kept_copy(here.settings, file):
        click.echo(f"{written}: {counted(written.stat().st_size, 'byte')}")


@db.command()
@click.argument("folder", type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def export(here: Here, folder: Path, as_json: bool) -> None:
    """Write the five public views, notes, outcomes and events to FOLDER, as JSON lines."""
    if url := postgres_url(here.settings):
        counts = _database().export_database(url, folder)
    else:
        counts = admin.export(sqlite_path(here.settings), folder)
    output.print_record(counts, as_json=as_json)


@db.command()
@click.argument("sql")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 1_000_000), help="Rows at most.")
@as_json
@click.pass_obj
def query(here: Here, sql: str, limit: int, as_json: bool) -> None:
    """Run one SELECT, read-only: `db query "SELECT * FROM v_claims"`.

    The views: v_live, v_runs, v_claims, v_decisions, v_approvals, v_conflicts, v_trace, v_loop_health, v_usage.
    """
    until = time.monotonic() + _QUERY_SECONDS_MAX
    if url := postgres_url(here.settings):
        rows, more = _database().query_database(url, sql, limit=limit, seconds=_QUERY_SECONDS_MAX)
    else:
        file = sqlite_path(here.settings)
        rows, more = admin.query(file, sql, limit=limit, may_go_on=lambda: time.monotonic() < until)
    shown = ({name: _speakable(value) for name, value in row.items()} for row in rows)
    output.print_rows(shown, as_json=as_json, empty="no rows")
    if more:
        click.echo(f"only the first {counted(limit, 'row')}; --limit shows more", err=True)


def _database() -> "ModuleType":
    if importlib.util.find_spec("psycopg") is None:
        raise StoreUnavailable(POSTGRES_NEEDED)
    from loomstack_mcp.store.postgres import admin as of_database  # psycopg is some 200 ms, and an extra

    return of_database


def _speakable(value: Any) -> Any:
    """A value of SQLite's as JSON knows it: bytes in hexadecimal, and no infinity."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
