"""Runs: start, resume by key, and shorten when a session is gone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loomstack_mcp.core.briefing.fitting import Briefing
from loomstack_mcp.core.claims import Claim, PathWarning
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import (
    LEASE_AFTER_EOF_MS,
    LEASE_DEFAULT_MS,
    NAME_CHARS_MAX,
    SENTENCE_CHARS_MAX,
)
from loomstack_mcp.core.outcomes import Outcome
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.policy.rules import Rule
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run, acts_for, is_lost, renewed
from loomstack_mcp.core.texts import bounded
from loomstack_mcp.services import context, events, expiry, path_index, repos
from loomstack_mcp.services.acting import RUNS, own_runs, saved, used
from loomstack_mcp.services.blockers import CLAIMS
from loomstack_mcp.services.claims import warnings
from loomstack_mcp.services.outcomes import OUTCOMES
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


@dataclass(frozen=True, kw_only=True)
class StartResult:
    """A run to work under, and what to know before the first edit."""

    run: Run
    resumed: bool
    briefing: Briefing
    warnings: tuple[PathWarning, ...]
    next: str
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """One run with all that it claimed and recorded."""

    run: Run
    claims: tuple[Claim, ...]
    outcomes: tuple[Outcome, ...]
    now_ms: int


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
        budget_tokens: int,
    ) -> StartResult:
        """Start a run, or return the one that `key` stands for.

        A key is unique per repo, developer and loop. The live run of another session is never
        resumed (Invalid); a lost one is taken over, and one that ended is returned as it ended.
        """
        loop = bounded("loop", loop, chars_max=NAME_CHARS_MAX, required=True).strip()
        goal = bounded("goal", goal, chars_max=SENTENCE_CHARS_MAX, required=True)
        key = bounded("key", key, chars_max=NAME_CHARS_MAX)
        finding = bounded("finding", finding, chars_max=NAME_CHARS_MAX)
        path_index.few(patterns)
        repo_id = repos.known(self._store, checkout)
        with self._store.write(repo_id) as tx:
            expiry.swept(tx, repo_id)
            run = _resumed(tx, caller, repo_id, loop, key) if key else None
            resumed = run is not None
            if run is None:
                draft = _draft(tx, caller, repo_id, checkout, checks_run)
                draft = replace(draft, loop=loop, goal=goal, key=key, finding=finding, paths=tuple(patterns))
                run = _started(tx, draft)
            return StartResult(
                run=run,
                resumed=resumed,
                briefing=context.briefing(
                    tx, run.repo_id, run, run.paths, beside=beside, rules=rules, budget_tokens=budget_tokens
                ),
                warnings=warnings(tx, run, run.paths),
                next=_next(run),
                alerts=events.delivered(tx, run.id),
            )

    def shorten(self, caller: Caller) -> None:
        """The caller's process is gone: its runs keep what they hold for five more minutes at most.

        Those of the session's other agents stay as they are: Codex has a process for each of them.
        """
        with self._store.append() as tx:
            tx.run(
                RUNS["shorten"],
                principal=caller.principal,
                session=caller.session,
                agent=caller.agent,
                until_ms=tx.now_ms + LEASE_AFTER_EOF_MS,
            )

    def latest(self, repo_id: str, *, limit: int, live: bool = False) -> tuple[tuple[Run, ...], int]:
        """The last runs of a repo, newest first; with `live` those whose lease holds. And the time."""
        with self._store.read() as tx:
            if live:
                found = tx.all(RUNS["live"], repo_id=repo_id, now_ms=tx.now_ms, limit=limit)
            else:
                found = tx.all(RUNS["latest"], repo_id=repo_id, limit=limit)
            return rows.records(Run, found), tx.now_ms

    def details(self, run_id: str) -> RunDetails:
        """Raises NotFound."""
        with self._store.read() as tx:
            run = _known(tx, run_id)
            return RunDetails(
                run=run,
                claims=rows.records(Claim, tx.all(CLAIMS["of_run"], run_id=run.id, limit=100)),
                outcomes=rows.records(Outcome, tx.all(OUTCOMES["about"], about_run=run.id)),
                now_ms=tx.now_ms,
            )


def _resumed(tx: Tx, caller: Caller, repo_id: str, loop: str, key: str) -> Run | None:
    parameters = {"repo_id": repo_id, "principal": caller.principal, "loop": loop, "key": key}
    found = rows.records(Run, tx.all(RUNS["by_key"], **parameters))
    if not found:
        return None
    [run] = found
    if run.state == "ended":
        return run
    if acts_for(caller, run) and not is_lost(run, now_ms=tx.now_ms):
        return used(tx, run)
    if not is_lost(run, now_ms=tx.now_ms):
        left = age(max(0, run.expires_at_ms - tx.now_ms))
        raise Invalid(
            f"key {key} stands for {run.id}, which another session is running (its lease holds for {left}); "
            "use another key, or wait until that run is lost"
        )
    taken = replace(run, session=caller.session, agent=caller.agent, state="live")
    events.append(tx, repo_id, "run.resumed", about=run.id, run_id=run.id, payload={"session": caller.session})
    return saved(tx, renewed(taken, now_ms=tx.now_ms))


def _draft(tx: Tx, caller: Caller, repo_id: str, checkout: Checkout, checks_run: str) -> Run:
    """A run without its words yet: who, where, and under which other run."""
    if checks_run and _known(tx, checks_run).repo_id != repo_id:
        raise Invalid(f"checks_run {checks_run} runs in another repository")
    return Run(
        id="",
        repo_id=repo_id,
        parent_id=_parent(tx, caller, repo_id),
        checks_run=checks_run or None,
        loop="",
        goal="",
        branch=checkout.branch,
        worktree=checkout.worktree,
        principal=caller.principal,
        session=caller.session,
        agent=caller.agent,
        seq=0,
        ttl_ms=LEASE_DEFAULT_MS,
        expires_at_ms=tx.now_ms + LEASE_DEFAULT_MS,
        started_at_ms=tx.now_ms,
        seen_at_ms=tx.now_ms,
    )


def _started(tx: Tx, draft: Run) -> Run:
    draft = replace(draft, seq=events.next_seq(tx, draft.repo_id))
    columns = {name: value for name, value in rows.row(draft).items() if name != "id"}
    run = replace(draft, id=events.drawn("run", lambda id: tx.run(RUNS["insert"], id=id, **columns)))  # noqa: A006
    path_index.lay(tx, run.repo_id, "run", run.id, run.paths)
    payload = {"loop": run.loop, "goal": run.goal, "paths": run.paths, "who": run.principal}
    events.append(tx, run.repo_id, "run.started", about=run.id, run_id=run.id, payload=payload, seq=run.seq)
    return run


def _parent(tx: Tx, caller: Caller, repo_id: str) -> str | None:
    """The run in which a sub-agent was started: the newest live one of the agent above it."""
    if not caller.agent:
        return None
    for agent in dict.fromkeys((caller.parent_agent, "")):
        above = [run for run in own_runs(tx, replace(caller, agent=agent)) if run.repo_id == repo_id]
        if above:
            return above[0].id
    return None


def _known(tx: Tx, run_id: str) -> Run:
    found = rows.records(Run, tx.all(RUNS["get"], id=run_id))
    if not found:
        raise NotFound(f"run {run_id} is unknown; loom://runs lists those of this repository")
    return found[0]


def _next(run: Run) -> str:
    if run.state == "ended":
        return f"This run ended ({run.status}): start the next one with another key."
    if run.checks_run:
        return f"Check {run.checks_run}, then record_outcome with role=checker and the counts."
    return "claim_paths before you edit; record_outcome after each attempt."
