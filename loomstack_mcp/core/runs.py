"""A run: one execution of a loop, who may act for it, and when its lease counts as lapsed or lost."""

from dataclasses import field, replace
from typing import Literal

from loomstack_mcp.core.limits import LOST_AFTER_SILENT_MS
from loomstack_mcp.core.records import record

PROCESS_SESSION = "process:"
"""How the session of a client begins that names none: whether several agents share it, nobody knows."""
FAR_PROCESS = "far:"
"""A session's process on another machine, whose hash under that machine's key follows: none that could be looked at."""
FAR_PROCESS_DIGITS = 16
FAR_LEFT = "far:left"
"""That of a run whose process there has ended."""

STOPPED = "stopped by "
"""How the status of a run begins that a person stopped: who, and why."""

RunState = Literal["live", "ended", "lost"]
RunOrigin = Literal["asked", "session"]
"""What a run is for: work that an agent asked for, or all that its session does besides."""


@record
class Caller:
    """Who calls. Never taken from what a model writes: from the token, the system and the client."""

    principal: str
    session: str = ""
    agent: str = ""
    """A sub-agent of the session; empty for the session's own agent, and where the client does not tell."""
    parent_agent: str = ""
    """Where the client says which agent started this one."""
    process: str = field(default="", compare=False)
    """The process of its session, as of a run; no part of who it is."""
    folder: str = ""
    """Where the client says that the caller stands; "" where it does not."""
    certain: bool = True
    """False where several agents may share this identity, so that "my newest run" is a guess."""


@record
class Run:
    """One execution of a loop. It holds the lease of all its claims."""

    id: str
    repo_id: str
    parent_id: str | None = None
    checks_run: str | None = None
    loop: str
    goal: str
    key: str = ""
    finding: str = ""
    branch: str = ""
    worktree: str = ""
    paths: tuple[str, ...] = ()
    principal: str
    session: str
    agent: str = ""
    process: str = ""
    """The process of the client's session, where it is known: its boot, pid namespace, pid and start time."""
    state: RunState = "live"
    status: str = ""
    seq: int
    ttl_ms: int
    expires_at_ms: int
    started_at_ms: int
    seen_at_ms: int
    ended_at_ms: int | None = None
    origin: RunOrigin = "asked"

    @property
    def who(self) -> str:
        """`loop@principal`, as others read it."""
        return f"{self.loop}@{self.principal}"


def acts_for(caller: Caller, run: Run, /) -> bool:
    """Whether the caller may change this run: the same person, session and agent started it."""
    same_agent = caller.agent == run.agent or not caller.certain
    return (caller.principal, caller.session) == (run.principal, run.session) and same_agent


def is_surely_of(caller: Caller, run: Run, /) -> bool:
    """Whether the very agent that calls started this run: its client names sessions, and tells its agents apart."""
    is_told = caller.certain and bool(caller.session) and not caller.session.startswith(PROCESS_SESSION)
    return is_told and acts_for(caller, run)


def is_lapsed(run: Run, /, *, now_ms: int) -> bool:
    """Whether the lease has ended, so that another run may be granted its paths."""
    return run.expires_at_ms <= now_ms


def is_lost(run: Run, /, *, now_ms: int) -> bool:
    """Whether a lapsed run was silent for so long that it is given up."""
    return run.state == "lost" or (is_lapsed(run, now_ms=now_ms) and run.seen_at_ms <= now_ms - LOST_AFTER_SILENT_MS)


def is_stopped(run: Run, /) -> bool:
    """Whether a person stopped it."""
    return run.state == "ended" and run.status.startswith(STOPPED)


def stopped_words(run_id: str, status: str, /) -> str:
    """What is said of a stopped run to whoever would go on with it."""
    return f"run {run_id} was {status}. Leave that work, unless a person says otherwise"


def renewal_due(run: Run, /, *, now_ms: int) -> bool:
    """Whether less than half of the lease remains, so that a call from the run renews it."""
    return run.expires_at_ms - now_ms < run.ttl_ms // 2


def renewed(run: Run, /, *, now_ms: int, ttl_ms: int | None = None) -> Run:
    """Extend the lease to `now_ms + ttl_ms` (default: the run's own).

    A lapsed lease may be renewed: claims that another run was granted meanwhile were ended by that
    grant, so whatever is still held was held throughout.
    """
    ttl_ms = run.ttl_ms if ttl_ms is None else ttl_ms
    return replace(run, ttl_ms=ttl_ms, expires_at_ms=now_ms + ttl_ms, seen_at_ms=now_ms)
