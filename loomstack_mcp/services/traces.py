"""Traces: the chain behind a change, read from the store alone."""

from collections.abc import Mapping, Sequence

from loomstack_mcp.core.changes.attributions import Attribution
from loomstack_mcp.core.deploys import Deploy
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.core.texts import within
from loomstack_mcp.core.traces import (
    TRACED_COMMITS_MAX,
    TRACED_RUNS_MAX,
    LaterStep,
    Trace,
    TracedApproval,
    TracedCommit,
    TracedDecision,
    TracedDeploy,
    TracedRun,
    TraceRef,
    TraceWanted,
    later_how,
    trace_ref,
)
from loomstack_mcp.services.acting import RUNS, named_run
from loomstack_mcp.services.attributed import ATTRIBUTIONS, kept_attributions
from loomstack_mcp.services.deploys import DEPLOYS, as_deploys
from loomstack_mcp.services.traced_refs import TRACES, commits_made, wanted_by_store
from loomstack_mcp.services.traced_runs import traced_runs
from loomstack_mcp.services.usage import USAGE
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx

_DETAILED_MAX = 5
"""Runs of which all is told; of more, as a deploy has, who they are and what they were for."""
_DEPLOYS_MAX = 20
_LATER_MAX = 20
_LANDED_MAX = 10_000


class TraceService:
    """The chain: change, run, loop, who, why, checked by whom, let through by whom, deployed where, taken back when."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def chain(self, repo_id: str, wanted: TraceWanted) -> Trace:
        """The chain of commits, runs and deploys that were found where the repository is seen."""
        with self._store.read() as tx:
            return _chain(tx, repo_id, wanted)

    def kept_trace(self, repo_id: str, ref: str) -> Trace:
        """The chain of what `ref` names, by the store alone. Raises NotFound, and Invalid for what names nothing.

        A line of a file, and a branch, are known where a clone is.
        """
        with self._store.read() as tx:
            return _chain(tx, repo_id, wanted_by_store(tx, repo_id, trace_ref(ref), asked=ref))

    def callers_trace(self, caller: Caller, ref: str) -> Trace:
        """The same for whoever stands in no clone: in the repo of the run or the deploy that is named, else of the

        caller's newest run. Raises what `kept_trace` raises, and Invalid where there is no such run.
        """
        with self._store.read() as tx:
            told = trace_ref(ref)
            repo_id = _repo_named(tx, told) or named_run(tx, caller, "").repo_id
            return _chain(tx, repo_id, wanted_by_store(tx, repo_id, told, asked=ref))

    def landed(
        self, repo_id: str, *, within_ms: int, limit: int
    ) -> tuple[tuple[Attribution, ...], tuple[Run, ...], Mapping[str, tuple[str, ...]]]:
        """What landed within a time until now and is some run's, the newest first; those runs, and their models."""
        within("limit", limit, least=1, most=_LANDED_MAX)
        with self._store.read() as tx:
            asked = {"repo_id": repo_id, "since_ms": max(1, tx.now_ms - within_ms), "limit": limit}
            commits = _commits(tx, repo_id, [str(row["sha"]) for row in tx.all(TRACES["landed"], **asked)])
            runs = _runs(tx, repo_id, list(dict.fromkeys(one.run_id for one in commits)))
            models: dict[str, tuple[str, ...]] = {}
            for row in tx.all(USAGE["of_runs"], ids=rows.json_column([run.id for run in runs])) if runs else ():
                models[row["run_id"]] = (*models.get(row["run_id"], ()), str(row["model"]))
        return commits, tuple(runs), models

    def trace_wanted(self, repo_id: str, ref: TraceRef, *, asked: str) -> TraceWanted:
        """What a pull request, a deploy or a run stands for. Raises NotFound."""
        with self._store.read() as tx:
            return wanted_by_store(tx, repo_id, ref, asked=asked)


def _chain(tx: Tx, repo_id: str, wanted: TraceWanted) -> Trace:
    shas = tuple(dict.fromkeys(wanted.shas))
    commits = _commits(tx, repo_id, shas)
    run_ids = list(dict.fromkeys([*_makers(tx, repo_id, wanted, commits), *wanted.run_ids]))
    runs = _runs(tx, repo_id, run_ids)
    deploys = _deploys(tx, repo_id, wanted, commits)
    detailed = runs[:_DETAILED_MAX] if wanted.kind == "deploy" else runs[:TRACED_RUNS_MAX]
    told, decisions, approvals = traced_runs(
        tx,
        repo_id,
        detailed,
        shas=() if wanted.kind == "deploy" else shas,
        decision_ids={one.decision for one in deploys if one.decision},
    )
    more = [TracedRun(run=run) for run in runs[len(detailed) : TRACED_RUNS_MAX]]
    unknown = len(shas) - len(commits)
    gaps = (f"whose {unknown} of its commits are, which were never looked at in a clone",) if unknown else ()
    return Trace(
        ref=wanted.asked,
        kind=wanted.kind,
        commits=tuple(TracedCommit(commit=one) for one in commits),
        line=wanted.line,
        runs=(*told, *more),
        deploys=_let_through(deploys, decisions, approvals, rolled_back=_rolled_back(tx, deploys)),
        later=_later(tx, repo_id, shas, is_wanted=wanted.kind != "deploy"),
        more_commits=wanted.more_commits,
        more_runs=max(0, len(runs) - TRACED_RUNS_MAX),
        unchecked=(*wanted.unchecked, *gaps),
        now_ms=tx.now_ms,
    )


def _let_through(
    deploys: Sequence[Deploy],
    decisions: Sequence[TracedDecision],
    approvals: Sequence[TracedApproval],
    *,
    rolled_back: Mapping[str, str],
) -> tuple[TracedDeploy, ...]:
    """The deploys with what let them through, and what took them out again."""
    by_id = {one.id: one for one in decisions}
    return tuple(
        TracedDeploy(
            deploy=one,
            rolled_back_by=rolled_back.get(one.id, ""),
            decision=by_id.get(one.decision),
            approvals=tuple(each for each in approvals if each.decision_id == one.decision),
        )
        for one in deploys
    )


def _rolled_back(tx: Tx, deploys: Sequence[Deploy]) -> dict[str, str]:
    ids = rows.json_column([one.id for one in deploys])
    found = tx.all(DEPLOYS["rollbacks_of"], ids=ids) if deploys else []
    return {str(row["id"]): str(row["by_id"]) for row in reversed(found)}  # the first one of each stays


def _repo_named(tx: Tx, ref: TraceRef) -> str:
    """The repo of a run or a deploy that is named by its id; "" for any other, and what is unknown."""
    noun = ref.text.partition("_")[0]
    statement = {"run": RUNS["get"], "dep": DEPLOYS["get"]}.get(noun) if ref.kind in ("run", "deploy") else None
    return next((str(row["repo_id"]) for row in tx.all(statement, id=ref.text)), "") if statement else ""


def _commits(tx: Tx, repo_id: str, shas: Sequence[str]) -> tuple[Attribution, ...]:
    """Those that are known, in the order of `shas`."""
    if not shas:
        return ()
    found = kept_attributions(tx, tx.all(ATTRIBUTIONS["of_shas"], repo_id=repo_id, shas=rows.json_column(shas)))
    by_sha = {one.sha: one for one in found}
    return tuple(by_sha[sha] for sha in shas if sha in by_sha)


def _makers(tx: Tx, repo_id: str, wanted: TraceWanted, commits: Sequence[Attribution]) -> list[str]:
    """The runs of the commits, those that made most of one first; of a line its own writer, of a run itself."""
    if wanted.line or wanted.kind == "run":
        return [wanted.line.run_id] if wanted.line and wanted.line.run_id else []
    shared = [one.sha for one in commits if "several_runs" in one.flags]
    others = tx.all(TRACES["made_with"], repo_id=repo_id, shas=rows.json_column(shared)) if shared else []
    return [*(one.run_id for one in commits if one.run_id), *(str(row["run_id"]) for row in others)]


def _runs(tx: Tx, repo_id: str, ids: Sequence[str]) -> list[Run]:
    found = rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(list(ids)))) if ids else ()
    by_id = {run.id: run for run in found if run.repo_id == repo_id}
    return [by_id[one] for one in ids if one in by_id]


def _deploys(tx: Tx, repo_id: str, wanted: TraceWanted, commits: Sequence[Attribution]) -> tuple[Deploy, ...]:
    """Those that are asked for; else those that the commits came with, of each environment the first ones first.

    What did not land in its own form was deployed in another one.
    """
    if wanted.deploy_ids:
        asked_for = (one for each in wanted.deploy_ids for one in as_deploys(tx.all(DEPLOYS["get"], id=each)))
        return tuple(one for one in asked_for if one.repo_id == repo_id)
    shas = wanted.shas or (commits_made(tx, repo_id, wanted.run_ids) if wanted.run_ids else ())
    if unlanded := [one.sha for one in commits if one.run_id and not one.landed_at_ms]:
        asked = {"repo_id": repo_id, "shas": rows.json_column(unlanded), "limit": TRACED_COMMITS_MAX}
        shas = (*shas, *(str(row["sha"]) for row in tx.all(TRACES["landed_as"], **asked)))
    asked = {"repo_id": repo_id, "shas": rows.json_column(list(dict.fromkeys(shas))), "limit": _DEPLOYS_MAX}
    return as_deploys(tx.all(DEPLOYS["covering"], **asked)) if shas else ()


def _later(tx: Tx, repo_id: str, shas: Sequence[str], *, is_wanted: bool) -> tuple[LaterStep, ...]:
    """What took these commits back, the first one first."""
    if not (is_wanted and shas):
        return ()
    asked = {"repo_id": repo_id, "shas": rows.json_column(list(shas)), "limit": _LATER_MAX}
    return tuple(
        LaterStep(
            sha=row["reverted"],
            by=row["sha"],
            how=later_how(row["title"]),
            title=row["title"],
            author=row["author"],
            run_id=row["run_id"],
            who=f"{row['loop']}@{row['principal']}" if row["loop"] else "",
            at_ms=row["landed_at_ms"] or row["made_at_ms"],
        )
        for row in tx.all(TRACES["taken_back_by"], **asked)
    )
