"""What each page is made of: the records of the services, as the commands show them with `--json`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from loomstack_mcp.core.changes.conflict_records import ConflictState
from loomstack_mcp.core.claim_trees import claim_tree
from loomstack_mcp.core.errors import NotFound
from loomstack_mcp.core.limits import HOUR_MS, SECOND_MS
from loomstack_mcp.core.overviews import live_shown, loops_shown, past_conflict_shown, past_decision_shown
from loomstack_mcp.core.phrases import Body, lean
from loomstack_mcp.core.policy.approvals import Approval
from loomstack_mcp.core.policy.rules import Answer
from loomstack_mcp.core.records import record
from loomstack_mcp.core.trace_views import trace_shown
from loomstack_mcp.core.traces import Trace
from loomstack_mcp.core.views import claim_shown, event_shown, outcome_shown, run_shown
from loomstack_mcp.core.waiting import stop_shown, whole_question
from loomstack_mcp.loom import Loom
from loomstack_mcp.server.ui.questions import LIMIT_MAX, PageQuestion, Taken, all_or_one
from loomstack_mcp.services.live import LIVE_WINDOW_MS

_TREE_MAX = 2_000
_ALL = "all"
_PAGED = frozenset({"limit", "before"})

_TRACE_TAKEN = Taken(names=frozenset({"full"}))

_Record = TypeVar("_Record")
Listed = Callable[[Loom, PageQuestion], Body]


@record
class PageList:
    """One path under `/api/v1/`."""

    taken: Taken = Taken(names=frozenset({"limit"}))
    body: Listed
    is_in_repo: bool = True
    """Whether one repository is meant, also where none is named."""
    is_slow: bool = False
    """Whether it is told for a while as it was, whatever happens meanwhile."""
    asks_git: bool = False
    """Whether it takes long enough to keep all others waiting."""


def _live(loom: Loom, asked: PageQuestion) -> Body:
    found = loom.live.live(asked.repo, window_ms=asked.hours * HOUR_MS or LIVE_WINDOW_MS)
    return {**live_shown(found), "now": iso(found.now_ms)}


def _loops(loom: Loom, asked: PageQuestion) -> Body:
    found = loom.loops.health(asked.repo, limit=asked.limit)
    return {**loops_shown(found), "now": iso(found.now_ms)}


def _decisions(loom: Loom, asked: PageQuestion) -> Body:
    wanted: Any = None if asked.answer == _ALL else asked.answer
    found, now_ms = loom.decisions.latest(asked.repo, limit=asked.limit + 1, before=asked.before, answer=wanted)
    return _rows(found, asked, now_ms, past_decision_shown)


def _claims(loom: Loom, asked: PageQuestion) -> Body:
    found, now_ms = loom.claims.held(asked.repo, limit=asked.limit + 1)
    return _rows(found, asked, now_ms, claim_shown)


def _tree(loom: Loom, asked: PageQuestion) -> Body:
    held, now_ms = loom.claims.held(asked.repo, limit=_TREE_MAX)
    conflicts, _ = loom.conflicts.open(asked.repo, limit=LIMIT_MAX)
    return {"tree": claim_tree(held, conflicts), "now": iso(now_ms)}


def _conflicts(loom: Loom, asked: PageQuestion) -> Body:
    wanted: Any = None if asked.state == _ALL else asked.state
    found, now_ms = loom.conflicts.latest(asked.repo, limit=asked.limit + 1, before=asked.before, state=wanted)
    return _rows(found, asked, now_ms, past_conflict_shown)


def inbox_body(loom: Loom, asked: PageQuestion, *, judge: Callable[[Approval], str]) -> Body:
    """What waits for a person, each with why it is not for this one to answer; "" where it is."""
    waiting, now_ms = loom.approvals.waiting(asked.repo, limit=asked.limit + 1)
    stops, _ = loom.conflicts.open(asked.repo, limit=asked.limit + 1, verdict="stop")
    questions = [
        {
            "kind": "question",
            **whole_question(one, now_ms=now_ms),
            "may": not (why_not := judge(one)),
            "why_not": why_not,
        }
        for one in waiting
    ]
    stopped = [{"kind": "stop", **stop_shown(one, now_ms=now_ms), "may": False} for one in stops]
    return _told([*questions, *stopped], asked, now_ms)


def _events(loom: Loom, asked: PageQuestion) -> Body:
    if asked.since < 0:
        found, now_ms = loom.events.latest(asked.repo, limit=asked.limit)
    else:
        found, now_ms = loom.events.since(asked.repo, since=asked.since, limit=asked.limit)
    shown = [{**event_shown(one, now_ms=now_ms), "at": iso(one.at_ms)} for one in found]
    gap = loom.events.gap(asked.repo) if asked.since >= 0 else 0
    missed = {"gap": gap} if gap > asked.since else {}
    return {"rows": shown, "now": iso(now_ms), "more": len(found) == asked.limit, **missed}


def _run(loom: Loom, asked: PageQuestion) -> Body:
    """One run with its claims and outcomes. Raises NotFound, also for a run of another repo than was asked about."""
    found = loom.runs.details(asked.about)
    if asked.repo and found.run.repo_id != asked.repo:
        raise NotFound(f"run {asked.about[:40]} is unknown in {asked.repo}; see the repository that it is of")
    now_ms = found.now_ms
    return {
        **lean(run_shown(found.run, now_ms=now_ms)),
        "repo": found.run.repo_id,
        "started_at": iso(found.run.started_at_ms),
        "claims": [{**lean(claim_shown(one, now_ms=now_ms)), "ended": one.ended_how} for one in found.claims],
        "outcomes": [outcome_shown(one, now_ms=now_ms) for one in found.outcomes],
        "now": iso(now_ms),
    }


def _kept_trace(loom: Loom, asked: PageQuestion) -> Body:
    """As the store alone knows it: no clone is seen. Raises NotFound, Invalid."""
    return trace_shown(loom.traces.kept_trace(asked.repo, asked.about), full=bool(asked.full))


def trace_list(traced: Callable[[str], Trace], *, repo_id: str) -> PageList:
    """Traces where the clone of one repository is seen; of others as the store knows them."""

    def body(loom: Loom, asked: PageQuestion) -> Body:
        if asked.repo != repo_id:
            return _kept_trace(loom, asked)
        return trace_shown(traced(asked.about), full=bool(asked.full))

    return PageList(body=body, taken=_TRACE_TAKEN, asks_git=True)


LISTS: Mapping[str, PageList] = {
    "live": PageList(body=_live, taken=Taken(names=frozenset({"hours"}))),
    "loops": PageList(body=_loops, is_slow=True),
    "decisions": PageList(body=_decisions, taken=Taken(names=_PAGED, answers=all_or_one(Answer))),
    "claims": PageList(body=_claims),
    "claims/tree": PageList(body=_tree, taken=Taken()),
    "conflicts": PageList(body=_conflicts, taken=Taken(names=_PAGED, states=all_or_one(ConflictState))),
    "inbox": PageList(body=lambda loom, asked: inbox_body(loom, asked, judge=lambda _: "")),
    "events": PageList(body=_events, taken=Taken(names=frozenset({"limit", "since"}))),
}
"""By path."""
THINGS: Mapping[str, PageList] = {
    "runs": PageList(body=_run, taken=Taken(), is_in_repo=False),
    "trace": PageList(body=_kept_trace, taken=_TRACE_TAKEN),
}
"""By the path before what is asked about."""


def iso(at_ms: int, /) -> str:
    """An instant as scripts read it: `2026-11-29T02:10:00.000Z`."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rows(found: Iterable[_Record], asked: PageQuestion, now_ms: int, shown: Callable[..., Body]) -> Body:
    return _told([shown(one, now_ms=now_ms) for one in found], asked, now_ms)


def _told(rows: list[Body], asked: PageQuestion, now_ms: int) -> Body:
    """At most as many as were asked for, and whether there are more."""
    return {"rows": rows[: asked.limit], "now": iso(now_ms), "more": len(rows) > asked.limit}
