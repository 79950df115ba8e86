"""Of the runs of a trace all that led to what they made, and let it through: few statements, however many runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.core.notes import Note, NoteKind
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.traces import TracedAnswer, TracedApproval, TracedDecision, TracedOutcome, TracedRun
from loomstack_mcp.core.usage import ModelUsage, RunUsage, usage_of_runs
from loomstack_mcp.services import path_index
from loomstack_mcp.services.traced_refs import TRACES
from loomstack_mcp.services.usage import USAGE
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Row, Tx

_EACH_MAX = 200
"""Claims, notes, outcomes or decisions of all runs of one trace."""
_TOLD_MAX = 10
_TOLD_KINDS: tuple[NoteKind, ...] = ("decision", "intent", "warning")


def traced_runs(
    tx: Tx, repo_id: str, runs: Sequence[Run], *, shas: Collection[str], decision_ids: Collection[str] = ()
) -> tuple[tuple[TracedRun, ...], tuple[TracedDecision, ...], tuple[TracedApproval, ...]]:
    """The runs with what is known of each; and all decisions, also those by id, with what they asked of people."""
    ids = rows.json_column([run.id for run in runs])
    asked = {"run_ids": ids, "limit": _EACH_MAX}
    claims = _by_run(rows.as_records(Claim, tx.all(TRACES["claims_of"], **asked)))
    notes = _by_run(rows.as_records(Note, tx.all(TRACES["notes_of"], **asked)))
    outcomes = _outcomes(tx, asked)
    decisions = _decisions(tx, repo_id, ids, shas=shas, decision_ids=decision_ids)
    approvals = _approvals(tx, decisions)
    unused = RunUsage(run_id="")
    usage = _usage(tx, runs)
    ignore_case = path_index.folds(tx, repo_id)
    found = []
    for run in runs:
        own = tuple(one for one in decisions if _is_about(run, one, runs, shas))
        mine = {one.id for one in own}
        held = claims.get(run.id, ())
        used = usage.get(run.id, unused)
        found.append(
            TracedRun(
                run=run,
                claims=tuple(held),
                notes=tuple(notes.get(run.id, ())),
                told=_told(tx, repo_id, run, _paths(run, held), ignore_case=ignore_case),
                outcomes=tuple(outcomes.get(run.id, ())),
                decisions=own,
                approvals=tuple(one for one in approvals if one.decision_id in mine),
                tokens=used.tokens,
                cost_usd=used.cost_usd if used.models else None,
            )
        )
    return tuple(found), decisions, approvals


def _outcomes(tx: Tx, asked: Mapping[str, Any]) -> Mapping[str, list[TracedOutcome]]:
    found: dict[str, list[TracedOutcome]] = {}
    for row in tx.all(TRACES["outcomes_of"], **asked):
        one = TracedOutcome(outcome=rows.as_record(Outcome, row), who=str(row["who"]))
        found.setdefault(one.outcome.about_run, []).append(one)
    return found


def _usage(tx: Tx, runs: Sequence[Run]) -> Mapping[str, RunUsage]:
    ids = [run.id for run in runs]
    models = rows.as_records(ModelUsage, tx.all(USAGE["of_runs"], ids=rows.json_column(ids))) if ids else ()
    return {one.run_id: one for one in usage_of_runs(ids, models, ())}


def _paths(run: Run, held: Sequence[Claim]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*run.paths, *(path for claim in held for path in claim.patterns))))


def _is_about(run: Run, decision: TracedDecision, runs: Sequence[Run], shas: Collection[str]) -> bool:
    """Whether a decision is about a run: by what is kept of it, or as the only one of the trace."""
    if run.id in (decision.run_id, decision.about_run):
        return True
    return len(runs) == 1 and not decision.run_id and not decision.about_run and decision.head in shas


def _by_run(found: Iterable[Any]) -> Mapping[str, list[Any]]:
    told: dict[str, list[Any]] = {}
    for one in found:
        told.setdefault(str(one.run_id), []).append(one)
    return told


def _told(tx: Tx, repo_id: str, run: Run, paths: Sequence[str], *, ignore_case: bool) -> tuple[Note, ...]:
    """What others had said about its paths before it ended, as far as that holds; people's words first."""
    until_ms = run.ended_at_ms or tx.now_ms
    ids = _lying_there(tx, repo_id, paths, ignore_case=ignore_case)
    notes = rows.as_records(Note, tx.all(TRACES["notes_by_ids"], ids=rows.json_column(ids))) if ids else ()
    led = [one for one in notes if one.run_id != run.id and one.kind in _TOLD_KINDS and one.shared_at_ms <= until_ms]
    return tuple(sorted(led, key=lambda one: (one.authority == "loop", -one.seq))[:_TOLD_MAX])


def _lying_there(tx: Tx, repo_id: str, paths: Sequence[str], *, ignore_case: bool) -> list[str]:
    """The notes on these paths; none where these are nearly everything, and so were they."""
    pages = path_index.overlapping(tx, repo_id, "note", paths, ignore_case=ignore_case) if paths else ()
    try:
        return [one for page in pages for one in page]
    except LimitExceeded:
        return []


def _decisions(
    tx: Tx, repo_id: str, run_ids: str, *, shas: Collection[str], decision_ids: Collection[str]
) -> tuple[TracedDecision, ...]:
    asked = {"repo_id": repo_id, "run_ids": run_ids, "shas": rows.json_column(sorted(shas)), "limit": _EACH_MAX}
    found = tx.all(TRACES["decisions_of"], **asked, ids=rows.json_column(sorted(decision_ids)))
    return tuple(
        TracedDecision(
            id=row["id"],
            run_id=row["run_id"],
            about_run=row["about_run"],
            head=row["head"],
            who=row["who"],
            point=row["point"],
            actions=rows.list_column(row["actions"]),
            answer=row["answer"],
            reasons=rows.list_column(row["reasons"]),
            decided_at_ms=row["decided_at_ms"],
        )
        for row in found
    )


def _approvals(tx: Tx, decisions: Sequence[TracedDecision]) -> tuple[TracedApproval, ...]:
    asked = [one.id for one in decisions]
    found = tx.all(TRACES["approvals_of"], ids=rows.json_column(asked), limit=_EACH_MAX) if asked else []
    return tuple(_approval(list(some), now_ms=tx.now_ms) for _, some in groupby(found, key=itemgetter("id")))


def _approval(found: Sequence[Row], *, now_ms: int) -> TracedApproval:
    first = found[0]
    answers = tuple(
        TracedAnswer(who=row["who"], verdict=row["verdict"], why=row["why"]) for row in found if row["verdict"]
    )
    state = first["state"]
    if now_ms >= first["until_ms"] and state in ("asked", "granted"):  # silence is no
        state = "denied" if state == "asked" else "expired"
    return TracedApproval(
        id=first["id"],
        decision_id=first["decision_id"],
        state=state,
        asked_at_ms=first["asked_at_ms"],
        answers=answers,
    )
