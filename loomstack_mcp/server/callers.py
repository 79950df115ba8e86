"""Who is calling: from the system and the client, never from what a model writes."""

import functools
import os
from collections.abc import Mapping
from typing import Any

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.runs import PROCESS_SESSION, Caller


def caller_of(meta: Mapping[str, Any], *, over_http: bool = False) -> Caller:
    """The caller of one tool call, by the `_meta` of its request.

    Codex names the session and the thread in each call's `_meta`. Claude Code names the session in
    the server's environment, and each call but not the agent that makes it, which only its hooks are
    told: until a hook's word is found, the agent is not certain. Over HTTP the
    environment is not the caller's, and without a session the principal alone is known.
    """
    thread, session = _text(meta, "threadId"), _text(meta, "sessionId")
    if thread or session:
        turn = meta.get("x-codex-turn-metadata")
        parent = _text(turn, "parent_thread_id") if isinstance(turn, dict) else ""
        root = session or thread
        return Caller(
            principal=principal(),
            session=f"codex:{root}",
            agent="" if thread in ("", root) else thread,
            parent_agent="" if parent == root else parent,
        )
    if over_http:  # which serves many sessions: whose this is, no client but Codex says
        return Caller(principal=principal(), certain=False)
    session = os.environ.get("CLAUDE_CODE_SESSION_ID", "")[:_ID_CHARS_MAX]
    if session:
        return Caller(principal=principal(), session=f"claude:{session}", certain=not tool_use_of(meta))
    return Caller(principal=principal(), session=_process())


def tool_use_of(meta: Mapping[str, Any]) -> str:
    """The id of the call, as Claude Code's hooks know it; "" for other clients."""
    return _text(meta, "claudecode/toolUseId")


@functools.cache
def _process() -> str:
    """The session of a client that names none: one server process serves one client."""
    return f"{PROCESS_SESSION}{os.getpid()}-{os.urandom(4).hex()}"


def _text(meta: Any, name: str) -> str:
    value = meta.get(name)
    return value[:_ID_CHARS_MAX] if isinstance(value, str) else ""


_ID_CHARS_MAX = 200
