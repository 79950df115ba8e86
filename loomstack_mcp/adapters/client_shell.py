"""Whose shell this is, told by what a client sets for the commands that its agents run."""

from collections.abc import Mapping

from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.runs import Caller

_ID_CHARS_MAX = 200
_SET_BY_PEOPLE = frozenset({"CODEX_HOME"})
"""It says where a client keeps its files, not that one started this."""
_OF_CLIENTS = ("CLAUDECODE", "AI_AGENT", "CODEX_")
"""Variables of a client's environment, by their beginnings."""


def shell_caller(environment: Mapping[str, str], /) -> Caller | None:
    """The agent whose shell this is; None where no client says that one is, as for a person.

    Codex names the session and the thread. Claude Code names the session alone, so that which of its agents it is stays
    uncertain (both run, Codex 0.169.0 and Claude Code 2.1.330). A client that names nothing has no session.
    """
    thread, root = (environment.get(name, "")[:_ID_CHARS_MAX] for name in ("CODEX_THREAD_ID", "CODEX_SESSION_ID"))
    if thread or root:  # started in a shell of Claude Code, Codex has that one's variables as well
        root = root or thread
        agent = "" if thread in ("", root) else thread
        return Caller(principal=principal(), session=f"codex:{root}", agent=agent)
    if session := environment.get("CLAUDE_CODE_SESSION_ID", "")[:_ID_CHARS_MAX]:
        return Caller(principal=principal(), session=f"claude:{session}", certain=False)
    return Caller(principal=principal(), certain=False) if client_variable(environment) else None


def client_variable(environment: Mapping[str, str], /) -> str:
    """A variable by which a client says that it started this; "" where none is set."""
    return next((name for name in environment if name.startswith(_OF_CLIENTS) and name not in _SET_BY_PEOPLE), "")
