"""A session's own run: how it is called, and which of its ends it comes back from."""

from loomstack_mcp.core.runs import Run

SESSION_ENDED = "session ended"
"""The status of a session's run that ended with it; the same session may come back to it."""

_LETTERS = 8


def session_words(session: str, /) -> tuple[str, str]:
    """A session's client, and the letters by which people tell it from others.

    Codex's ids begin with the time (UUID version 7, RFC 9562), which two sessions that start together share; so the
    last letters are taken there.
    """
    client, _, name = session.partition(":")
    return client, name[-_LETTERS:] if client == "codex" else name[:_LETTERS]


def session_loop(session: str, agent: str, /) -> str:
    """The loop of a session's run: one for each agent of each session, for no two of them may pass for one."""
    client, letters = session_words(session)
    return "-".join((client, letters, *([agent[-_LETTERS:]] if agent else [])))


def session_goal(session: str, agent: str, *, branch: str) -> str:
    """What a session's run is for, without a word of anybody's prompt."""
    client, letters = session_words(session)
    whose = f"sub-agent {agent[-_LETTERS:]} of session" if agent else "session"
    return f"{whose} {letters} of {client}" + (f" in {branch}" if branch else "")


def is_resumable(run: Run, /) -> bool:
    """Whether a session's run goes on when the session does: not where an agent recorded what came of it."""
    return run.state != "ended" or run.status == SESSION_ENDED
