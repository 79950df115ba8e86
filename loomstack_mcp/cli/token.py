"""`token`: who may come into a hub; made on its machine, or through it by those who may."""

import json
import os

import click

from loomstack_mcp.adapters.client_shell import client_variable
from loomstack_mcp.adapters.hub_tokens import hub_token
from loomstack_mcp.adapters.settings import hub_of
from loomstack_mcp.adapters.user import hub_origin, principal
from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json, limit
from loomstack_mcp.cli.people import configuring, private
from loomstack_mcp.cli.spans import Span
from loomstack_mcp.core.errors import Invalid, Unauthorized
from loomstack_mcp.core.permits import HUB_ROLES, HubRole
from loomstack_mcp.core.phrases import Body, age, ahead
from loomstack_mcp.core.tokens import Principal, Token
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

_ASKING_URL = "CLAUDE_CODE_MCP_SERVER_URL"
"""Whose header Claude Code asks a helper for (run on 2.1.330): an entry of a repository may name any server."""


@click.group()
def token() -> None:
    """Tokens of a hub: whom it lets in, to do what, in which repositories."""


@configuring
@token.command()
@click.option("--for", "owner", default="", metavar="NAME", help="Whom it stands for. Of a run: who started it.")
@click.option("--role", type=click.Choice(HUB_ROLES), help="viewer reads, agent works, developer decides, too.")
@click.option("--repo", "repos", multiple=True, metavar="PATTERN", help="github.com/acme/*, repeatable; else every.")
@click.option("--expires", "ttl_ms", type=Span(), default="90d", show_default=True, help="8h, 90d, at most 366d.")
@click.option("--run", "run_id", default="", help="That run's own, for as long as its lease.")
@click.pass_obj
def create(here: Here, owner: str, role: HubRole | None, repos: tuple[str, ...], ttl_ms: int, run_id: str) -> None:
    """Make a token and print it, this once: only a hash of it is kept."""
    if not run_id and not (owner and role):
        raise Invalid("say --for whom it is and their --role, or --run RUN")
    if run_id and (repos or role not in (None, "agent")):
        raise Invalid("--run RUN is that run's own: an agent's, in its repository; leave out --role and --repo")
    with open_loom(here.any_settings) as loom:
        owner = owner or loom.runs.details(run_id).run.principal
        made = loom.tokens.create(_by(), owner=owner, role=role or "agent", repos=repos, ttl_ms=ttl_ms, run_id=run_id)
    click.echo(made.text)
    kept = made.token
    until = f"the lease of {run_id}" if run_id else f"{ahead(kept.expires_at_ms - kept.created_at_ms)} have passed"
    if not run_id and kept.expires_at_ms - kept.created_at_ms < ttl_ms:
        until += ", the longest that you may give"
    what = f"{kept.id} of {kept.principal}, {kept.role} in {', '.join(kept.repos)}, until {until}"
    click.echo(f"{output.harmless(what)}. It is shown this once; `token revoke {kept.id}` ends it.", err=True)


@configuring
@token.command("list")
@as_json
@click.pass_obj
def list_tokens(here: Here, as_json: bool) -> None:
    """List tokens, newest first, with their last use: an admin sees everybody's."""
    with open_loom(here.any_settings) as loom:
        found, now_ms = loom.tokens.listed(_by())
    shown = (_shown(one, now_ms=now_ms) for one in found)
    output.print_rows(shown, as_json=as_json, empty="no token was made yet")


@configuring
@token.command()
@click.argument("id")
@click.pass_obj
def revoke(here: Here, id: str) -> None:  # noqa: A002 it is called so
    """End the token ID at once, wherever it is."""
    with open_loom(here.any_settings) as loom:
        ended = loom.tokens.revoke(_by(), id)
    click.echo(f"{ended.id} of {output.harmless(ended.principal)} opens nothing any more.")


@configuring
@token.command()
@limit
@as_json
@click.pass_obj
def log(here: Here, limit: int, as_json: bool) -> None:
    """List uses of power and what was refused, newest first: an admin sees everybody's."""
    with open_loom(here.any_settings) as loom:
        found, now_ms = loom.tokens.powers(_by(), limit=limit)
    shown = (
        {
            "age": age(now_ms - one.at_ms),
            "verdict": one.verdict,
            "times": one.count,
            "what": one.what,
            "who": one.who,
            "token": one.token_id,
            "about": one.about,
        }
        for one in found
    )
    output.print_rows(shown, as_json=as_json, empty="nothing was done that takes a token of power")


@configuring
@token.command("map")
@click.argument("subject")
@click.argument("name")
@click.option("--repo", "repos", multiple=True, metavar="PATTERN", help="What it opens; else what its tokens say.")
@click.pass_obj
def map_subject(here: Here, subject: str, name: str, repos: tuple[str, ...]) -> None:
    """Have SUBJECT of an identity provider, as ISSUER|SUB, go by NAME here."""
    with open_loom(here.any_settings) as loom:
        made = loom.tokens.map_subject(_by(), subject, owner=name, repos=repos)
    click.echo(f"{output.harmless(made.subject)} is {output.harmless(made.principal)} from now on.")


def _by() -> Principal:
    """Whoever types on the hub's machine may read its database anyway. A hub puts its token's owner in the place."""
    return Principal(name=principal(), role="admin")


def _shown(one: Token, *, now_ms: int) -> Body:
    ends = "expired" if one.expires_at_ms <= now_ms else f"in {ahead(one.expires_at_ms - now_ms)}"
    return {
        "id": one.id,
        "for": one.principal,
        "role": one.role,
        "repos": " ".join(one.repos),
        "run": one.run_id,
        "expires": ends if one.revoked_at_ms is None else one.revoked_text,
        "used": f"{age(now_ms - one.used_at_ms)} ago" if one.used_at_ms else "never",
        "by": one.created_by,
    }


@private
@token.command()
@click.pass_obj
def header(here: Here) -> None:
    """Print the header that shows your token to your hub, as JSON: for `headersHelper` of Claude Code."""
    settings = here.own_settings
    hub = hub_of(settings)
    asking = os.environ.get(_ASKING_URL, "")
    is_told = bool(asking) or not client_variable(os.environ)
    if hub and (not is_told or (asking and hub_origin("/".join(asking.split("/", 3)[:3])) != hub)):
        raise Unauthorized(
            f"{asking[:200] or 'a server at no URL'} is not your hub {hub}, to which alone your token goes"
        )
    kept = hub_token(settings.home, hub, os.environ).get("token") if hub else ""
    if not kept:
        raise Unauthorized("no hub is your store here; run `loomstack-mcp init --hub URL` in a terminal of your own")
    click.echo(json.dumps({"Authorization": f"Bearer {kept}"}))
