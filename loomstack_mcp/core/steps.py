"""Steps: what an agent does next, as hooks remember it from before until after."""

from loomstack_mcp.core.records import record


@record
class BegunLine:
    """A shell line that runs."""

    folder: str
    """The top of the worktree that it runs in."""
    began_at_ms: int
    """By the wall clock, as files have their times."""
    head: str
    """What HEAD was."""


@record
class Judging:
    """The settings and rules by which an agent's steps in a worktree are judged."""

    folder: str
    """The top of the worktree."""
    stamp: str
    """Of all the files that decide them."""
    is_plain: bool = False
    """Whether no rule looks at calls of tools, and none but the built-in ones at shell lines."""
    patterns: tuple[str, ...] | None = None
    """Of the files that rules on edits are about; None where these may be any."""
