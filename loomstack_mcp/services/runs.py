"""Runs: start, resume by key, and shorten when a session is gone."""

from collections.abc import Sequence
from dataclasses import replace

from loomstack_mcp.core.briefing.fitting import Briefing
from loomstack_mcp.core.claims import Claim, PathWarning, few_listed
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import (
    DAY_MS,
    LEASE_AFTER_EOF_MS,
    NAME_CHARS_MAX,
    SENTENCE_CHARS_MAX,
)
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.records import record
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import FAR_LEFT, FAR_PROCESS, Caller, Run, is_surely_of
from loomstack_mcp.core.stranded import StrandedRun
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.services import context, events, expiry, path_index, repos, waiters
from loomstack_mcp.services.acting import RUNS, own_runs
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.claims import held_by
from loomstack_mcp.services.path_warnings import path_warnings
from loomstack_mcp.services.recorded import OUTCOMES
from loomstack_mcp.services.starts import drafted_run, recorded_run, restarted_run, resumed_run, run_of_id
from loomstack_mcp.services.stranded import tell_stranded
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store

BOOT = queries.statements("boot")


@record
class StartResult:
    """A run to work under, and what to know before the first edit."""

    run: Run
    resumed: bool
    briefing: Briefing
    warnings: tuple[PathWarning, ...]
    next: str
    alerts: tuple[Alert, ...] = ()


@record
class RunDetails:
    """One run with all that it claimed and recorded."""

    run: Run
    claims: tuple[Claim, ...]
    outcomes: tuple[Outcome, ...]
    now_ms: int


_ASK_RUN = " Pass run in each call."
"""Where nobody tells one agent of the session from another: a call without a run would be refused once it has two."""
_THEN = "check_conflicts before you land; record_outcome after each attempt."


class RunService:
    """One execution of a loop, from start to outcome."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(
        self,
        caller: Caller,
        checkout: Checkout,
        *,
        loop: str,
        goal: str,
        patterns: Sequence[str] = (),
        beside: Sequence[str] = (),
        checks_run: str = "",
        finding: str = "",
        key: str = "",
        rules: Sequence[Rule] = (),
        stranded: Sequence[StrandedRun] = (),
        budget_tokens: int,
    ) -> StartResult:
        """Start a run, or return the one that `key` stands for.

        A key is unique per repo, developer and loop. The live run of another session is never
        resumed (Invalid); a lost one is taken over, and one that ended is returned as it ended.
        Of `stranded` runs of its loop it hears once.
        Raises Invalid or LimitExceeded also for what is out of bounds, NotFound for an unknown `checks_run`.
        """
        loop = bounded("loop", loop, chars_max=NAME_CHARS_MAX, required=True).strip()
        goal = bounded("goal", goal, chars_max=SENTENCE_CHARS_MAX, required=True)
        key = bounded("key", key, chars_max=NAME_CHARS_MAX)
        finding = bounded("finding", finding, chars_max=NAME_CHARS_MAX)
        path_index.refuse_many_paths(patterns)
        with self._store.write(lambda tx: repos.recorded_in(tx, checkout)) as tx:
            repo_id = repos.repo_id_of(tx, checkout)
            expiry.swept(tx, repo_id)
            if key:
                run = resumed_run(tx, caller, repo_id, loop, key)
            else:
                run = restarted_run(tx, caller, repo_id, loop, checks_run)
            resumed = run is not None
            if run is None:
                draft = drafted_run(tx, caller, repo_id, checkout, checks_run)
                draft = replace(draft, loop=loop, goal=goal, key=key, finding=finding, paths=tuple(patterns))
                run = recorded_run(tx, draft)
            tell_stranded(tx, run, stranded)
            alerts = events.delivered(tx, run.id)
        with self._store.read() as tx:  # what is only read keeps nobody at the gate
            is_own_check = bool(run.checks_run) and is_surely_of(caller, run_of_id(tx, run.checks_run or ""))
            return StartResult(
                run=run,
                resumed=resumed,
                briefing=context.briefing(
                    tx, run.repo_id, run, run.paths, beside=beside, rules=rules, budget_tokens=budget_tokens
                ),
                warnings=path_warnings(tx, run, run.paths),
                next=_next(run, held_by(tx, run.id), is_own_check=is_own_check) + ("" if caller.certain else _ASK_RUN),
                alerts=alerts,
            )

    def shorten(self, caller: Caller) -> None:
        """The caller's server ends: its runs wait for nothing, and keep what they hold five more minutes at most.

        A run that goes on in another process of the session stays as it is, and so do those of its other agents: Codex
        has a server for each of them.
        """
        who = {name: getattr(caller, name) for name in ("principal", "session", "agent", "process")}
        with self._store.read() as tx:
            where = dict.fromkeys(run.repo_id for run in own_runs(tx, caller))
        for repo_id in where:
            with self._store.write(repo_id) as tx:
                for run in own_runs(tx, caller):
                    if (run.repo_id, run.process) == (repo_id, caller.process):
                        waiters.leave_queues(tx, run.id)
                tx.later(RUNS["shorten"], repo_id=repo_id, until_ms=tx.now_ms + LEASE_AFTER_EOF_MS, **who)
                if caller.process.startswith(FAR_PROCESS):  # of which nobody could see that it is gone
                    tx.later(RUNS["left"], repo_id=repo_id, left_process=FAR_LEFT, **who)

    def boots_alternate(self) -> bool:
        """Whether several kernels used the store in turns in the last day; a reboot is none."""
        with self._store.read() as tx:
            return bool(tx.all(BOOT["alternating"], since_ms=tx.now_ms - DAY_MS))

    def latest(self, repo_id: str, *, limit: int, live: bool = False) -> tuple[tuple[Run, ...], int]:
        """The last runs of a repo, newest first; with `live` those whose lease holds. And the time."""
        with self._store.read() as tx:
            if live:
                found = tx.all(RUNS["live"], repo_id=repo_id, origin="", now_ms=tx.now_ms, limit=limit)
            else:
                found = tx.all(RUNS["latest"], repo_id=repo_id, limit=limit)
            return rows.as_records(Run, found), tx.now_ms

    def details(self, run_id: str) -> RunDetails:
        """A run, with what it claimed and what was recorded about it. Raises NotFound."""
        with self._store.read() as tx:
            run = run_of_id(tx, run_id)
            return RunDetails(
                run=run,
                claims=rows.as_records(Claim, tx.all(CLAIMS["of_run"], run_id=run.id, limit=100)),
                outcomes=rows.as_records(Outcome, tx.all(OUTCOMES["about"], about_run=run.id)),
                now_ms=tx.now_ms,
            )


def _next(run: Run, held: Sequence[Claim], *, is_own_check: bool) -> str:
    if run.state == "ended":
        return f"This run ended ({run.status}): start the next one with another key."
    if is_own_check:
        return f"{run.checks_run} is your own run, so that your check is no evidence; let another agent start it."
    if run.checks_run:
        return f"Check {run.checks_run}, then record_outcome with role=checker and the counts."
    if asked := [claim for claim in held if claim.origin == "asked"]:
        patterns = few_listed([text for claim in asked for text in claim.patterns])
        return f"You still hold {patterns}; claim_paths before you edit elsewhere; {_THEN}"
    return f"claim_paths before you edit; {_THEN}"
