"""`demo --ui`: the story of the shop with a rule, a question to a person and a deploy, slowly, beside its dashboard."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import click

from loomstack_mcp.adapters.settings import Settings
from loomstack_mcp.adapters.user import principal
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
    write_file,
)
from loomstack_mcp.core.errors import StoreUnavailable
from loomstack_mcp.core.policy.approvals import Approver
from loomstack_mcp.loom import open_loom

_RULES = """version: 1
policy: shop
rules:
  - id: prices-need-a-person
    why: what customers pay changes on a person's word alone
    effect: require_approval
    on: [push, land]
    who: {kind: [loop, agent]}
    where: {paths: ["/shop/**"]}
    approve: {by: ["role:developer"], not_maker: false}
    fix: wait for a person's answer
  - id: no-new-dependencies
    why: the shop runs on Python alone
    effect: deny
    on: [edit, commit, push, land]
    who: {kind: [loop, agent]}
    where: {paths: ["/requirements*.txt"]}
    fix: do it with the standard library
"""
_NET = CODE.replace("price + price * TAX_PERCENT // 100", "price")
_LINE = "shop/tax.py:7"
_LINK = re.compile(r"http://\S+")
_GOODBYE_S = 10
_Asks = Callable[..., Awaitable[dict[str, Any]]]
_TURN_S = 20
"""A place in a queue is kept by who asks again within a minute."""
_ANSWER_S, _LOOK_S = 45.0, 0.5
"""So long the story waits for whoever watches to answer its question, and between two looks for that."""


def play_watched(folder: Path, *, pause_s: float) -> None:
    """Play the story with `pause_s` between its steps, then serve its dashboard until Ctrl-C."""
    team: Team = {name: {"LOOMSTACK_HOME": str(folder / "home")} for name in ("ana", "bea")}
    origin = made_shop(folder, {"policies/shop.yaml": _RULES})
    yours = cloned_shop(origin, folder / "yours", "main")
    with _dashboard(yours, team) as link:
        click.echo(f"The dashboard: {link}")
        click.echo("Open it now: the story goes on while you look, and waits for you once.")
        with contextlib.suppress(KeyboardInterrupt):
            anyio.run(_Story(folder, origin, team, link=link, pause_s=pause_s).told)


class _Story:
    """What happens, to its end; then nothing more, but sessions that stay at work."""

    def __init__(self, folder: Path, origin: Path, team: Team, *, link: str, pause_s: float) -> None:
        self._folder, self._origin, self._team, self._link, self._pause_s = folder, origin, team, link, pause_s
        home = team["ana"]["LOOMSTACK_HOME"]
        self._settings = Settings(home=home, store=f"sqlite:///{home}/loom.db")

    async def told(self) -> None:
        """Tell it all."""
        async with contextlib.AsyncExitStack() as open_sessions:
            await self._pause()
            await self._prices_become_net()
            await self._night(open_sessions)
            holds, waits = await self._left_at_work(open_sessions)
            await self._goodbye()
            while True:  # so that each stays as it is for as long as somebody looks
                await holds(is_told=False)
                await waits(is_told=False, wait_seconds=_TURN_S)
                await anyio.sleep(_TURN_S / 2)

    async def _prices_become_net(self) -> None:
        say("Bea's refactoring loop makes all prices net, and starts with the test.")
        tree = cloned_shop(self._origin, self._folder / "bea", "loop/net-prices")
        async with self._session(tree, "bea") as bea:
            made = await bea("start_run", loop="refactor", goal="all prices are net", paths=["shop/", "tests/"])
            intent = "prices become net: 100 stays 100"
            await bea("claim_paths", paths=["shop/tax.py", "tests/test_tax.py"], intent=intent)
            write_file(tree / "tests/test_tax.py", TEST.replace("120", "100"))
            first = land_commit(tree, "Expect net prices")
            why = "total() returns net prices from now on; the code follows. The red test is on purpose."
            await bea("share_context", kind="intent", text=why, paths=["shop/tax.py", "tests/test_tax.py"])
            async with anyio.create_task_group() as tasks:
                bea_is_done = anyio.Event()
                tasks.start_soon(self._triage, bea_is_done)
                await self._pause(3)
                write_file(tree / "shop/tax.py", _NET)
                commit_all(tree, "Return net prices")
                second = git_output(tree, "rev-parse", "HEAD")
                await self._checked(made["run"], tree, second)
                await self._let_through(bea)
                git_output(tree, "push", "--quiet", "origin", "HEAD:main")
                commits = [first[:SHA_SHOWN], second[:SHA_SHOWN]]
                await bea("record_outcome", status="done", summary="prices are net", commits=commits)
                bea_is_done.set()
        self._deploy(second)
        await self._pause()

    async def _triage(self, bea_is_done: anyio.Event) -> None:
        """Ana's loop, which finds the test red, queues for it, and has nothing left to do."""
        say("Ana's triage loop finds a red test on the trunk. She is told whose it is, and refused; she queues.")
        tree = cloned_shop(self._origin, self._folder / "ana", "loop/triage")
        async with self._session(tree, "ana") as ana:
            await ana("start_run", loop="triage", goal="make the trunk green", paths=["tests/"])
            await ana("claim_paths", paths=["README.md"], intent="explain how to run the tests")
            wanted = {"paths": ["tests/test_tax.py"], "intent": "fix the red test"}
            while not (await ana("claim_paths", told_after=bea_is_done, wait_seconds=30, **wanted)).get("granted"):
                await anyio.sleep(_LOOK_S)
            git_output(tree, "pull", "--quiet", "--ff-only", "origin", "main")
            await self._pause()
            await ana("record_outcome", status="done", summary="green without a change", checks={"passed": 1})

    async def _checked(self, run: str, tree: Path, sha: str) -> None:
        say("A second agent, which cannot be the same, runs the tests on that commit.")
        async with self._session(tree, "ana") as checker:
            await checker("start_run", loop="review", goal="the tests pass on the commit", checks_run=run)
            await self._pause()
            counts = {"role": "checker", "status": "passed", "checks": {"passed": 1, "failed": 0}}
            await checker("record_outcome", summary="the suite is green", commits=[sha], **counts)
            await checker("record_outcome", status="done", summary="checked")

    async def _let_through(self, bea: Any) -> None:
        say("Before it lands, the rules ask for a person: prices change on a person's word alone.")
        asked = await bea("check_policy", action="push")
        if not (approval := asked.get("approval", "")):
            return
        page = self._link.partition("#")[0]
        click.echo(f"  It waits in the inbox, {page}inbox: sign in there and answer, or let the demo do it.")
        if not await self._answered(approval):
            await self._answer(approval)
        await bea("check_policy", action="push")

    async def _answered(self, approval: str) -> bool:
        """Whether somebody who watches said yes in time; without a terminal there is nobody."""
        with anyio.move_on_after(_ANSWER_S if sys.stdin.isatty() and self._pause_s else 0):
            while True:
                with open_loom(self._settings) as loom:
                    found, _ = loom.approvals.approval(approval)
                if found.state == "granted":
                    return True
                if found.state != "asked":
                    return False
                await anyio.sleep(_LOOK_S)
        return False

    async def _answer(self, approval: str) -> None:
        with open_loom(self._settings) as loom:
            found, _ = loom.approvals.approval(approval)
            if found.state == "asked":
                you = Approver(name=principal(), roles=("developer",))
                loom.approvals.answer(approval, you, "granted", why="agreed with the shop's owner")
                click.echo("  Nobody answered, so the demo says yes for you.")

    def _deploy(self, sha: str) -> None:
        say("It lands, and CI deploys it.")
        git_output(self._folder / "yours", "pull", "--quiet", "--ff-only", "origin", "main")
        self._command("deploy", "record", "--env", "production", "--sha", sha, "--id", "build-512")

    async def _night(self, sessions: contextlib.AsyncExitStack) -> None:
        say("At night a cleanup loop, from a copy of last week, puts the old test back. Git has nothing against it.")
        tree = cloned_shop(self._origin, self._folder / "night", "loop/cleanup")
        write_file(tree / "tests/test_tax.py", TEST)
        night = await sessions.enter_async_context(self._session(tree, "ana"))
        await night("start_run", loop="cleanup", goal="tidy the tests", paths=["tests/"])
        await night("check_policy", action="edit", paths=["requirements-dev.txt"])
        await night("claim_paths", paths=["tests/test_tax.py"], intent="tests without leftovers")
        commit_all(tree, "Tidy the tests")
        await night("check_conflicts")

    async def _left_at_work(self, sessions: contextlib.AsyncExitStack) -> tuple[_Asks, _Asks]:
        """What holds, and what waits, asks again and again."""
        say("In the morning one loop holds the shop, one waits for it, and one question waits for you.")
        bea_tree = cloned_shop(self._origin, self._folder / "bea-again", "loop/rounding")
        bea = await sessions.enter_async_context(self._session(bea_tree, "bea"))
        await bea("start_run", loop="refactor", goal="amounts are rounded once", paths=["shop/"])
        holds = partial(bea, "claim_paths", paths=["shop/**"], intent="rounding moves to one place")
        await holds()
        write_file(bea_tree / "shop/tax.py", _NET.replace("return price", "return round(price)"))
        commit_all(bea_tree, "Round once")
        await bea("check_policy", action="push")
        docs_tree = cloned_shop(self._origin, self._folder / "docs", "loop/docs")
        docs = await sessions.enter_async_context(self._session(docs_tree, "ana"))
        await docs("start_run", loop="docs", goal="the README tells what net means", paths=["README.md", "docs/"])
        await docs("claim_paths", paths=["README.md", "docs/**"], intent="a chapter about net prices")
        waits = partial(docs, "claim_paths", paths=["shop/tax.py"], intent="a docstring of total()")
        await waits(wait_seconds=1)
        return holds, waits

    async def _goodbye(self) -> None:
        page = self._link.partition("#")[0]
        say(f"Which loop made {_LINE} in production, why, and who let it through?")
        self._command("trace", _LINE)
        say(f"The same on one screen: {page}trace/{_LINE}")
        click.echo("The dashboard goes on until Ctrl-C; then all of this is gone.")
        sys.stdout.flush()

    def _command(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "loomstack_mcp", *arguments]
        click.echo(f"  $ loomstack-mcp {' '.join(arguments)}")
        click.echo(program_output(command, self._folder / "yours", self._team["ana"]))

    async def _pause(self, times: float = 1) -> None:
        sys.stdout.flush()
        await anyio.sleep(times * self._pause_s)

    @asynccontextmanager
    async def _session(self, tree: Path, name: str) -> AsyncIterator[Any]:
        """A session that takes its time before each call."""
        async with client_session(tree, name, self._team) as call:

            async def slowly(tool: str, **arguments: Any) -> dict[str, Any]:
                await self._pause()
                answer: dict[str, Any] = await call(tool, **arguments)
                return answer

            yield slowly


@contextmanager
def _dashboard(clone: Path, team: Team) -> Iterator[str]:
    """The link of a dashboard of the shop. Its codes are shown in our terminal. Raises StoreUnavailable."""
    command = [sys.executable, "-m", "loomstack_mcp", "ui", "--port", "0"]
    environment = {**os.environ, **team["ana"]}
    with ExitStack() as made:
        process = made.enter_context(
            subprocess.Popen(command, cwd=clone, env=environment, stdout=subprocess.PIPE, text=True)
        )
        made.callback(_ended, process)
        assert process.stdout
        if not (found := _LINK.search(process.stdout.readline())):
            raise StoreUnavailable("the dashboard of the demo did not start")
        yield found[0]


def _ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_GOODBYE_S)
    except subprocess.TimeoutExpired:
        process.kill()
