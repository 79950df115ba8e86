"""`demo`: two real servers, one real repository, and the story of two loops that meet on one test."""

import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import click

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
from loomstack_mcp.core.phrases import counted

Team = Mapping[str, Mapping[str, str]]
"""What the environment of each developer says."""
_SHORT = 10


@open_to_all
@click.command()
@click.option("--keep", is_flag=True, help="Keep the repository and the store, and say where they are.")
@click.option("--hub", is_flag=True, help="On two hosts: a hub of two replicas over a PostgreSQL of its own.")
def demo(keep: bool, hub: bool) -> None:
    """Play two loops that meet: real servers, real git, a real store; no model, no network."""
    with contextlib.ExitStack() as made:
        temporary = tempfile.TemporaryDirectory(prefix="loomstack-demo-")
        folder = Path(tempfile.mkdtemp(prefix="loomstack-demo-") if keep else made.enter_context(temporary))
        team: Team = {name: {"LOOMSTACK_HOME": str(folder / "home")} for name in ("ana", "bea")}
        if hub:
            from loomstack_mcp.cli.demo_hub import team_of  # PostgreSQL, which is an extra

            team = made.enter_context(team_of(folder, *team))
            _say("A hub of two replicas over one PostgreSQL. Ana and Bea have a host each, and nothing but a token:")
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
    _say("Yesterday, 17:40. Bea's refactoring loop makes all prices net, and starts with the test.")
    bea_tree = cloned_shop(origin, folder / "bea", "loop/net-prices")
    async with _session(bea_tree, "bea", team) as bea:
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

        _say("This morning, 06:00. Ana's triage loop, in a clone of its own, finds a red test on the trunk.")
        ana_tree = cloned_shop(origin, folder / "ana", "loop/triage")
        click.echo(f"  $ python -m unittest   {test_report(ana_tree)}")
        async with _session(ana_tree, "ana", team) as ana:
            await ana("start_run", loop="triage", goal="make the trunk green", paths=["tests/"])
            _say("She is told before her first edit. If she tries all the same:")
            await ana("claim_paths", paths=["tests/test_tax.py"], intent="fix the red test")
            _say("So she works elsewhere, and queues for the test. Bea's loop finishes meanwhile.")
            await ana("claim_paths", paths=["README.md"], intent="explain how to run the tests")
            bea_is_done = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_queue, ana, bea_is_done)
                await anyio.sleep(1)
                write_file(bea_tree / "shop/tax.py", CODE.replace("price + price * TAX_PERCENT // 100", "price"))
                sha = land_commit(bea_tree, "Return net prices")
                commits = [first[:_SHORT], sha[:_SHORT]]
                done = {"status": "done", "summary": "prices are net", "commits": commits, "checks": {"passed": 1}}
                await bea("record_outcome", **done)
                bea_is_done.set()
            _say("Ana is woken at once, takes up the trunk, and finds nothing left to fix.")
            git_output(ana_tree, "pull", "--quiet", "--ff-only", "origin", "main")
            click.echo(f"  $ python -m unittest   {test_report(ana_tree)}")
            await ana("record_outcome", status="done", summary="green without a change", checks={"passed": 1})

    _say("At night Ana's cleanup loop, from a copy of last week, puts the old test back. Git has nothing against it:")
    night_tree = cloned_shop(origin, folder / "night", "loop/cleanup")
    write_file(night_tree / "tests/test_tax.py", TEST)
    commit_all(night_tree, "Tidy the tests")
    pulled = git_output(night_tree, "pull", "--no-rebase", "origin", "main")
    click.echo(f"  $ git pull origin main   {pulled}")
    _say("LoomStack has, before it lands, although nobody holds the test any more:")
    async with _session(night_tree, "ana", team) as night:
        await night("start_run", loop="cleanup", goal="tidy tests")
        await night("check_conflicts")
        await night("record_outcome", status="abandoned", summary="Bea changed this on purpose")


async def _queue(ana: Any, bea_is_done: anyio.Event) -> None:
    """Ana is woken as soon as the paths are free, often before Bea has her answer: the story tells that first."""
    wanted = {"paths": ["tests/test_tax.py"], "intent": "fix the red test", "wait_seconds": 30}
    await ana("claim_paths", told_after=bea_is_done, **wanted)


@contextlib.asynccontextmanager
async def _session(clone: Path, name: str, team: Team) -> AsyncIterator[Any]:
    """A client of its own with a server of its own, as Claude Code and Codex start one."""
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters, get_default_environment

    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "loomstack_mcp", "serve"],
        cwd=clone,
        env={**get_default_environment(), **team[name]},
    )
    async with Client(started) as client:

        async def call(tool: str, *, told_after: anyio.Event | None = None, **arguments: Any) -> None:
            result = await client.call_tool(tool, arguments)
            if told_after:
                await told_after.wait()
            said = ", ".join(f"{key}={_short(value)}" for key, value in arguments.items())
            click.echo(f"  {click.style(name, bold=True)} {tool}({said})")
            for line in _lines(result.structured_content or {}):
                click.echo(f"      {line}")

        yield call


def _lines(answer: dict[str, Any]) -> list[str]:
    """The parts of an answer that tell the story."""
    briefing = answer.get("briefing", {})
    lines = [
        f"→ {note['who']}, {note['kind']} on {note['paths'][0]}: {note['text']}" for note in briefing.get("notes", [])
    ]
    lines += [
        f"→ {claim['who']} holds {', '.join(claim['paths'])}: {claim['intent']}" for claim in briefing.get("claims", [])
    ]
    if answer.get("granted"):
        lines.append(f"→ granted, fencing token {answer['fence']}, {counted(answer['expires_in_s'] // 60, 'minute')}")
    for blocker in answer.get("blockers", []):
        refused = click.style(f"→ refused: {blocker['loop']}@{blocker['who']} holds {blocker['path']}", fg="red")
        lines.append(f"{refused} ({blocker['intent']})")
        lines.append(f"→ {answer['instead']}")
    for conflict in answer.get("conflicts", []):
        verdict = click.style(f"→ {answer['verdict']}: takes back {conflict['commit'][:_SHORT]}", fg="red")
        lines.append(f"{verdict} of {conflict['who']} in {', '.join(conflict['paths'])}")
        lines.append(f"→ which was on purpose: {conflict['intent']}")
        lines.append(f"→ {conflict['do']}")
    if "next" in answer and isinstance(answer["next"], dict):
        lines.append(f"→ next: {answer['next']['action']}; released {', '.join(answer.get('released', ['nothing']))}")
    return lines


def _say(text: str) -> None:
    click.echo(f"\n{text}")


def _short(value: Any) -> str:
    text = ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
    return f"{text[:57]}…" if len(text) > 58 else text
