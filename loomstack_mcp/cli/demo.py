"""`demo`: two real servers, one real repository, and the story of two loops that meet on one test."""

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
import click

from loomstack_mcp.cli.demo_session import SHA_SHOWN, Team, client_session, say
from loomstack_mcp.cli.demo_shop import (
    CODE,
    TEST,
    cloned_shop,
    commit_all,
    git_output,
    land_commit,
    made_shop,
    program_output,
    test_report,
    write_file,
)
from loomstack_mcp.cli.people import open_to_all


@open_to_all
@click.command()
@click.option("--keep", is_flag=True, help="Keep the repository and the store, and say where they are.")
@click.option("--hub", is_flag=True, help="On two hosts: a hub of two replicas over a PostgreSQL of its own.")
@click.option("--ui", is_flag=True, help="Slowly, beside its dashboard, which goes on until Ctrl-C.")
@click.option("--pause", default=2.5, hidden=True, type=click.FloatRange(0, 60), help="Seconds between two steps.")
def demo(keep: bool, hub: bool, ui: bool, pause: float) -> None:
    """Play two loops that meet: real servers, real git, a real store; no model, no network."""
    with contextlib.ExitStack() as made:
        temporary = tempfile.TemporaryDirectory(prefix="loomstack-demo-")
        folder = Path(tempfile.mkdtemp(prefix="loomstack-demo-") if keep else made.enter_context(temporary))
        if ui:
            if hub:
                raise click.UsageError("--ui plays on this machine alone: leave --hub away")
            from loomstack_mcp.cli.demo_watched import play_watched  # opens a store itself

            play_watched(folder, pause_s=pause)
            return
        team: Team = {name: {"LOOMSTACK_HOME": str(folder / "home")} for name in ("ana", "bea")}
        if hub:
            from loomstack_mcp.cli.demo_hub import team_of  # PostgreSQL, which is an extra

            team = made.enter_context(team_of(folder, *team))
            say("A hub of two replicas over one PostgreSQL. Ana and Bea have a host each, and nothing but a token:")
            for name, told in team.items():
                click.echo(f"  {name}: LOOMSTACK_STORE={told['LOOMSTACK_STORE']} LOOMSTACK_TOKEN=loom_…")
        _play(folder, team)


def _play(folder: Path, team: Team) -> None:
    origin = made_shop(folder)
    anyio.run(_story, folder, origin, team)
    click.echo("\nThe same store, as a person sees it (in Ana's clone, after it all):")
    events = [sys.executable, "-m", "loomstack_mcp", "events"]
    click.echo(program_output(events, folder / "ana", team["ana"]))


async def _story(folder: Path, origin: Path, team: Team) -> None:
    say("Yesterday, 17:40. Bea's refactoring loop makes all prices net, and starts with the test.")
    bea_tree = cloned_shop(origin, folder / "bea", "loop/net-prices")
    async with client_session(bea_tree, "bea", team) as bea:
        await bea("start_run", loop="refactor", goal="all prices are net", paths=["shop/", "tests/"])
        await bea(
            "claim_paths",
            paths=["shop/tax.py", "tests/test_tax.py"],
            intent="prices become net: 100 stays 100",
        )
        write_file(bea_tree / "tests/test_tax.py", TEST.replace("120", "100"))
        first = land_commit(bea_tree, "Expect net prices")
        why = "total() returns net prices from now on; the code follows tomorrow. The red test is on purpose."
        await bea("share_context", kind="intent", text=why, paths=["tests/test_tax.py"])

        say("This morning, 06:00. Ana's triage loop, in a clone of its own, finds a red test on the trunk.")
        ana_tree = cloned_shop(origin, folder / "ana", "loop/triage")
        click.echo(f"  $ python -m unittest   {test_report(ana_tree)}")
        async with client_session(ana_tree, "ana", team) as ana:
            await ana("start_run", loop="triage", goal="make the trunk green", paths=["tests/"])
            say("She is told before her first edit. If she tries all the same:")
            await ana("claim_paths", paths=["tests/test_tax.py"], intent="fix the red test")
            say("So she works elsewhere, and queues for the test. Bea's loop finishes meanwhile.")
            await ana("claim_paths", paths=["README.md"], intent="explain how to run the tests")
            bea_is_done = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_queue, ana, bea_is_done)
                await anyio.sleep(1)
                write_file(bea_tree / "shop/tax.py", CODE.replace("price + price * TAX_PERCENT // 100", "price"))
                sha = land_commit(bea_tree, "Return net prices")
                commits = [first[:SHA_SHOWN], sha[:SHA_SHOWN]]
                done = {"status": "done", "summary": "prices are net", "commits": commits, "checks": {"passed": 1}}
                await bea("record_outcome", **done)
                bea_is_done.set()
            say("Ana is woken at once, takes up the trunk, and finds nothing left to fix.")
            git_output(ana_tree, "pull", "--quiet", "--ff-only", "origin", "main")
            click.echo(f"  $ python -m unittest   {test_report(ana_tree)}")
            await ana("record_outcome", status="done", summary="green without a change", checks={"passed": 1})

    say("At night Ana's cleanup loop, from a copy of last week, puts the old test back. Git has nothing against it:")
    night_tree = cloned_shop(origin, folder / "night", "loop/cleanup")
    write_file(night_tree / "tests/test_tax.py", TEST)
    commit_all(night_tree, "Tidy the tests")
    pulled = git_output(night_tree, "pull", "--no-rebase", "origin", "main")
    click.echo(f"  $ git pull origin main   {pulled}")
    say("LoomStack has, before it lands, although nobody holds the test any more:")
    async with client_session(night_tree, "ana", team) as night:
        await night("start_run", loop="cleanup", goal="tidy tests")
        await night("check_conflicts")
        await night("record_outcome", status="abandoned", summary="Bea changed this on purpose")


async def _queue(ana: Any, bea_is_done: anyio.Event) -> None:
    """Ana is woken as soon as the paths are free, often before Bea has her answer: the story tells that first."""
    wanted = {"paths": ["tests/test_tax.py"], "intent": "fix the red test", "wait_seconds": 30}
    await ana("claim_paths", told_after=bea_is_done, **wanted)
