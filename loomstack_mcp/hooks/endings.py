"""A session, or a sub-agent of it, ends, and its run with it. Nothing of git is needed for that."""

from dataclasses import replace

from loomstack_mcp.adapters.settings import load_settings
from loomstack_mcp.adapters.system import session_process
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.clients.payload import Payload
from loomstack_mcp.core.clients.steps import SessionStep, session_step
from loomstack_mcp.core.limits import CALL_GATE_WAIT_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.quick import open_quick


def agent_ended(client: str, payload: Payload) -> None:
    """What a sub-agent did besides what it asked for is over: its files are free for who sent it. Nothing is said."""
    step = session_step(client, payload)
    if step.agent:
        _end(step)


def session_ended(client: str, payload: Payload) -> None:
    """The same of a whole session, its sub-agents included."""
    _end(replace(session_step(client, payload), agent=""))


def _end(step: SessionStep) -> None:
    if step.session:
        # What is not ended now stays held against others for minutes, so that this is worth a wait.
        with open_quick(load_settings({}), gate_wait_ms=CALL_GATE_WAIT_MS) as quick:
            if quick:
                quick.sessions.end(caller_of_step(step))


def caller_of_step(step: SessionStep, /) -> Caller:
    """Who it is that the client speaks of, with the process of its session."""
    return Caller(
        principal=principal(),
        session=step.session,
        agent=step.agent,
        process=session_process(step.session),
        folder=step.cwd,
    )
