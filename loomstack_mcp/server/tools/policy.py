"""check_policy."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from typing_extensions import TypedDict

from loomstack_mcp.core.errors import PolicyError
from loomstack_mcp.core.policy.decision_views import reasons_shown
from loomstack_mcp.core.policy.rules import ActionKind
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.server import answers
from loomstack_mcp.server.face import Face
from loomstack_mcp.services.policy import PolicyResult

_HASH_CHARS = 19
_PROBLEMS_MAX = 5


class PolicyAnswer(TypedDict, total=False):
    effect: str
    decision: str
    reasons: answers.Items
    policy: str
    alerts: answers.Items


class PolicyTools:
    """What asks the team's rules."""

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
    ) -> Annotated[CallToolResult, PolicyAnswer]:
        """Ask what the team's rules say before you act: permission to edit, push, deploy. deny: do not;
        require_approval: ask a person first; each reason says what to do instead. target: branch,
        environment or tool."""

        def check(caller: Caller) -> PolicyResult | str:
            try:
                book = self._face.here.rules.book()
            except PolicyError as broken:  # early points advise; a final one refuses
                return str(broken)
            asked = self._face.here.rules.situation(action, paths or [], command=command, target=target, base=base)
            with asked as situation:
                return self._face.loom.policy.check(caller, run, book, situation)

        result = await self._face.call(ctx, check)
        return answers.answer(broken_answer(result) if isinstance(result, str) else policy_answer(result))


def policy_answer(result: PolicyResult) -> PolicyAnswer:
    """The effect, with every rule that has something to say."""
    decision = result.decision
    return {
        "effect": decision.answer,
        "decision": result.id,
        "reasons": reasons_shown(decision),
        "policy": decision.policy[:_HASH_CHARS],
        "alerts": answers.alert_items(result.alerts),
    }


def broken_answer(problems: str) -> PolicyAnswer:
    """A set that does not load: nothing lands with it, so that mending it comes first."""
    reason = {
        "rule": "policy_error",
        "effect": "warn",
        "why": "the rules do not load, and a final point refuses everything until they do",
        "matched": problems.split("\n")[:_PROBLEMS_MAX],
        "fix": "mend the files; loomstack-mcp policy check tells what is left",
    }
    return {"effect": "warn", "reasons": [reason]}
