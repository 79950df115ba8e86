"""Steps: what an agent does next, as hooks remember it from before until after."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BegunLine:
    """A shell line that runs."""

    folder: str
    """The top of the worktree that it runs in."""
    began_at_ms: int
    """By the wall clock, as files have their times."""
    head: str
    """What HEAD was."""
