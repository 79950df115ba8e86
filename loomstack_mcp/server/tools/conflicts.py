"""check_conflicts."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from typing_extensions import TypedDict

from loomstack_mcp.core.phrases import lean
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.views import conflict_shown
from loomstack_mcp.server import answers
from loomstack_mcp.server.face import Face
from loomstack_mcp.services.conflicts import ConflictResult

_CONFLICTS_MAX = 8


class ConflictAnswer(TypedDict, total=False):
    verdict: str
    conflicts: answers.Items
    more: int
    checked: dict[str, Any]
    unchecked: list[str]
    alerts: answers.Items


class ConflictTools:
    """What asks before a change lands."""

    def __init__(self, face: Face) -> None:
        self._face = face

    async def check_conflicts(
        self, *, run: str = "", base: str = "", ctx: Context[Any, Any]
    ) -> Annotated[CallToolResult, ConflictAnswer]:
        """Before you land (merge, push, pull request): what your branch and worktree would take back or
        undo of what others landed, also where git sees no conflict. stop: do not land, do what each
        conflict says. base: default the trunk."""

        def check(caller: Caller) -> ConflictResult:
            return self._face.loom.conflicts.check_run(caller, run, self._face.proposal(base))

        return answers.answer(conflict_answer(await self._face.call(ctx, check)))


def conflict_answer(result: ConflictResult) -> ConflictAnswer:
    """The verdict, with as many conflicts as a model needs to act."""
    shown = result.conflicts[:_CONFLICTS_MAX]
    bodies = [dict(lean(conflict_shown(one, target=result.target, now_ms=result.now_ms))) for one in shown]
    answer: ConflictAnswer = {
        "verdict": result.verdict,
        "conflicts": bodies,
        "checked": {"against": result.target, "changes": result.changes, "ms": result.ms},
        "unchecked": list(result.unchecked),
        "alerts": answers.alert_items(result.alerts),
    }
    if more := len(result.conflicts) - len(shown):
        answer["more"] = more
    return answer
