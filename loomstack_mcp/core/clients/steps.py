"""The steps of a session, as both clients tell a hook of them: it starts, stops for an answer, and ends.

Run on Claude Code 2.1.330 and Codex 0.169.0, 2026-11: the fields bear the same names in both.
"""

from loomstack_mcp.core.clients.payload import Payload, text
from loomstack_mcp.core.records import record


@record
class SessionStep:
    """Which session it is, of which of its agents, and where that one stands."""

    session: str
    """As a caller's, with the client before it; "" where the client names none."""
    agent: str
    """A sub-agent; "" for the session's own agent."""
    cwd: str
    source: str
    """Why a session starts: `startup`, `resume`, `clear`, `compact`, and of Claude Code `fork`."""
    is_again: bool
    """Whether a turn ends that a hook has prolonged."""


def session_step(client: str, payload: Payload, /) -> SessionStep:
    """What the client says; a field that is absent, or of another kind, is empty."""
    session = text(payload, "session_id")
    return SessionStep(
        session=f"{client}:{session}" if session else "",
        agent=text(payload, "agent_id"),
        cwd=text(payload, "cwd"),
        source=text(payload, "source"),
        is_again=payload.get("stop_hook_active") is True,
    )
