"""start_run."""

from typing import TypedDict

from loomstack_mcp.core.limits import BUDGET_TOKENS_DEFAULT
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.call import Call
from loomstack_mcp.server.tools.briefings import BriefingAnswer, briefing_answer
from loomstack_mcp.services.runs import StartResult


class StartAnswer(TypedDict, total=False):
    run: str
    resumed: bool
    briefing: BriefingAnswer
    warnings: answers.Items
    next: str
    alerts: answers.Items


def start_run(
    call: Call,
    *,
    loop: str,
    goal: str,
    paths: list[str] | None = None,
    checks_run: str = "",
    finding: str = "",
    key: str = "",
    repo: str = "",
    branch: str = "",
) -> StartAnswer:
    """Start a run before other tools. loop: the lasting name of your automation or standing job
    (triage, refactor), not of the task; goal: the task. Returns a briefing: who works on these
    paths, what was decided. checks_run: the run this one checks. finding: the ticket or
    bug you work on. The same key returns the same run."""
    face = call.face

    def start(caller: Caller) -> StartResult:
        here = face.standpoints.of(caller).seen
        checkout = face.looked_at(here, repo=repo, branch=branch)
        patterns = here.patterns(paths or [])
        return face.loom.runs.start(
            caller,
            checkout,
            loop=loop,
            goal=goal,
            patterns=patterns,
            beside=face.beside(patterns),
            checks_run=checks_run,
            finding=finding,
            key=key,
            rules=() if repo else face.known_rules(),
            stranded=() if repo else face.stranded(caller, loop=loop),
            budget_tokens=BUDGET_TOKENS_DEFAULT,
        )

    if not repo:
        face.catch_up()
    return start_answer(call.service(start))


def start_answer(result: StartResult) -> StartAnswer:
    """The run, and what to know before the first edit."""
    return {
        "run": result.run.id,
        "resumed": result.resumed,
        "briefing": briefing_answer(result.briefing),
        "warnings": answers.warning_items(result.warnings),
        "next": result.next,
        "alerts": answers.alert_items(result.alerts),
    }
