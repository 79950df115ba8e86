"""Pauses: who switched LoomStack off, for a repository or one of its sessions, and until when."""

from collections.abc import Iterable

from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.records import record


@record
class Pause:
    """A time in which nothing is checked, claimed or recorded. It always ends by itself."""

    repo: str
    """The repository's identity."""
    session: str = ""
    """The client's session; empty for all of the repository."""
    run: str = ""
    """The run by which a person named that session."""
    who: str
    since_at_ms: int
    until_at_ms: int
    why: str = ""


def pauses_in_force(pauses: Iterable[Pause], repo: str, /, *, now_ms: int) -> tuple[Pause, ...]:
    """Those of that repository that have not ended."""
    return tuple(pause for pause in pauses if pause.repo == repo and pause.until_at_ms > now_ms)


def pause_shown(pause: Pause, /, *, now_ms: int) -> str:
    """Who paused what, since when, and for how much longer."""
    of = f" for {pause.run}'s session" if pause.session else ""
    why = f" ({pause.why})" if pause.why else ""
    since, left = age(now_ms - pause.since_at_ms), age(pause.until_at_ms - now_ms)
    return f"LoomStack is paused here{of} by {pause.who} since {since}, for {left} more{why}"
