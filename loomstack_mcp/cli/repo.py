"""`repo list`, `repo show` and `repo alias`: what a repository is called, and that two names are one."""

from dataclasses import asdict

import click

from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.people import deciding, open_to_all, person
from loomstack_mcp.core.repos import Checkout, earlier_identities, named_identity
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom


@click.group()
def repo() -> None:
    """What a repository is called."""


@open_to_all
@repo.command(name="list")
@as_json
@click.pass_obj
def listed(here: Here, as_json: bool) -> None:
    """List the repositories of the store with all their names."""
    with open_loom(here.settings) as loom:
        found = loom.repos.listed()
    shown = ({"repo": one.repo_id, "names": one.names, "clones": one.clones} for one in found)
    output.print_rows(shown, as_json=as_json, empty="no run was started yet, so no repository is known")


@open_to_all
@repo.command()
@as_json
@click.pass_obj
def show(here: Here, as_json: bool) -> None:
    """Show what the repository here is called, and how that was told."""
    checkout = here.checkout()
    with open_loom(here.settings) as loom:
        repo_id = loom.repos.id_of(checkout)
        names = next((one.names for one in loom.repos.listed() if one.repo_id == repo_id), ())
    shown = {"repo": repo_id, "identity": checkout.identity, "from": here.identity_source(), "names": names}
    output.print_record(shown, as_json=as_json)


@deciding
@repo.command()
@click.argument("name")
@click.argument("same_as", default="")
@as_json
@click.pass_obj
def alias(here: Here, name: str, same_as: str, as_json: bool) -> None:
    """NAME, a URL or a name, is SAME_AS, by default the repository here; what was kept under it comes along."""
    who = person()
    meant = (
        Checkout(identity=named_identity(same_as), others=earlier_identities(same_as)) if same_as else here.checkout()
    )
    with open_loom(here.settings) as loom:
        found = loom.repos.alias(meant, named_identity(name), who=who)
    output.print_record(asdict(found), as_json=as_json)
