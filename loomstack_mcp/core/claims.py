"""Claims: which held paths stand in the way of a request, and what a refusal advises."""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.patterns.globs import first_overlap
from loomstack_mcp.core.records import record

Mode = Literal["exclusive", "shared"]
ClaimOrigin = Literal["asked", "auto"]
"""Whether a run asked for a claim, or one of its agents merely edited the file."""


@record
class Claim:
    """A run's hold on path patterns, with an intent and a fencing token."""

    id: str
    repo_id: str
    run_id: str
    fence: int
    """The fencing token: grows with each grant in a repo."""
    mode: Mode
    intent: str
    patterns: tuple[str, ...]
    ttl_ms: int
    granted_at_ms: int
    expires_at_ms: int
    """The end of its run's lease; of an automatic one that of its own lease, where it is sooner."""
    loop: str = ""
    principal: str = ""
    origin: ClaimOrigin = "asked"
    worktree: str = ""
    """Where the file of an automatic one is edited."""
    ended_at_ms: int | None = None
    ended_how: Literal["", "released", "expired", "revoked"] = ""

    @property
    def who(self) -> str:
        """`loop@principal` of its run, as others read it."""
        return f"{self.loop}@{self.principal}"


@record
class Waiter:
    """A refused request. It keeps its place in the queue until `place_until_ms`."""

    id: str
    repo_id: str
    run_id: str
    seq: int
    mode: Mode
    intent: str
    patterns: tuple[str, ...]
    place_until_ms: int
    loop: str = ""
    principal: str = ""
    expires_at_ms: int = 0
    """The end of its run's lease."""


@record
class Blocker:
    """One claim, or one earlier waiter, in the way."""

    path: str
    """A path that both sides cover."""
    claim: str = ""
    """Empty for an earlier waiter."""
    run: str
    loop: str
    who: str
    intent: str
    until_ms: int
    origin: ClaimOrigin = "asked"
    worktree: str = ""
    """Where its holder edits the file, of an automatic claim."""


@record
class PathWarning:
    """What the holder of these paths should know: a live intent or warning of somebody else, or a change on purpose."""

    note: str = ""
    """Empty for a change that has landed."""
    commit: str = ""
    text: str
    who: str = ""
    age_ms: int | None = None
    """None, without a `who`, where it tells of more, or of what was not compared."""


@record
class ClaimResult:
    """A grant (`claim` is set), or a refusal (`blockers` are). Both are answers, not errors."""

    run: str
    repo_id: str
    claim: Claim | None = None
    warnings: tuple[PathWarning, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    blockers_more: int = 0
    position: int = 0
    """Place in the queue, from 1; 0 when not waiting."""
    instead: str = ""
    now_ms: int
    cursor: int = 0
    """The repo's sequence number, to wait for a change after it."""
    alerts: tuple[Alert, ...] = ()


@record
class ReleaseResult:
    """What ended, and which runs can now have what they were refused."""

    run: str
    released: tuple[str, ...]
    now_free_for: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()


def blockers(
    wanted: Claim | Waiter,
    held: Iterable[Claim | Waiter],
    /,
    *,
    lineage: Collection[str] = (),
    ignore_case: bool = False,
) -> tuple[Blocker, ...]:
    """Who of `held` forbids `wanted`, in the order given.

    `held` are live claims, and earlier waiters that still keep their place. Shared requests do not
    block one another; nor does anything of the run itself or of `lineage`, the runs it descends from.
    """
    return tuple(
        Blocker(
            path=witness,
            claim=other.id if isinstance(other, Claim) else "",
            run=other.run_id,
            loop=other.loop,
            who=other.principal,
            intent=other.intent,
            until_ms=other.expires_at_ms if isinstance(other, Claim) else other.place_until_ms,
            origin=other.origin if isinstance(other, Claim) else "asked",
            worktree=other.worktree if isinstance(other, Claim) else "",
        )
        for other in held
        if other.run_id != wanted.run_id
        and other.run_id not in lineage
        and "exclusive" in (wanted.mode, other.mode)
        and (witness := first_overlap(wanted.patterns, other.patterns, ignore_case=ignore_case))
    )


def instead(in_the_way: Sequence[Blocker], /, *, waited: bool) -> str:
    """What a refused run can usefully do now; never anything destructive."""
    holder = in_the_way[0]
    wait = "call again to keep your place" if waited else "wait_seconds=45 queues you"
    return f"Work on other paths; {wait}; share_context(to={holder.run}) reaches the holder."


def few_listed(patterns: Sequence[str], /) -> str:
    """A few patterns by name and the rest by number, for a sentence."""
    more = f" and {len(patterns) - 3} more" if len(patterns) > 3 else ""
    return ", ".join(patterns[:3]) + more
