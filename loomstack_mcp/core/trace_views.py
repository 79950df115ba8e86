"""Traces as people, scripts and models read them: one shape for `trace --json`, the tool and the dashboard."""

from datetime import UTC, datetime

from loomstack_mcp.core.claims import Claim
from loomstack_mcp.core.deploys import covered_words
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.notes import Note
from loomstack_mcp.core.phrases import Body, age, counted, lean
from loomstack_mcp.core.traces import (
    Trace,
    TracedApproval,
    TracedCommit,
    TracedDecision,
    TracedDeploy,
    TracedOutcome,
    TracedRun,
    WrittenLine,
)
from loomstack_mcp.core.views import outcome_shown

_COMMITS_SHOWN, _COMMITS_FULL = 5, 500
_RUNS_SHOWN = 10
_EACH_SHOWN, _EACH_FULL = 3, 200
_TEXT_CHARS = 200
_TELLING = ("deny", "require_approval", "warn")
"""Answers that are worth telling; an edit that was allowed is none of these."""
_FINAL = ("land", "push", "deploy")


def trace_shown(trace: Trace, /, *, full: bool = False) -> Body:
    """The chain, without what is empty: in short what one screen holds, `full` all that is kept.

    A list that was cut says how much is left in `more_…`.
    """
    most = _COMMITS_FULL if full else _COMMITS_SHOWN
    runs_most = len(trace.runs) if full else _RUNS_SHOWN
    commits = [_commit(one, trace, full=full) for one in trace.commits[:most]]
    deploys = [_deploy(one, trace, full=full) for one in trace.deploys]
    return lean(
        {
            "ref": trace.ref,
            "kind": trace.kind,
            "line": _line(trace.line) if trace.line else {},
            "commits": commits,
            "more_commits": (len(trace.commits) - len(commits) + trace.more_commits) or None,
            "runs": [_run(one, trace, full=full) for one in trace.runs[:runs_most]],
            "more_runs": (len(trace.runs[runs_most:]) + trace.more_runs) or None,
            "deploys": deploys,
            "later": _later(trace),
            "unattributed": trace.is_unattributed or None,
            "unchecked": list(trace.unchecked),
            "next": _next(trace, full=full),
        }
    )


def bound_words(bound_by: str, confidence: float, /) -> str:
    """How a commit is known as its run's, and how sure that is: `by its lines, 96 %`."""
    told = {
        "sha": "recorded by the run",
        "trailer": "by its Loom-Run trailer",
        "text": "by the run's id in its message",
        "pr": "by its pull request",
        "patch": "by its patch",
        "range": "by the patch of its branch",
        "files": "by its files",
        "lines": "by its lines",
        "cherry_pick": "by the commit it was picked from",
    }.get(bound_by, bound_by)
    return f"{told}, {confidence * 100:.0f} %" if told else ""


def _line(line: WrittenLine) -> Body:
    return lean(
        {
            "path": line.path,
            "line": line.line,
            "commit": line.sha[:12],
            "run": line.run_id,
            "bound_by": line.bound_by,
            "confidence": round(line.confidence, 2) if line.run_id else None,
        }
    )


def _commit(one: TracedCommit, trace: Trace, *, full: bool) -> Body:
    commit = one.commit
    others = [each for each in commit.candidates if each.run_id != commit.run_id]
    return lean(
        {
            "commit": commit.sha if full else commit.sha[:12],
            "title": _cut(commit.title, full=full),
            "author": commit.author,
            **_when(commit.landed_at_ms, trace.now_ms),
            "gone": one.is_gone or None,
            "url": one.url,
            "run": commit.run_id,
            "bound_by": commit.bound_by,
            "confidence": round(commit.confidence, 2) if commit.run_id else None,
            "candidates": [
                {"run": each.run_id, "bound_by": each.bound_by, "confidence": round(each.confidence, 2)}
                for each in others
            ],
            "flags": list(commit.flags),
            "reverts": [sha[:12] for sha in commit.reverts],
            "ai": [dict(lean(vars(each))) for each in one.sessions],
        }
    )


def _run(traced: TracedRun, trace: Trace, *, full: bool) -> Body:
    run = traced.run
    kept = {"branch": run.branch, "claims": [_claim(one) for one in traced.claims]} if full else {}
    return lean(
        {
            "run": run.id,
            "loop": run.loop,
            "who": run.principal,
            "goal": _cut(run.goal, full=full),
            "state": run.status or run.state,
            **_when(run.started_at_ms, trace.now_ms),
            "checks_run": run.checks_run or "",
            "finding": run.finding,
            "intents": [_cut(text, full=full) for text in traced.intents[: _most(full=full)]],
            **kept,
            **_led_by(traced, trace, full=full),
            **_let_through(traced, trace, full=full),
            "tokens": traced.tokens or None,
            "cost_usd": traced.cost_usd,
        }
    )


def _led_by(traced: TracedRun, trace: Trace, *, full: bool) -> dict[str, object]:
    """What others and it itself said before, and what came of it."""
    notes = [*(note for note in traced.notes if note.kind != "intent"), *traced.told]
    outcomes = [_outcome(one, trace, full=full) for one in traced.outcomes]
    return {
        **_few("notes", [_note(one, trace, full=full) for one in notes], full=full),
        **_last("outcomes", outcomes, full=full),
    }


def _let_through(traced: TracedRun, trace: Trace, *, full: bool) -> dict[str, object]:
    decisions = [one for one in reversed(traced.decisions) if full or _tells(one)]
    return {
        **_last("decisions", [_decision(one, trace, full=full) for one in decisions], full=full),
        **_few("approvals", [_approval(one) for one in traced.approvals], full=full),
    }


def _most(*, full: bool) -> int:
    return _EACH_FULL if full else _EACH_SHOWN


def _few(name: str, bodies: list[Body], *, full: bool) -> dict[str, object]:
    """The first of them, and how many more there are."""
    most = _most(full=full)
    return {name: bodies[:most], f"more_{name}": max(0, len(bodies) - most) or None}


def _last(name: str, bodies: list[Body], *, full: bool) -> dict[str, object]:
    """The last of them, and how many there are before."""
    most = _most(full=full)
    return {name: bodies[-most:], f"more_{name}": max(0, len(bodies) - most) or None}


def _claim(claim: Claim) -> Body:
    return {"claim": claim.id, "paths": list(claim.patterns), "intent": claim.intent}


def _outcome(told: TracedOutcome, trace: Trace, *, full: bool) -> Body:
    outcome = told.outcome
    body = dict(outcome_shown(outcome, now_ms=trace.now_ms))
    if full:
        return lean({**body, "links": dict(outcome.links), "who": told.who})
    wanted = ("outcome", "role", "status", "passed", "failed", "rework", "age")
    short = {name: body[name] for name in wanted if body.get(name)}
    return {**short, "summary": _cut(outcome.summary, full=False), "who": told.who}


def _note(note: Note, trace: Trace, *, full: bool) -> Body:
    return lean(
        {
            "note": note.id,
            "kind": note.kind,
            "who": note.author,
            "authority": "" if note.authority == "loop" else note.authority,
            "text": _cut(note.text, full=full),
            "superseded_by": note.superseded_by,
            "age": age(trace.now_ms - note.shared_at_ms),
        }
    )


def _tells(one: TracedDecision) -> bool:
    return one.answer in _TELLING or any(action in _FINAL for action in one.actions)


def _decision(one: TracedDecision, trace: Trace, *, full: bool) -> Body:
    rules = [str(reason.get("rule", "")) for reason in one.reasons]
    why = [_cut(str(reason["why"]), full=full) for reason in one.reasons if reason.get("why")]
    approved_by = dict.fromkeys(str(name) for reason in one.reasons for name in reason.get("by", ()))
    return lean(
        {
            "decision": one.id,
            "point": one.point,
            "action": " ".join(one.actions),
            "answer": one.answer,
            "rules": rules if full else rules[:_EACH_SHOWN],
            "why": why if full else why[:1],
            "approved_by": list(approved_by),
            "who": one.who,
            "age": age(trace.now_ms - one.decided_at_ms),
        }
    )


def _approval(one: TracedApproval) -> Body:
    answers = [dict(lean({"who": each.who, "verdict": each.verdict, "why": each.why})) for each in one.answers]
    return lean({"approval": one.id, "decision": one.decision_id, "state": one.state, "answers": answers})


def _deploy(one: TracedDeploy, trace: Trace, *, full: bool) -> Body:
    deploy = one.deploy
    return lean(
        {
            "deploy": deploy.id,
            "environment": deploy.environment,
            "called": deploy.called,
            "sha": deploy.sha if full else deploy.sha[:12],
            "who": deploy.who,
            "how": "" if deploy.how == "recorded" else deploy.how,
            "covers": covered_words(deploy) if full or trace.kind == "deploy" else "",
            **_when(deploy.deployed_at_ms, trace.now_ms),
            "rolled_back_by": one.rolled_back_by,
            "decision": _decision(one.decision, trace, full=full) if one.decision else {},
            "approvals": [_approval(each) for each in one.approvals],
        }
    )


def _later(trace: Trace) -> list[Body]:
    return [
        lean(
            {
                "how": one.how,
                "of": one.sha[:12] if len(trace.commits) > 1 else "",
                "commit": one.by[:12],
                "title": one.title,
                "who": one.who or one.author,
                "run": one.run_id,
                **_when(one.at_ms, trace.now_ms),
            }
        )
        for one in trace.later
    ]


def _when(at_ms: int, now_ms: int) -> dict[str, str]:
    """An instant as an age, and in UTC; nothing where it is not known."""
    if not at_ms:
        return {}
    at = datetime.fromtimestamp(at_ms / SECOND_MS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"age": age(max(0, now_ms - at_ms)), "at": at}


def _cut(text: str, *, full: bool) -> str:
    return text if full or len(text) <= _TEXT_CHARS else f"{text[: _TEXT_CHARS - 1]}…"


def _next(trace: Trace, *, full: bool) -> str:
    if trace.is_unattributed:
        return "no run is known to have made it: trace --unattributed lists all such, `git blame` says who signed it"
    runs = len(trace.runs) + trace.more_runs
    if trace.kind == "deploy" and runs > 1 and not full:
        return f"trace one of its {counted(runs, 'run')}, or a line, for who let it through"
    return ""
