"""`deploy`: what was brought to an environment, told by CI or a person, and listed."""

from datetime import datetime

import click

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.cli import output
from loomstack_mcp.cli.lists import as_json, limit
from loomstack_mcp.cli.people import configuring, open_to_all
from loomstack_mcp.core.deploys import DeployDraft, deploy_shown
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.edge.clones import clone_of_meant, must_be_clone_of_meant
from loomstack_mcp.edge.deploys import deployed_commit, recorded_deploy, take_in_tags
from loomstack_mcp.edge.here import Here
from loomstack_mcp.loom import open_loom

_SECONDS_MAX = 253_402_300_799
"""The end of the year 9999."""


@click.group()
def deploy() -> None:
    """Tell what was deployed, and list it: a change is then traced to where it runs."""


class Instant(click.ParamType[int]):
    """An instant, as ISO 8601 writes it, or in seconds since 1970."""

    name = "TIME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        try:
            seconds = float(value) if value.replace(".", "", 1).isdigit() else datetime.fromisoformat(value).timestamp()
            return max(1, round(min(seconds, _SECONDS_MAX) * SECOND_MS))
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value[:40]!r} is no time: write 2026-11-29T14:02:00Z", param, ctx)


@configuring
@deploy.command()
@click.option("--env", "environment", required=True, help="Where it was deployed: production, staging …")
@click.option("--sha", default="HEAD", show_default=True, help="The commit that was deployed.")
@click.option("--id", "called", default="", help="What CI calls this deploy; recorded twice it is the same one.")
@click.option("--at", "at_ms", type=Instant(), default=None, help="When, as 2026-11-29T14:02:00Z; default: now.")
@click.option("--by", default="", help="Who deployed it; default: you.")
@as_json
@click.pass_obj
def record(here: Here, environment: str, sha: str, called: str, at_ms: int | None, by: str, as_json: bool) -> None:
    """Say that a commit was deployed. It covers what came since the last deploy of that environment."""
    with here.repository() as repo, open_loom(here.settings, is_told=True) as loom:
        checkout = must_be_clone_of_meant(here, loom).checkout()
        draft = DeployDraft(
            environment=environment,
            sha=deployed_commit(repo, sha),
            called=called,
            kind="first",
            at_ms=at_ms or 0,
        )
        kept = recorded_deploy(loom, repo, checkout, draft, who=by or principal())
    assert kept.deploy
    now_ms = max(kept.deploy.recorded_at_ms, kept.deploy.deployed_at_ms)
    output.print_record(deploy_shown(kept.deploy, now_ms=now_ms, full=as_json), as_json=as_json)


@open_to_all
@deploy.command(name="list")
@click.option("--env", "environment", default="", help="Only those to this environment.")
@limit
@as_json
@click.pass_obj
def list_deploys(here: Here, environment: str, limit: int, as_json: bool) -> None:
    """List deploys, newest first."""
    with open_loom(here.settings) as loom:
        if clone := clone_of_meant(here, loom):  # with --repo it may be another repository's list
            with clone.repository() as repo:
                for gap in take_in_tags(loom, repo, clone.checkout(), clone.settings.deploy_tags, who=principal()):
                    click.echo(f"Not taken in: {output.harmless(gap)}.", err=True)
        repo_id = loom.repos.id_of((clone or here).checkout())
        found, now_ms = loom.deploys.latest(repo_id, environment=environment, limit=limit)
    shown = (deploy_shown(one, now_ms=now_ms, full=as_json) for one in found)
    output.print_rows(shown, as_json=as_json, empty="nothing was deployed yet, as far as `deploy record` was told")
