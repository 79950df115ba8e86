"""What an agent is about to do, as a hook is told before it happens, and the replies that it may print."""

from collections.abc import Mapping

from loomstack_mcp.core.errors import Invalid

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from typing import Literal

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
        arguments: "Payload | None" = None,
    ) -> None:
        self.session = session
        self.cwd = cwd
        self.paths = paths
        """What an edit, or another server's tool, would write, as the client names it; empty where it writes none."""
        self.kind = kind
        self.command = command
        """The shell line of a command."""
        self.tool = tool
        """The tool's name, as the client has it (`Edit`, `mcp__github__create_issue`)."""
        self.agent = agent
        """The sub-agent that acts; "" for the session itself."""
        self.tool_use = tool_use
        """The id of this call, by which the server meets it again."""
        self.arguments = arguments or {}
        """What the client calls the tool with: the text of an edit, too."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Action) and all(
            value == vars(other)[name] for name, value in vars(self).items() if name != "arguments"
        )

    @property
    def is_ours(self) -> bool:
        """Whether it calls a tool of our server."""
        return self.tool.startswith(OUR_TOOLS)


def text(payload: Payload, name: str, /) -> str:
    """A field that should be text; "" where it is not, or holds what no file name and no store can."""
    value = payload.get(name)
    return value if isinstance(value, str) and is_sound_text(value) else ""


def fields(payload: Payload, name: str, /) -> Payload:
    """A field that should be an object; empty where it is not."""
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def usable(what: str, value: str, /) -> str:
    """A path or a line that the system can take. Raises Invalid where there is none."""
    if not value or not is_sound_text(value):
        raise Invalid(f"the client sent no {what} that can be read; name it in plain text")
    return value


def patch_text(arguments: Payload, /) -> str:
    """The text of a patch, by each name that Codex has for it; "" where there is none."""
    return next((patch for name in ("command", "input", "patch") if (patch := text(arguments, name))), "")


def is_sound_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def refusal(reason: str, /) -> Payload:
    """The reply that stops the step; both clients show the model the reason (run on both, 2026-11).

    Also of what needs an approval, which is never asked of whoever sits at the screen: Codex runs a call that is
    answered with `ask`, and an answer there is of no person that a rule names, nor kept.
    """
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
        }
    }


def advice(reason: str, /, *, event: str = "PreToolUse") -> Payload:
    """The reply that lets the step go on and tells the model what to mind."""
    return {"hookSpecificOutput": {"hookEventName": event, "additionalContext": reason}}


def objection(reason: str, /) -> Payload:
    """The reply that keeps the model at its turn, which it would have ended; it reads the reason (run on both)."""
    return {"decision": "block", "reason": reason}


def remark(reason: str, /) -> Payload:
    """The reply that lets the step go on and tells the person at the screen, as why it was not judged."""
    return {"systemMessage": reason}
