"""`init --hub` and `uninstall --hub`: a person joins the team's hub, or leaves it; and what `doctor` says of it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from loomstack_mcp import __version__
from loomstack_mcp.adapters.hub_joining import join_hub, leave_hub
from loomstack_mcp.adapters.hub_tokens import hub_token
from loomstack_mcp.adapters.install.doctor import Check
from loomstack_mcp.adapters.settings import Settings, hub_of, load_settings
from loomstack_mcp.adapters.user import hub_origin, plain_hub
from loomstack_mcp.cli import output
from loomstack_mcp.core.clients.files.own_names import COMMAND, TOKEN_VARIABLE
from loomstack_mcp.core.errors import Invalid, LoomError, NotFound, Unauthorized
from loomstack_mcp.core.limits import DAY_MS
from loomstack_mcp.core.phrases import ahead
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.tokens import EVERY_REPO, Principal
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom
from loomstack_mcp.remote.line import HubAway, Line
from loomstack_mcp.remote.opening import line_to

_HELLO = "/api/hello"
_SOON_MS = 14 * DAY_MS
_TOKEN_BYTES_MAX = 8_000


def join_team_hub(here: Here, url: str, *, ca: str, dry_run: bool) -> None:
    """The hub is this person's store from now on, with a token that it knows. Raises what keeps it from being so."""
    _refuse_beside_hub("dry_run", "yes", "hub", "ca")
    origin = hub_origin(url)
    if not origin:
        raise Invalid(
            f"--hub is https://HOST[:PORT]{_perhaps(url)}; http:// only on this machine, for a token goes along"
        )
    home = here.own_settings.home
    ca = str(Path(ca).resolve()) if ca else ""
    token = _given_token(origin)
    try:
        told = _hello(Line(origin, token, home=home, ca=ca))
    except HubAway as error:
        if not error.why:
            raise
        look = "Look at the address, the network and the proxy, and ask its admin whether it runs"
        raise HubAway(f"{origin} does not answer ({error.why}); nothing was written. {look}") from None
    if dry_run:
        click.echo(output.harmless(f"{origin} would be your store, where you are {_who(told)}; nothing was written."))
        return
    join_hub(home, origin, token=token, ca=ca)
    click.echo(output.harmless(f"{origin} is your store now, where you are {_who(told)}."))
    click.echo(f"Sessions that start from now on meet there; `{COMMAND} uninstall --hub` leaves it.")
    click.echo(f"In each repository: `{COMMAND} init`, unless it is set up; `{COMMAND} doctor` says what is missing.")
    if (settings := load_settings(here.flags)).store != origin:
        click.echo(f"Here the {settings.origins['store']} says otherwise: the store is {settings.store}.", err=True)


def _perhaps(url: str) -> str:
    """Which origin an address may mean that is none: with a path, or without its scheme."""
    scheme, colon, place = url.strip().partition("://")
    origin = hub_origin(f"https://{(place if colon else scheme).partition('/')[0]}")
    return f", perhaps {origin}" if origin else ""


def leave_team_hub(here: Here, *, dry_run: bool) -> None:
    """The hub is no longer this person's store, and its token is gone from this machine."""
    _refuse_beside_hub("dry_run", "yes", "hub")
    home = here.own_settings.home
    origin = plain_hub({}, home) if dry_run else leave_hub(home)
    if origin and dry_run:
        click.echo(f"{origin} would be your store no longer, and its token gone from here; nothing was written.")
    elif origin:
        click.echo(f"{origin} is your store no longer, and its token is gone from here. To end it everywhere:")
        click.echo(f"{COMMAND} token revoke, where the hub runs.")
    else:
        click.echo("No hub is your store; nothing to change.")


def _refuse_beside_hub(*meant: str) -> None:
    """Raises Invalid for options of this command that mean something else than the hub: they would do nothing."""
    context = click.get_current_context()
    given = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if name not in meant and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]
    if given:
        raise Invalid(f"--hub is your own store, whatever the repository's files: leave out {', '.join(sorted(given))}")


def hub_checks(settings: Settings, checkout: Checkout | None) -> Iterator[Check]:
    """Whether the hub answers, who we are there, and whether that lasts; nothing where a file is the store."""
    hub = hub_of(settings)
    if not hub:
        return
    mend = f"{COMMAND} init --hub {hub}"
    if not hub_token(settings.home, hub, os.environ).get("token"):
        yield Check(check="hub", status="fail", found=f"no token for {hub} is kept here", mend=mend)
        return
    try:
        told = _hello(line_to(hub, settings.home))
    except Unauthorized as error:
        yield Check(check="hub", status="fail", found=str(error), mend=mend)
        return
    except LoomError as error:
        look = "look at its address, the network and the proxy; its admin at `loomstack-mcp serve --http`"
        yield Check(check="hub", status="fail", found=str(error), mend=look if isinstance(error, HubAway) else "")
        return
    version = str(told.get("version", "of no version"))
    differs = f"; this is {__version__}" if version != __version__ else ""
    yield Check(check="hub", status="ok", found=f"{hub}, {version}{differs}; you are {_who(told)}")
    yield from _repo_checks(settings, checkout, mend)
    yield from _expiry_checks(settings, str(told.get("token", "")), mend)


def _repo_checks(settings: Settings, checkout: Checkout | None, mend: str) -> Iterator[Check]:
    """Whether the token opens this repository."""
    try:
        with open_loom(settings) as loom:
            if checkout:
                loom.repos.id_of(checkout)
    except NotFound as error:
        found = str(error).partition("; ")[0]
        yield Check(check="hub token", status="fail", found=found, mend=f"ask for one that does; {mend} takes it")


def _expiry_checks(settings: Settings, token_id: str, mend: str) -> Iterator[Check]:
    """Whether the token ends soon, where its role may know that."""
    try:
        with open_loom(settings) as loom:
            listed, now_ms = loom.tokens.listed(Principal(name="", role="viewer"))
    except LoomError:
        return
    for each in listed:
        if each.id == token_id and each.expires_at_ms - now_ms < _SOON_MS:
            found = f"{token_id} ends in {ahead(each.expires_at_ms - now_ms)}"
            yield Check(check="hub token", status="warn", found=found, mend=f"ask for another one; {mend} takes it")


def _given_token(origin: str) -> str:
    """The token, from the environment, a terminal, or standard input; never from the command line, which others see."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token and sys.stdin.isatty():
        token = str(click.prompt(f"Token for {origin}", hide_input=True, err=True))
    elif not token:
        token = sys.stdin.read(_TOKEN_BYTES_MAX)
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Invalid(f"no token was given; set {TOKEN_VARIABLE}, or pass it on standard input")
    return token


def _hello(line: Line) -> dict[str, Any]:
    """What the hub says of itself and us. Raises also Invalid for another service."""
    told = line.hub_answer(_HELLO, None).get("answer")
    line.close()
    named = told if isinstance(told, dict) else {}
    if not isinstance(named.get("principal"), str) or not isinstance(named.get("version"), str):
        raise Invalid(f"what answers at {line.origin.text} is no hub of LoomStack; look at its address")
    return named


def _who(told: dict[str, Any]) -> str:
    repos = told.get("repos")
    where = ", ".join(map(str, repos)) if isinstance(repos, list) and repos != list(EVERY_REPO) else "every repository"
    return f"{told['principal']}, {told.get('role')} in {where}"
