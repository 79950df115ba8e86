"""check_policy."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.policy.rules import ActionKind
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.face import Face
from loomstack_mcp.services.policy import PolicyResult


class PolicyTools:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def check_policy(
        self,
        *,
        run: str = "",
        action: ActionKind,
        paths: list[str] | None = None,
        command: str = "",
        target: str = "",
        base: str = "",
        ctx: Context[Any, Any],
    ) -> Annotated[CallToolResult, answers.PolicyAnswer]:
        """Ask what the team's rules say before you act. deny: do not; require_approval: ask a person first;
        each reason says what to do instead. target: branch, environment or tool."""

        def check(caller: Caller) -> PolicyResult | str:
            try:
                book = self._face.rules().book()
            except PolicyError as broken:  # early points advise; a final one refuses
                return str(broken)
            asked = self._face.rules().situation(action, paths or [], command=command, target=target, base=base)
            with asked as situation:
                return self._face.loom.policy.check(caller, run, book, situation)

        result = await self._face.call(ctx, check)
        return answers.answer(answers.broken(result) if isinstance(result, str) else answers.decided(result))
