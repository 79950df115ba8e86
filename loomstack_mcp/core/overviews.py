"""What goes on in a repo, and what went on, as pages, a terminal and scripts read it."""

from loomstack_mcp.core.changes.conflict_records import Conflict
from loomstack_mcp.core.changes.conflicts import OWN_MARKS_MAX
from loomstack_mcp.core.limits import MINUTE_MS, SECOND_MS
from loomstack_mcp.core.live import Lane, Live, LiveRun, Wait
from loomstack_mcp.core.loops import LoopHealth, Loops
from loomstack_mcp.core.phrases import Body, age, lean
from loomstack_mcp.core.policy.past import PastDecision
from loomstack_mcp.core.views import claim_shown

_PATHS_SHOWN = 10
_CLAIM_FIELDS = ("claim", "mode", "paths", "intent", "expires_in_s", "origin")


def live_shown(live: Live, /) -> Body:
    """Lanes with their runs; times also as milliseconds since the epoch, for whoever draws them."""
    return {
        "lanes": [_lane_shown(lane, now_ms=live.now_ms) for lane in live.lanes],
        "more": live.more,
        "cursor": live.cursor,
        "now_ms": live.now_ms,
    }


def loops_shown(loops: Loops, /) -> Body:
    """Each loop with its figures of these days."""
    return {
        "loops": [loop_shown(one, now_ms=loops.now_ms) for one in loops.loops],
        "more": loops.more,
        "days": loops.days,
        "now_ms": loops.now_ms,
    }


def loop_shown(one: LoopHealth, /, *, now_ms: int) -> Body:
    """One loop: counts, the share of success in hundredths, minutes, and the days of its spark."""
    return {
        "loop": one.loop,
        "who": one.who,
        "runs": one.runs,
        "live": one.live,
        "success_percent": None if one.success is None else round(100 * one.success),
        "done": one.done,
        "abandoned": one.abandoned,
        "stopped": one.stopped,
        "lost": one.lost,
        "checks": one.checks,
        "rework": one.rework,
        "conflicts_caused": one.conflicts_caused,
        "conflicts_suffered": one.conflicts_suffered,
        "reversals_caused": one.reversals_caused,
        "reversals_suffered": one.reversals_suffered,
        "minutes": round(one.busy_ms / MINUTE_MS),
        "tokens": one.tokens,
        "cost_usd": one.cost_usd,
        "last_run": one.last_run,
        "last_age": age(now_ms - one.last_started_at_ms),
        "last_started_at_ms": one.last_started_at_ms,
        "spark": list(one.spark),
    }


def past_conflict_shown(conflict: Conflict, /, *, now_ms: int) -> Body:
    """A conflict as it was found, whatever became of it: both sides by path and hash, and no text of a file."""
    return lean(
        {
            "conflict": conflict.id,
            "kind": conflict.kind,
            "verdict": conflict.verdict,
            "state": conflict.state,
            "how": conflict.how,
            "run": conflict.run_id,
            "commit": conflict.sha,
            "title": conflict.title,
            "who": conflict.who,
            "with_run": conflict.with_run,
            "paths": conflict.paths[:_PATHS_SHOWN],
            "more_paths": len(conflict.paths[_PATHS_SHOWN:]) or None,
            "marks": conflict.marks,
            "own_marks": [
                lean(dict(zip(("mark", "lines", "path"), one.split(" ", 2), strict=True))) for one in conflict.own_marks
            ],
            "own_marks_cut": len(conflict.own_marks) >= OWN_MARKS_MAX or None,
            "intent": conflict.intent,
            "evidence": conflict.evidence,
            "agreed_by": conflict.agreed_by,
            "age": age(now_ms - conflict.found_at_ms),
            "found_at_ms": conflict.found_at_ms,
        }
    )


def past_decision_shown(one: PastDecision, /, *, now_ms: int) -> Body:
    """A decision with its reasons in short."""
    return {
        "decision": one.id,
        "answer": one.answer,
        "point": one.point,
        "actions": one.actions,
        "paths": one.subject,
        "who": one.who,
        "run": one.run_id,
        "rules": list(dict.fromkeys(str(reason.get("rule", "")) for reason in one.reasons)),
        "reasons": [dict(reason) for reason in one.reasons],
        "policy": one.policy,
        "age": age(now_ms - one.decided_at_ms),
        "decided_at_ms": one.decided_at_ms,
    }


def _lane_shown(lane: Lane, *, now_ms: int) -> Body:
    return {"loop": lane.loop, "who": lane.who, "runs": [_live_run_shown(one, now_ms=now_ms) for one in lane.runs]}


def _live_run_shown(one: LiveRun, *, now_ms: int) -> Body:
    run, is_over = one.run, one.state == "ended" or one.run.ended_at_ms is not None
    claims = [claim_shown(claim, now_ms=now_ms) for claim in one.claims]
    last = one.last_event
    return lean(
        {
            "run": run.id,
            "state": one.state,
            "status": run.status,
            "goal": run.goal,
            "origin": run.origin,
            "agent": run.agent,
            "branch": run.branch,
            "parent": run.parent_id,
            "checks_run": run.checks_run,
            "paths": run.paths[:_PATHS_SHOWN],
            "age": age(now_ms - run.started_at_ms),
            "started_at_ms": run.started_at_ms,
            "seen_at_ms": run.seen_at_ms,
            "ended_at_ms": run.ended_at_ms,
            "expires_in_s": None if is_over else max(0, run.expires_at_ms - now_ms) // SECOND_MS,
            "claims": [{name: claim[name] for name in _CLAIM_FIELDS} for claim in claims],
            "claims_more": one.claims_more or None,
            "waits_for": [_wait_shown(wait, now_ms=now_ms) for wait in one.waits_for],
            "waited_on_by": [_wait_shown(wait, now_ms=now_ms) for wait in one.waited_on_by],
            "conflicts": [lean(vars(conflict)) for conflict in one.conflicts],
            **_progress_shown(one),
            "tokens": one.usage and one.usage.tokens,
            "cost_usd": one.usage and one.usage.cost_usd,
            "last_event": last
            and {"seq": last.seq, "kind": last.kind, "age": age(now_ms - last.at_ms), "at_ms": last.at_ms},
        }
    )


def _progress_shown(one: LiveRun) -> Body:
    """Rounds so far, and the last word: `failed 2/8 by checker`."""
    done = one.progress
    counted = done.passed + done.failed
    said = f"{done.status} {done.passed}/{counted}" if counted else done.status
    return {
        "attempts": done.attempts or None,
        "rework": done.rework or None,
        "last_outcome": f"{said} by {done.role}" if said else None,
    }


def _wait_shown(wait: Wait, *, now_ms: int) -> Body:
    return lean(
        {
            "run": wait.run,
            "loop": wait.loop,
            "who": wait.who,
            "paths": wait.paths,
            "age": None if wait.since_at_ms is None else age(now_ms - wait.since_at_ms),
            "since_at_ms": wait.since_at_ms,
        }
    )
