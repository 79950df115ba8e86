"""Outcomes: record an attempt, count its rework, say what comes next, and end the run that is done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import LIST_MAX, NAME_CHARS_MAX
from loomstack_mcp.core.outcomes import (
    ENDING,
    MAKER,
    CheckCounts,
    NextStep,
    Outcome,
    OutcomeResult,
    Role,
    SeenCommits,
    Status,
    checked,
    commit_ages,
    known_role,
    next_step,
    outcome_warnings,
    shas,
)
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, expiry, landed_index, ledger
from loomstack_mcp.services.acting import RUNS, acting_run
from loomstack_mcp.services.attributed import keep_pulls
from loomstack_mcp.services.judgings import forget_judgings
from loomstack_mcp.services.named_work import NamedWork, named_work
from loomstack_mcp.services.recorded import OUTCOMES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


class OutcomeService:
    """What came of attempts, and what the loop does with that."""

    def __init__(self, store: Store, *, rework_max: int) -> None:
        self._store = store
        self._rework_max = rework_max

    def record(
        self,
        caller: Caller,
        run_id: str,
        *,
        status: Status,
        summary: str,
        role: Role,
        checks: CheckCounts,
        tried: str = "",
        finding: str = "",
        commits: Sequence[str] = (),
        seen: SeenCommits | None = None,
        links: Mapping[str, str] | None = None,
    ) -> OutcomeResult:
        """Record an outcome. A run that checks another records about that other run, as its checker; where the very
        agent that made it or all of the commits calls, that is one more word of its maker, and no evidence.

        `done` and `abandoned` end a maker's run and release its claims. `seen` is what a repository knows of
        the commits, None where none is seen: what the run cannot have made is kept, but not bound to it; of a check
        what its own agent made, or may have made, is not kept. Raises
        Invalid for a status that the counts contradict, for a commit that is none, and for a checker whose run
        names no run to check; LimitExceeded for what is too long.
        """
        checked(status, checks)
        known_role(role)
        commits, links = shas(commits), links or {}
        for name, listed in (("commits", commits), ("checks.failing", checks.failing), ("links", links)):
            _refuse_long(name, listed)
        _refuse_long("links", links.values())
        summary, tried = bounded("summary", summary, required=True), bounded("tried", tried)
        finding = bounded("finding", finding, chars_max=NAME_CHARS_MAX)
        with acting_run(self._store, caller, run_id) as (tx, run):
            if role != MAKER and run.checks_run is None:
                raise Invalid(f"run {run.id} checks no run: start the {role} with checks_run=<the maker's run>")
            about = run.checks_run or run.id
            [maker] = rows.as_records(Run, tx.all(RUNS["get"], id=about))
            work = named_work(tx, caller, run, maker, commits, seen, role=role)
            past = rows.as_records(Outcome, tx.all(OUTCOMES["about"], about_run=about))
            draft, step = self._judged(past, work, status=status, checks=checks, finding=finding or run.finding)
            draft = replace(
                draft,
                repo_id=run.repo_id,
                run_id=run.id,
                about_run=about,
                summary=summary,
                tried=tried,
                commits=work.kept,
                links=dict(links),
                recorded_at_ms=tx.now_ms,
            )
            outcome = _recorded(tx, run, draft)
            mine = [sha for sha in work.kept if sha not in work.unbound]
            ages = commit_ages(seen) if seen is not None and seen.repo_id == run.repo_id else None
            keep_pulls(tx, run.repo_id, about, links.values())
            later = ledger.bind_commits(tx, about, run.repo_id, mine, ages_ms=ages)
            warnings = outcome_warnings(outcome, work.unbound, work.left_out, own=work.own)
            result = _closing(tx, run, outcome, step, warnings=warnings)
        landed_index.index_bound(self._store, about, run.repo_id, later)
        return result

    def of_runs(self, run_ids: Sequence[str]) -> tuple[Outcome, ...]:
        """What was recorded about these runs, by whomever, oldest first."""
        with self._store.read() as tx:
            return rows.as_records(Outcome, tx.all(OUTCOMES["of_runs"], run_ids=rows.json_column(list(run_ids))))

    def _judged(
        self, past: Sequence[Outcome], work: NamedWork, *, status: Status, checks: CheckCounts, finding: str
    ) -> tuple[Outcome, NextStep]:
        """The counts and the next step, from what was recorded before and this outcome."""
        role = work.role
        attempts = sum(old.role == MAKER for old in past) + (role == MAKER)
        rework = sum(old.status == "failed" for old in past) + (status == "failed")
        step = next_step(
            status=status,
            is_checker=role != MAKER,
            checks=checks,
            rework=rework,
            verified=_is_verified(past, work.kept),
            has_finding=bool(finding),
            rework_max=self._rework_max,
            speaks=bool(work.kept or not work.left_out),
        )
        outcome = Outcome(
            id="",
            repo_id="",
            run_id="",
            about_run="",
            seq=0,
            role=role,
            status=status,
            summary="",
            passed=checks.passed,
            failed=checks.failed,
            failing=checks.failing,
            tried="",
            finding=finding,
            commits=(),
            links={},
            attempt=attempts,
            rework=rework,
            next_action=step.action,
            recorded_at_ms=0,
        )
        return outcome, step


def _is_verified(past: Sequence[Outcome], commits: Collection[str]) -> bool:
    """Whether the last word was a checker's pass, and these commits were recorded before it."""
    if not past or past[-1].role == MAKER or not past[-1].is_evidence:
        return False
    return {sha for old in past for sha in old.commits}.issuperset(commits)


def _refuse_long(name: str, listed: Collection[str]) -> None:
    """Raises LimitExceeded for too many, and for one of them that is too long."""
    within(f"the number of {name}", len(listed), least=0, most=LIST_MAX)
    for text in listed:
        bounded(name, text, chars_max=NAME_CHARS_MAX * 2, required=True)


def _closing(tx: Tx, run: Run, outcome: Outcome, step: NextStep, *, warnings: tuple[str, ...]) -> OutcomeResult:
    """The answer, after the run has ended where the outcome ends it."""
    over = outcome.status in ENDING
    released = expiry.over(tx, replace(run, state="ended", status=outcome.status), "run.ended") if over else ()
    alerts = events.delivered(tx, run.id)
    return OutcomeResult(outcome=outcome, next=step, released=released, warnings=warnings, alerts=alerts)


def _recorded(tx: Tx, run: Run, draft: Outcome) -> Outcome:
    seq = tx.next_seq(run.repo_id)
    columns = {name: value for name, value in rows.row(replace(draft, seq=seq)).items() if name != "id"}
    outcome = replace(
        draft,
        seq=seq,
        id=events.drawn("out", lambda id: tx.run(OUTCOMES["insert"], id=id, **columns)),  # noqa: A006
    )
    payload = {
        "about": outcome.about_run,
        "role": outcome.role,
        "status": outcome.status,
        "attempt": outcome.attempt,
        "rework": outcome.rework,
        "next": outcome.next_action,
    }
    events.append(tx, run.repo_id, "outcome.recorded", about=outcome.id, run_id=run.id, payload=payload, seq=seq)
    forget_judgings(tx, outcome.about_run)
    if outcome.about_run != run.id:
        failing = f": {', '.join(outcome.failing)}" if outcome.failing else ""
        text = f"{outcome.status}, {outcome.passed}/{outcome.passed + outcome.failed} checks passed{failing}"
        events.alert(tx, outcome.about_run, "checked", seq=seq, about=outcome.id, text=text[:500], who=run.who)
    return outcome
