"""`datasette`: a configuration with which Datasette shows the public views of a store, and nothing else of it."""

import os
import shlex
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import yaml

from loomstack_mcp.adapters.settings import postgres_url, sqlite_path
from loomstack_mcp.cli.people import private
from loomstack_mcp.core.errors import Invalid, StoreUnavailable
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_store
from loomstack_mcp.store.sqlite import admin

_TEMPLATE = Path(__file__).with_name("datasette.yml")
_VERSION_S = 20
_MARK = "# Written by `loomstack-mcp datasette`, which writes it anew."
_SETTINGS = "--setting sql_time_limit_ms 3000 --setting facet_time_limit_ms 1000"
"""On a year's store some answers take longer than the second that Datasette gives them."""


class _Blocks(yaml.SafeDumper):
    """Writes a text of several lines as such, and what stands twice twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 yaml calls it so
        return True


_Blocks.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


@private
@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to; default: beside the store.")
@click.pass_obj
def datasette(here: Here, out: Path | None) -> None:
    """Write a configuration for Datasette, of either major version, and print the command that opens it.

    It shows the views of `help views` with facets and ready questions. Tables are closed, and so is SQL of one's own.
    """
    if postgres_url(here.settings):
        raise StoreUnavailable(
            "Datasette reads SQLite files, and the store here is a database; `db copy` makes a file of it"
        )
    file = sqlite_path(here.settings)
    target = out or file.with_name("datasette.yaml")
    _write(target, _configuration(file))
    click.echo(f"{target} is written.")
    installed = _installed()
    if not installed:
        click.echo("Datasette is not installed here (pip install datasette). Before version 1.0, and from it on:")
    for option in ("-m", "-c") if not installed else ("-m" if installed.startswith("0.") else "-c",):
        click.echo(f"  datasette {shlex.quote(str(file))} {option} {shlex.quote(str(target))} {_SETTINGS}")
    click.echo("It sees at once what loops write. Run this again after an update of LoomStack: that closes new tables.")


def _installed() -> str:
    """The version of Datasette on the path; "" where there is none."""
    program = shutil.which("datasette")
    if not program:
        return ""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_VERSION_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip().rpartition(" ")[2]


def _configuration(file: Path) -> str:
    """What is shipped, for the store of this name and the tables that it has."""
    if file.is_file():
        with closing(open_store(str(file))) as store, store.read():  # one of an older version is brought up to date
            pass
    made: dict[str, Any] = yaml.safe_load(_TEMPLATE.read_text("utf-8"))
    of_store = made["databases"].pop("store")
    of_store["tables"] |= {name: {"allow": False, "hidden": True} for name in admin.table_names(file)}
    made["databases"][file.stem] = of_store
    written = yaml.dump(made, Dumper=_Blocks, sort_keys=False, width=1000, allow_unicode=True)
    return f"{_MARK}\n{written}"


def _write(target: Path, text: str) -> None:
    """In one piece. Raises Invalid where something else is there, or nothing can be written."""
    try:
        if target.exists() and not target.read_text("utf-8", "replace").startswith(_MARK):
            raise Invalid(f"{target} was written by somebody else; choose another name with --out")
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        raise Invalid(f"cannot write {target}: {error.strerror}; choose another name with --out") from None
