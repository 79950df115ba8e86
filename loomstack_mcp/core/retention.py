"""What a store has to keep however old it is, and what goes once it is older than somebody wants to keep it."""

from collections.abc import Iterable
from typing import Literal

from loomstack_mcp.core.records import record

KeptReason = Literal["live", "recent", "held", "conflict", "made", "approval", "stopped", "many"]
"""Why what belongs together stays: somebody is at work on it, or was not long ago; it holds paths; it is in a conflict
that is open, or with what landed; it made commits, which `trace` answers for; people were asked about it; a person
ended it; or it is more than one removal may look at."""

TOGETHER_MAX = 500
"""Runs that belong together: a session's with those of its sub-agents, and whoever checks them."""

KEPT_EVENTS = frozenset(
    {
        *("approval.asked", "approval.answered", "approval.used", "approval.expired", "claim.revoked", "run.stranded"),
        *(
            "deploy.recorded",
            "power.granted",
            "power.refused",
            "erased",
            "events.pruned",
            "repo.joined",
            "repo.copied",
            "ledger.emptied",
        ),
    }
)
"""What people did, allowed or were told, and what became of the store itself: an audit asks for it years later."""


@record
class RunTies:
    """What of a run decides whether it is still needed."""

    id: str
    is_live: bool
    touched_at_ms: int
    """When it was last at work; of a run that was given up, when it was last seen."""
    holds: bool
    """Whether a claim of it has not ended."""
    is_in_conflict: bool
    """Whether a conflict of it is open, or somebody would have taken back what it made."""
    made: bool
    """Whether a commit is known as its own, or may still be known again by its content."""
    was_asked: bool
    """Whether people were asked about something it wanted to do."""
    was_stopped: bool
    """Whether a person ended it, or a claim of it."""


def why_kept(together: Iterable[RunTies], /, *, before_ms: int) -> KeptReason | Literal[""]:
    """Why runs that belong together stay as they are; "" where nobody needs what they left.

    What one of them needs, all of them keep: a run that landed stays with those who checked it.
    """
    found: set[KeptReason] = set()
    for number, run in enumerate(together, start=1):
        found.update(reason for reason, holds in _reasons(run, before_ms) if holds)
        if number > TOGETHER_MAX:
            found.add("many")
    return next((reason for reason in _ORDER if reason in found), "")


def is_event_kept(kind: str, /, *, at_ms: int, before_ms: int, is_of_live_run: bool, is_first: bool) -> bool:
    """Whether an event stays in the log. With its first one a log is told from every other when it is copied."""
    return is_first or is_of_live_run or at_ms >= before_ms or kind in KEPT_EVENTS


def is_decision_kept(*, decided_at_ms: int, before_ms: int, was_asked: bool, actions: Iterable[str]) -> bool:
    """Whether a decision of no run stays: one that people were asked about, or that let through what went out."""
    return decided_at_ms >= before_ms or was_asked or not {*actions}.isdisjoint(_LASTING_ACTIONS)


def _reasons(run: RunTies, before_ms: int) -> Iterable[tuple[KeptReason, bool]]:
    return (
        ("live", run.is_live),
        ("recent", run.touched_at_ms >= before_ms),
        ("held", run.holds),
        ("conflict", run.is_in_conflict),
        ("made", run.made),
        ("approval", run.was_asked),
        ("stopped", run.was_stopped),
    )


_ORDER: tuple[KeptReason, ...] = ("live", "recent", "held", "conflict", "made", "approval", "stopped", "many")
_LASTING_ACTIONS = frozenset({"land", "deploy"})
