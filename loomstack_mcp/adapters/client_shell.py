"""Whose shell this is, told by what a client sets for the commands that its agents run."""

from loomstack_mcp.adapters.user import principal

TYPE_CHECKING = False  # `typing` costs a hook 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loomstack_mcp.core.runs import Caller

_ID_CHARS_MAX = 200
_SET_BY_PEOPLE = frozenset({"CODEX_HOME"})
"""It says where a client keeps its files, not that one started this."""
_OF_CLIENTS = ("CLAUDECODE", "AI_AGENT", "CODEX_")
"""Variables of a client's environment, by their beginnings."""


def shell_agent(environment: "Mapping[str, str]", /) -> "tuple[str, str, bool] | None":
    """The session and the agent whose shell this is, and whether it is certain which agent; None for a person's.

    Codex names the session and the thread. Claude Code names the session alone, so that which of its agents it is stays
    uncertain (both run, Codex 0.169.0 and Claude Code 2.1.330). A client that names nothing has no session, "".
    """
    thread, root = (environment.get(name, "")[:_ID_CHARS_MAX] for name in ("CODEX_THREAD_ID", "CODEX_SESSION_ID"))
    if thread or root:  # started in a shell of Claude Code, Codex has that one's variables as well
        root = root or thread
        return f"codex:{root}", "" if thread in ("", root) else thread, True
    if session := environment.get("CLAUDE_CODE_SESSION_ID", "")[:_ID_CHARS_MAX]:
        return f"claude:{session}", "", False
    return ("", "", False) if client_variable(environment) else None


def shell_caller(environment: "Mapping[str, str]", /) -> "Caller | None":
    """The same, as services know callers."""
    from loomstack_mcp.core.runs import Caller  # dataclasses, which a hook in a hurry does without

    if (found := shell_agent(environment)) is None:
        return None
    session, agent, certain = found
    return Caller(principal=principal(), session=session, agent=agent, certain=certain)


def client_variable(environment: "Mapping[str, str]", /) -> str:
    """A variable by which a client says that it started this; "" where none is set."""
    return next((name for name in environment if name.startswith(_OF_CLIENTS) and name not in _SET_BY_PEOPLE), "")
