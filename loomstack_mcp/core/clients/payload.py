"""What an agent is about to do, as a hook is told before it happens, and the replies that it may print."""

from collections.abc import Mapping

from loomstack_mcp.core.errors import Invalid

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from typing import Literal

    from loomstack_mcp.core.policy.rules import Answer  # every record of a rule, for a hook that asks none

OUR_TOOLS = "mcp__loomstack__"

Payload = Mapping[str, object]
"""The JSON object on a hook's stdin. Nothing in it is certain to be there, or of the right kind."""


class Action:
    """An agent's next step, in the words of no client. A record spelled out, for `dataclasses` costs a hook 8 ms."""

    def __init__(
        self,
        *,
        session: str,
        cwd: str,
        paths: tuple[str, ...],
        kind: 'Literal["edit", "command", "tool"]' = "tool",
        command: str = "",
        tool: str = "",
        agent: str = "",
        tool_use: str = "",
    ) -> None:
        self.session = session
        self.cwd = cwd
        self.paths = paths
        """What an edit would write, as the client names it; empty where the step is no edit."""
        self.kind = kind
        self.command = command
        """The shell line of a command."""
        self.tool = tool
        """The tool's name, as the client has it (`Edit`, `mcp__github__create_issue`)."""
        self.agent = agent
        """The sub-agent that acts; "" for the session itself."""
        self.tool_use = tool_use
        """The id of this call, by which the server meets it again."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Action) and vars(self) == vars(other)

    @property
    def is_ours(self) -> bool:
        """Whether it calls a tool of our server."""
        return self.tool.startswith(OUR_TOOLS)


def text(payload: Payload, name: str, /) -> str:
    """A field that should be text; "" where it is not, or holds what no file name and no store can."""
    value = payload.get(name)
    return value if isinstance(value, str) and _is_plain(value) else ""


def fields(payload: Payload, name: str, /) -> Payload:
    """A field that should be an object; empty where it is not."""
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def usable(what: str, value: str, /) -> str:
    """A path or a line that the system can take. Raises Invalid where there is none."""
    if not value or not _is_plain(value):
        raise Invalid(f"the client sent no {what} that can be read; name it in plain text")
    return value


def _is_plain(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def refusal(reason: str, /, *, decision: 'Literal["deny", "ask"]' = "deny") -> Payload:
    """The reply that stops the step; both clients show the model the reason (run on both, 2026-11)."""
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": decision,
            "permissionDecisionReason": reason,
        }
    }


def advice(reason: str, /, *, event: str = "PreToolUse") -> Payload:
    """The reply that lets the step go on and tells the model what to mind."""
    return {"hookSpecificOutput": {"hookEventName": event, "additionalContext": reason}}


def remark(reason: str, /) -> Payload:
    """The reply that lets the step go on and tells the person at the screen why it was not judged."""
    return {"systemMessage": reason}


def replied(answer: "Answer", reason: str, /, *, can_ask: bool) -> Payload | None:
    """The reply to an answer of the policy; None, which is to say nothing, where it allows.

    Where the client cannot ask, what needs an approval is refused: silence is no.
    """
    if answer in {"deny", "require_approval"}:
        return refusal(reason, decision="ask" if can_ask and answer == "require_approval" else "deny")
    return advice(reason) if answer == "warn" else None
