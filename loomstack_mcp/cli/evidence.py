"""`evidence add`: what CI or a person found out about a commit, for rules that ask for it."""

import sys

import click

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json
from loomstack_mcp.cli.people import configuring
from loomstack_mcp.core.errors import NotFound, Unauthorized
from loomstack_mcp.core.policy.rules import EvidenceKind
from loomstack_mcp.edge.approver import approver_here, attester_here
from loomstack_mcp.edge.clones import must_be_clone_of_meant
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom


@click.group()
def evidence() -> None:
    """Tell what was found out about commits."""


@configuring
@evidence.command()
@click.option("--kind", type=click.Choice(["tests", "review", "build", "scan"]), required=True)
@click.option("--commit", default="HEAD", show_default=True, help="Exactly this commit: a later one has none of it.")
@click.option("--failed", is_flag=True, help="It failed: that counts as none, and takes back what BY said before.")
@click.option("--link", default="", help="Where the result is to be read.")
@click.option("--by", default="", help="Who found it out, as the trunk's own workflow knows them; default: you.")
@as_json
@click.pass_obj
def add(here: Here, kind: EvidenceKind, commit: str, failed: bool, link: str, by: str, as_json: bool) -> None:
    """Say that the tests, a review, a build or a scan of a commit passed, as CI or as a person."""
    if not by and not sys.stdin.isatty():
        raise Unauthorized("nobody says who found it out, and there is no terminal; pass --by NAME")
    with here.repository() as repo:
        sha = repo.commit(commit)
    if not sha:
        raise NotFound(f"{commit[:100]} is no commit here; fetch it, or name another with --commit")
    with open_loom(here.settings) as loom:
        who = attester_here(here, by) if by else approver_here(here, loom, principal()).name
        checkout = must_be_clone_of_meant(here, loom).checkout()
        drawn, fact = loom.evidence.add(checkout, sha, kind, passed=not failed, who=who, link=link)
    if by and fact.by != who:
        click.echo(output.harmless(f"over a hub it is the word of the token's owner: {fact.by}, not {by}"), err=True)
    shown = {"evidence": drawn, "kind": kind, "passed": fact.passed, "commit": sha, "by": fact.by, "link": link}
    output.print_record(shown, as_json=as_json)
