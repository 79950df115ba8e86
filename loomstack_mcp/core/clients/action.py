"""What an agent is about to do, as a hook is told before it happens."""

from collections.abc import Mapping
from dataclasses import dataclass

Payload = Mapping[str, object]
"""The JSON object on a hook's stdin. Nothing in it is certain to be there, or of the right kind."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """An agent's next step, in the words of no client."""

    session: str
    cwd: str
    paths: tuple[str, ...]
    """What it would write, as the client names it; empty where the step writes no file that can be told."""


def text(payload: Payload, name: str, /) -> str:
    """A field that should be text; "" where it is not."""
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def fields(payload: Payload, name: str, /) -> Payload:
    """A field that should be an object; empty where it is not."""
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def refusal(reason: str, /) -> Payload:
    """The reply that stops the step; both clients show the model the reason (facts: run on both, 2026-11)."""
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": reason,
        }
    }


def remark(reason: str, /) -> Payload:
    """The reply that lets the step go on and tells the person at the screen why it was not judged."""
    return {"systemMessage": reason}
