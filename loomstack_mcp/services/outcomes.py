"""Outcomes: record an attempt, count its rework, say what comes next, and end the run that is done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import LIST_MAX, NAME_CHARS_MAX
from loomstack_mcp.core.outcomes import (
    ENDING,
    MAKER,
    ROLES,
    CheckCounts,
    NextStep,
    Outcome,
    OutcomeResult,
    Role,
    SeenCommits,
    Status,
    actual_role,
    checked,
    known_role,
    made_since,
    next_step,
    not_made,
    outcome_warnings,
    shas,
    uncounted,
    whole_shas,
)
from loomstack_mcp.core.runs import Caller, Run, is_surely_of
from loomstack_mcp.core.texts import bounded, within
from loomstack_mcp.services import events, expiry, landed_index, ledger
from loomstack_mcp.services.acting import RUNS, acting_run
from loomstack_mcp.services.recorded import OUTCOMES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_CHECKING = tuple(role for role in ROLES if role != MAKER)


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
            [maker] = rows.records(Run, tx.all(RUNS["get"], id=about))
            if seen is not None and seen.repo_id != run.repo_id:
                seen = None
            named = tuple(commits) if seen is None else whole_shas(commits, seen)
            mine = _own_commits(tx, caller, run, named)
            own = _own_run(caller, run, maker, mine, named)
            role = actual_role(role, checks_another=run.checks_run is not None, is_own_word=bool(own))
            unbound = _unbound(tx, maker, named, seen, by_maker=role == MAKER)
            left_out = {} if own else uncounted(mine, _unowned(tx, run, named, seen))
            kept = tuple(sha for sha in named if sha not in left_out)
            past = rows.records(Outcome, tx.all(OUTCOMES["about"], about_run=about))
            draft, step = self._judged(past, status=status, role=role, checks=checks, finding=finding or run.finding)
            draft = replace(
                draft,
                repo_id=run.repo_id,
                run_id=run.id,
                about_run=about,
                summary=summary,
                tried=tried,
                commits=kept,
                links=dict(links),
                recorded_at_ms=tx.now_ms,
            )
            outcome = _recorded(tx, run, draft)
            later = ledger.bind_commits(tx, about, run.repo_id, [sha for sha in kept if sha not in unbound])
            warnings = outcome_warnings(outcome, unbound, left_out, own=own)
            result = _closing(tx, run, outcome, step, warnings=warnings)
        landed_index.index_bound(self._store, about, run.repo_id, later)
        return result

    def of_runs(self, run_ids: Sequence[str]) -> tuple[Outcome, ...]:
        """What was recorded about these runs, by whomever, oldest first."""
        with self._store.read() as tx:
            return rows.records(Outcome, tx.all(OUTCOMES["of_runs"], run_ids=rows.json_column(list(run_ids))))

    def _judged(
        self, past: Sequence[Outcome], *, status: Status, role: Role, checks: CheckCounts, finding: str
    ) -> tuple[Outcome, NextStep]:
        """The counts and the next step, from what was recorded before and this outcome."""
        attempts = sum(old.role not in _CHECKING for old in past) + (role not in _CHECKING)
        rework = sum(old.status == "failed" for old in past) + (status == "failed")
        verdicts = [old for old in past if old.role in _CHECKING]
        verified = bool(verdicts) and past[-1] is verdicts[-1] and verdicts[-1].is_evidence
        step = next_step(
            status=status,
            is_checker=role in _CHECKING,
            checks=checks,
            rework=rework,
            verified=verified,
            has_finding=bool(finding),
            rework_max=self._rework_max,
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


def _own_run(caller: Caller, run: Run, maker: Run, mine: Mapping[str, str], commits: Sequence[str]) -> str:
    """Which run of the very agent that calls is all that is checked here; "" where another's is, or may be."""
    if run.checks_run is None:
        return ""
    if is_surely_of(caller, maker):
        return maker.id
    return mine[commits[0]] if commits and len(mine) == len(commits) else ""


def _own_commits(tx: Tx, caller: Caller, run: Run, commits: Sequence[str]) -> dict[str, str]:
    """Which of the commits that a check names the very agent that calls has made, and in which run."""
    if run.checks_run is None:
        return {}
    makers = {sha: ledger.makers_of(tx, run.repo_id, [sha]) for sha in commits}
    return {sha: one.id for sha, found in makers.items() for one in found if is_surely_of(caller, one)}


def _unbound(tx: Tx, maker: Run, commits: Sequence[str], seen: SeenCommits | None, *, by_maker: bool) -> dict[str, str]:
    """Which of the commits are not the maker's, and why."""
    found = ledger.made_by_others(tx, maker, commits)
    if seen is not None:
        found |= not_made(seen, maker.id, run_age_ms=tx.now_ms - maker.started_at_ms, by_maker=by_maker)
    return found


def _unowned(tx: Tx, run: Run, commits: Sequence[str], seen: SeenCommits | None) -> tuple[str, ...]:
    """Which of the commits were made while a run checked, by whom nobody said: it may be the checker itself."""
    if seen is None or run.checks_run is None:
        return ()
    since = made_since(seen, age_ms=tx.now_ms - run.started_at_ms)
    return tuple(sha for sha in commits if sha in since and not ledger.makers_of(tx, run.repo_id, [sha]))


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
    seq = events.next_seq(tx, run.repo_id)
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
    if outcome.about_run != run.id:
        failing = f": {', '.join(outcome.failing)}" if outcome.failing else ""
        text = f"{outcome.status}, {outcome.passed}/{outcome.passed + outcome.failed} checks passed{failing}"
        events.alert(tx, outcome.about_run, "checked", seq=seq, about=outcome.id, text=text[:500], who=run.who)
    return outcome
