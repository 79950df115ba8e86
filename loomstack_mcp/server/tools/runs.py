"""start_run."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from typing_extensions import TypedDict

from loomstack_mcp.core.limits import BUDGET_TOKENS_DEFAULT
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.face import Face
from loomstack_mcp.services.runs import StartResult


class StartAnswer(TypedDict, total=False):
    run: str
    resumed: bool
    briefing: answers.BriefingAnswer
    warnings: answers.Items
    next: str
    alerts: answers.Items


class RunTools:
    """What starts runs."""

    def __init__(self, face: Face) -> None:
        self._face = face

    async def start_run(
        self,
        *,
        loop: str,
        goal: str,
        paths: list[str] | None = None,
        checks_run: str = "",
        finding: str = "",
        key: str = "",
        repo: str = "",
        branch: str = "",
        ctx: Context[Any, Any],
    ) -> Annotated[CallToolResult, StartAnswer]:
        """Start a run before other tools. loop: the lasting name of your automation or standing job
        (triage, refactor), not of the task; goal: the task. Returns a briefing: who works on these
        paths, what was decided. checks_run: the run this one checks. finding: the ticket or
        bug you work on. The same key returns the same run."""

        def start(caller: Caller) -> StartResult:
            here = self._face.standpoints.of(caller).seen
            checkout = self._face.looked_at(here, repo=repo, branch=branch)
            patterns = here.patterns(paths or [])
            return self._face.loom.runs.start(
                caller,
                checkout,
                loop=loop,
                goal=goal,
                patterns=patterns,
                beside=self._face.beside(patterns),
                checks_run=checks_run,
                finding=finding,
                key=key,
                rules=() if repo else self._face.known_rules(),
                stranded=() if repo else self._face.stranded(caller, loop=loop),
                budget_tokens=BUDGET_TOKENS_DEFAULT,
            )

        if not repo:
            await self._face.catch_up()
        return answers.answer(start_answer(await self._face.call(ctx, start)))


def start_answer(result: StartResult) -> StartAnswer:
    """The run, and what to know before the first edit."""
    return {
        "run": result.run.id,
        "resumed": result.resumed,
        "briefing": answers.briefing_answer(result.briefing),
        "warnings": answers.warning_items(result.warnings),
        "next": result.next,
        "alerts": answers.alert_items(result.alerts),
    }
