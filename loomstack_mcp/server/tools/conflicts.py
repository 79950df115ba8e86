"""check_conflicts."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.face import Face
from loomstack_mcp.services.conflicts import ConflictResult


class ConflictTools:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def check_conflicts(
        self, *, run: str = "", base: str = "", ctx: Context[Any, Any]
    ) -> Annotated[CallToolResult, answers.ConflictAnswer]:
        """Before you land: what your branch and worktree would take back of what others landed, also where
        git sees no conflict. stop: do not land, do what each conflict says. base: default the trunk."""

        def check(caller: Caller) -> ConflictResult:
            return self._face.loom.conflicts.check_run(caller, run, self._face.proposal(base))

        return answers.answer(answers.checked(await self._face.call(ctx, check)))
