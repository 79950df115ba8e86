"""Live: who works now, on what, and waits for whom; what a page, a terminal and a script are told of a repo at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from loomstack_mcp.core.claims import Claim, Waiter, blockers
from loomstack_mcp.core.events import EventKind
from loomstack_mcp.core.outcomes import Role, Status
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Run, is_lapsed, is_lost
from loomstack_mcp.core.usage import RunUsage

LiveState = Literal["running", "waiting", "checking", "lapsed", "lost", "ended"]

_WAITS_MAX = 10
"""Of one run: those who stand in its way, or wait for it."""


@record
class Wait:
    """Another run that stands in a run's way, or waits for it, on a path that both cover."""

    run: str
    loop: str
    who: str
    paths: tuple[str, ...]
    since_at_ms: int | None = None
    """When the paths were refused; None where the log does not tell any more."""


@record
class LiveConflict:
    """An open conflict of a run."""

    conflict: str
    kind: str
    verdict: Literal["warn", "stop"]
    with_run: str = ""
    """The run that landed the other change; empty where none is known."""


@record
class RunProgress:
    """What was recorded about a run so far: how often it tried, was sent back, and the last word."""

    attempts: int = 0
    rework: int = 0
    role: Role | None = None
    status: Status | None = None
    """Of the last outcome; None where there is none."""
    passed: int = 0
    failed: int = 0


@record
class LastEvent:
    """The newest event of a run."""

    seq: int
    at_ms: int
    kind: EventKind


@record
class LiveRun:
    """A run with what it holds, whom it waits for, and how far it is."""

    run: Run
    state: LiveState
    claims: tuple[Claim, ...] = ()
    claims_more: int = 0
    waits_for: tuple[Wait, ...] = ()
    waited_on_by: tuple[Wait, ...] = ()
    conflicts: tuple[LiveConflict, ...] = ()
    progress: RunProgress = RunProgress()
    last_event: LastEvent | None = None
    """None where it is none of the last ones of its repo; when the run was heard of last, `run.seen_at_ms` tells."""
    usage: RunUsage | None = None
    """What it consumed of models; None where nobody told."""


@record
class Lane:
    """The runs of one loop of one person, newest first."""

    loop: str
    who: str
    runs: tuple[LiveRun, ...]


@record
class Live:
    """What goes on in a repo: those at work, and those that ended within a while."""

    lanes: tuple[Lane, ...]
    """Those where somebody is at work come first, then the one whose newest run is the newest."""
    more: int = 0
    """Runs that were left out, the longest over first."""
    cursor: int
    """The repo's sequence number, to wait for a change after it."""
    now_ms: int


def live_state(run: Run, /, *, is_waiting: bool, now_ms: int) -> LiveState:
    """How a run is, in one word; of one that ended its status tells more."""
    if run.state == "ended":
        return "ended"
    if is_lost(run, now_ms=now_ms):
        return "lost"
    if is_lapsed(run, now_ms=now_ms):
        return "lapsed"
    if is_waiting:
        return "waiting"
    return "checking" if run.checks_run else "running"


def waits_of(
    waiters: Sequence[Waiter],
    held: Sequence[Claim],
    runs: Mapping[str, Run],
    /,
    *,
    since: Mapping[str, int | None],
    ignore_case: bool,
) -> dict[str, tuple[Wait, ...]]:
    """Whom each run waits for, nearest first: who holds what it was refused, and who asked for that before it.

    `waiters` keep their place; `held` are live claims; `runs` are those known of both; `since` is when each waiter was
    refused, by its id.
    """
    found: dict[str, dict[str, Wait]] = defaultdict(dict)
    for waiter in sorted(waiters, key=lambda one: one.seq):
        earlier = [one for one in waiters if one.seq < waiter.seq]
        against: list[Claim | Waiter] = [*_not_of_session(held, waiter, runs), *earlier]
        family = _ancestors(waiter.run_id, runs)
        for one in blockers(waiter, against, lineage=family, ignore_case=ignore_case):
            wait = Wait(run=one.run, loop=one.loop, who=one.who, paths=(one.path,), since_at_ms=since.get(waiter.id))
            known = found[waiter.run_id].setdefault(one.run, wait)
            found[waiter.run_id][one.run] = replace(known, paths=tuple(dict.fromkeys((*known.paths, one.path))))
    return {run_id: tuple(waits.values())[:_WAITS_MAX] for run_id, waits in found.items()}


def waited_on(waits: Mapping[str, Sequence[Wait]], runs: Mapping[str, Run], /) -> dict[str, tuple[Wait, ...]]:
    """The same from the other side: who waits for each run."""
    found: dict[str, list[Wait]] = defaultdict(list)
    for run_id, those in waits.items():
        if run := runs.get(run_id):
            for one in those:
                found[one.run].append(replace(one, run=run.id, loop=run.loop, who=run.principal))
    return {run_id: tuple(those[:_WAITS_MAX]) for run_id, those in found.items()}


def lanes_of(runs: Iterable[LiveRun], /) -> tuple[Lane, ...]:
    """The runs by their loop and person; `runs` come newest first, those at work before all others."""
    found: dict[tuple[str, str], list[LiveRun]] = defaultdict(list)
    for one in runs:
        found[one.run.loop, one.run.principal].append(one)
    return tuple(Lane(loop=loop, who=who, runs=tuple(those)) for (loop, who), those in found.items())


def _not_of_session(held: Sequence[Claim], waiter: Waiter, runs: Mapping[str, Run]) -> list[Claim]:
    """Without what merely follows the edits of the waiter's own session, which gives way to it."""
    mine = runs.get(waiter.run_id)
    if mine is None or not mine.session:
        return list(held)
    own = {one.id for one in runs.values() if (one.principal, one.session) == (mine.principal, mine.session)}
    return [claim for claim in held if claim.origin != "auto" or claim.run_id not in own]


def _ancestors(run_id: str, runs: Mapping[str, Run]) -> Collection[str]:
    """The runs that one descends from, as far as they are known."""
    found: list[str] = []
    run = runs.get(run_id)
    while run and run.parent_id and run.parent_id not in found:
        found.append(run.parent_id)
        run = runs.get(run.parent_id)
    return found
