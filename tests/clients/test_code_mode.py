"""Agents where Codex's model writes code, as its newer models do: other tools start them and tell them more."""

from collections.abc import Callable

from tests.clients.drive_codex import js_call, run_codex
from tests.clients.script import Call, Moment, Script, Turn, call
from tests.clients.stories.codex_hands import Codex
from tests.clients.stories.hands import RUN, lane, read
from tests.clients.test_clients import PATH, Team, in_code, pytestmark, team
from tests.deadlines import seconds

__all__ = ["pytestmark", "team"]


def ours(name: str, **arguments: object) -> Call:
    return js_call(in_code([(name, arguments)]))


def asked(name: str, **arguments: object) -> Call:
    """One of the tools for sub-agents, which code mode calls without code."""
    return call(name, arguments, namespace="collaboration")


def with_run(made: Callable[..., Call], name: str, key: str, **arguments: object) -> Turn:
    """A call that names the run which the agent was told of last."""
    return lambda moment: made(name, **{key: read(RUN, moment)}, **arguments)


def own_run(moment: Moment) -> str:
    return read(RUN, moment)


def test_a_maker_keeps_its_run_and_is_told_what_another_agent_found(team: Team) -> None:
    waits = [asked("wait_agent", timeout_ms=round(seconds(20) * 1000)) for _ in range(3)]
    made = [ours("record_outcome", status="passed", summary=summary) for summary in ("made", "mended")]
    lead: list[Turn] = [
        asked("spawn_agent", task_name="make", agent_type="maker", message="make it"), waits[0],
        with_run(asked, "spawn_agent", "message", task_name="check", agent_type="checker"), waits[1],
        asked("followup_task", target="make", message="sent back"), waits[2], "done",
    ]  # fmt: skip
    maker: list[Turn] = [ours("start_run", loop="amounts", goal="read them"), made[0], own_run, made[1], "mended"]
    checker: list[Turn] = [
        with_run(ours, "start_run", "checks_run", loop="check", goal="read them"),
        ours("record_outcome", role="checker", status="failed", summary="no", checks={"passed": 2, "failed": 6}),
        "2/8 pass",
    ]
    hands = Codex(PATH)
    script = Script(lead, [lane(hands, "maker", maker), lane(hands, "checker", checker)])
    done = run_codex(script, cwd=team.shop, home=team.home, env=team.env, trust=True, path=PATH, model="gpt-6.1-sol")

    assert (done.rc, script.errors, script.overflow) == (0, [], [])
    assert '"action":"retry"' in done.results("checker")[-1].text
    assert '"alerts":[{"kind":"checked"' in done.results("maker")[-1].text
