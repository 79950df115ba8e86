"""Records as people and scripts read them: the columns of tables, of `--json` and of resources."""

from collections.abc import Sequence

from loomstack_mcp.core.changes.conflict_records import Agreement, Conflict
from loomstack_mcp.core.changes.conflicts import conflict_advice
from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.events import Event
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.outcomes import MAKER, Outcome
from loomstack_mcp.core.phrases import Body, age, lean
from loomstack_mcp.core.runs import Run, is_lapsed, is_lost

_PATHS_SHOWN = 10


def run_shown(run: Run, /, *, now_ms: int) -> Body:
    """One run; of a live one whose lease has ended, the state says so before anything is written."""
    state = run.state
    if state == "live" and is_lapsed(run, now_ms=now_ms):
        state_word = "lost" if is_lost(run, now_ms=now_ms) else "lapsed"
    else:
        state_word = run.status or state
    return {
        "run": run.id,
        "state": state_word,
        "loop": run.loop,
        "who": run.principal,
        "goal": run.goal,
        "paths": run.paths,
        "branch": run.branch,
        "age": age(now_ms - run.started_at_ms),
    }


def claim_shown(claim: Claim, /, *, now_ms: int) -> Body:
    """One claim, with the seconds that are left of its lease; 0 where it has ended."""
    return {
        "claim": claim.id,
        "run": claim.run_id,
        "who": claim.who,
        "mode": claim.mode,
        "paths": claim.patterns,
        "intent": claim.intent,
        "fence": claim.fence,
        "expires_in_s": max(0, claim.expires_at_ms - now_ms) // SECOND_MS,
        "origin": claim.origin,
    }


def note_shown(note: Note, /, *, now_ms: int) -> Body:
    """One note, with all its fields."""
    return {
        "note": note.id,
        "kind": note.kind,
        "authority": note.authority,
        "who": note.author,
        "text": note.text,
        "paths": note.paths,
        "to": note.addressee,
        "supersedes": note.supersedes,
        "contradicts": note.contradicts,
        "age": age(now_ms - note.shared_at_ms),
    }


def conflict_shown(conflict: Conflict, /, *, target: str, now_ms: int) -> Body:
    """One conflict, with what to do about it."""
    return {
        "conflict": conflict.id,
        "kind": conflict.kind,
        "verdict": conflict.verdict,
        "paths": conflict.paths[:_PATHS_SHOWN],
        "more_paths": len(conflict.paths[_PATHS_SHOWN:]) or None,
        "commit": conflict.sha[:12],
        "title": conflict.title,
        "who": conflict.who,
        "run": conflict.with_run,
        "intent": conflict.intent,
        "age": age(max(0, now_ms - conflict.landed_at_ms)),
        "evidence": conflict.evidence,
        "do": conflict_advice(conflict, target=target),
    }


def agreement_shown(agreement: Agreement, /) -> Body:
    """By whose word what a landed change did may go."""
    return {"commit": agreement.sha[:12], "by": agreement.by, "who": agreement.who, "text": agreement.text}


def event_shown(event: Event, /, *, now_ms: int) -> Body:
    """One event, by the number that a reader passes to read on after it."""
    return {
        "seq": event.seq,
        "age": age(now_ms - event.at_ms),
        "kind": event.kind,
        "run": event.run_id,
        "about": event.about,
        "payload": event.payload,
    }


def outcomes_told(run: Run, outcomes: Sequence[Outcome], /) -> tuple[str, ...]:
    """What came of a run, in few words, oldest first, from all `outcomes` about it, or about the run that it checks.

    Of a checker's run that is what it said; of a maker's, what others said and how it ended, and its own last word
    until somebody has checked that.
    """
    if run.checks_run:
        return tuple(_told(outcome) for outcome in outcomes if outcome.run_id == run.id)
    return tuple(_told(outcome) for outcome in outcomes if outcome is outcomes[-1] or not _is_own_word(outcome))


def _told(outcome: Outcome) -> str:
    counted = outcome.passed + outcome.failed
    text = f"{outcome.status} {outcome.passed}/{counted}" if counted else outcome.status
    return f"{text} by its own word" if _is_own_word(outcome) else text


def _is_own_word(outcome: Outcome) -> bool:
    return outcome.role == MAKER and outcome.status in ("passed", "failed")


def outcome_shown(outcome: Outcome, /, *, now_ms: int) -> Body:
    """One outcome without what is empty, for many are read at once."""
    return lean(
        {
            "outcome": outcome.id,
            "by": outcome.run_id,
            "role": outcome.role,
            "status": outcome.status,
            "summary": outcome.summary,
            "passed": outcome.passed,
            "failed": outcome.failed,
            "failing": outcome.failing,
            "tried": outcome.tried,
            "commits": outcome.commits,
            "attempt": outcome.attempt,
            "rework": outcome.rework,
            "next": outcome.next_action,
            "age": age(now_ms - outcome.recorded_at_ms),
        }
    )
