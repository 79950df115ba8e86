"""Usage: what clients tell of their runs' models and tools, each entry counted once, for the run that it belongs to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loomstack_mcp.core.errors import LimitExceeded
from loomstack_mcp.core.limits import CALLED_PATHS_MAX, NAME_CHARS_MAX
from loomstack_mcp.core.records import record
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.texts import redacted, within
from loomstack_mcp.core.usage import (
    AHEAD_MS_MAX,
    ENTRIES_MAX,
    ENTRY_KEPT_MS,
    RUN_ENTRIES_MAX,
    UNBOUND_MAX,
    ModelUsage,
    RunUsage,
    ToolPermissions,
    UsageEntry,
    UsageTaken,
    UsingRun,
    entry_problem,
    run_of_usage,
    usage_of_runs,
)
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Row, Store, Tx

USAGE = queries.statements("usage")

_RUNS_MAX = 2_000
_SWEPT_ROWS = 1_000
_FULL = "more was told today of this session, or of sessions without a run, than is kept"


@record
class _Whose:
    """The run of an entry, and its repo, in which it is counted."""

    run_id: str
    repo_id: str


class UsageService:
    """What runs consumed of models, and what their tools were let do."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_runs(self, run_ids: Sequence[str]) -> tuple[RunUsage, ...]:
        """Of each run that anything is told of, in the order of the ids; what its sub-agents' runs used is theirs."""
        within("the number of run_ids", len(run_ids), least=0, most=CALLED_PATHS_MAX)
        with self._store.read() as tx:
            wanted = {"ids": rows.json_column(list(run_ids))}
            models = rows.as_records(ModelUsage, tx.all(USAGE["of_runs"], **wanted))
            permissions = rows.as_records(ToolPermissions, tx.all(USAGE["permissions_of_runs"], **wanted))
        return usage_of_runs(run_ids, models, permissions)

    def take_in(self, caller: Caller, entries: Sequence[UsageEntry]) -> UsageTaken:
        """Count what a client of the caller told; what came before, once more or in part, is known again.

        An entry is a run's of the caller alone. Until a run of its session is known, it waits for one, a day at most.
        Raises LimitExceeded for more than `ENTRIES_MAX` at once.
        """
        if len(entries) > ENTRIES_MAX:
            raise LimitExceeded(f"{len(entries)} entries at once, {ENTRIES_MAX} is the most; send some at a time")
        problems = [problem for entry in entries if (problem := entry_problem(entry))]
        likely = [entry for entry in entries if not entry_problem(entry)]
        with self._store.read() as tx:  # what is only counted keeps nobody at the gate
            fitting = _fitting(tx, caller.principal, likely)
        with self._store.append() as tx:
            kept = _taken(tx, caller.principal, fitting) if fitting else 0
            # What a clock that goes ahead has dated is taken in again for as much longer.
            until_ms = tx.now_ms - ENTRY_KEPT_MS - AHEAD_MS_MAX
            tx.later(USAGE["sweep"], until_ms=until_ms, limit=_SWEPT_ROWS)
        if fitting:
            self._bind(caller.principal, fitting)
        problems += [_FULL] * (len(likely) - len(fitting))
        return UsageTaken(
            kept=kept, known=len(fitting) - kept, refused=len(problems), why=problems[0] if problems else ""
        )

    def _bind(self, principal: str, told: Sequence[UsageEntry]) -> None:
        """Count what waits in the sessions of these entries for the runs that are theirs by now."""
        with self._store.read() as tx:
            waiting = _waiting(tx, principal, told)
        by_repo: dict[str, list[tuple[str, Row]]] = defaultdict(list)
        for whose, row in waiting:
            by_repo[whose.repo_id].append((whose.run_id, row))
        for repo_id, found in sorted(by_repo.items()):
            with self._store.write(repo_id) as tx:  # in which nobody else counts for these runs
                _count(tx, found)


def family_cost_usd(tx: Tx, run_id: str) -> float | None:
    """What a run cost with those that were started in it; None where no client told it of each request."""
    return RunUsage(
        run_id=run_id, models=rows.as_records(ModelUsage, tx.all(USAGE["of_family"], run_id=run_id))
    ).cost_usd


def _fitting(tx: Tx, principal: str, entries: Sequence[UsageEntry]) -> list[UsageEntry]:
    """Those for which there is room: whoever makes up sessions takes none from those that have a run."""
    if not entries:
        return []
    sessions = sorted({entry.session for entry in entries})
    known = _runs(tx, principal, sessions)
    most = {"session_max": RUN_ENTRIES_MAX, "unbound_max": UNBOUND_MAX}
    counted = tx.all(USAGE["counted"], principal=principal, sessions=rows.json_column(sessions), **most)
    room = {
        row["session"]
        for row in counted
        if row["entries"] + len(entries) <= RUN_ENTRIES_MAX
        and (row["session"] in known or row["unbound"] + len(entries) <= UNBOUND_MAX)
    }
    return [entry for entry in entries if entry.session in room]


def _taken(tx: Tx, principal: str, entries: Iterable[UsageEntry]) -> int:
    told = [
        (
            *(one.key, one.kind, one.session[:NAME_CHARS_MAX], one.agent[:NAME_CHARS_MAX], one.named_run, one.age_ms),
            *(_name(one.model), one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens),
            *(one.cost_micro_usd, _name(one.source), int(one.is_accepted)),
        )
        for one in sorted(entries, key=lambda one: one.key)  # two who tell the same wait for each other in one order
    ]
    return tx.run(USAGE["take"], principal=principal, entries=rows.json_column(told))


def _name(text: str) -> str:
    """A word of another program, as it may be stored."""
    return redacted(text, chars_max=NAME_CHARS_MAX)


def _waiting(tx: Tx, principal: str, told: Sequence[UsageEntry]) -> list[tuple[_Whose, Row]]:
    """What waits and has a run by now."""
    sessions = sorted({entry.session for entry in told})
    runs = _runs(tx, principal, sessions)
    if not runs and not any(entry.named_run for entry in told):
        return []
    waiting = tx.all(USAGE["unbound"], principal=principal, sessions=rows.json_column(sessions), limit=ENTRIES_MAX * 4)
    named = {row["named_run"] for row in waiting} - {""}
    own = tx.all(USAGE["named"], principal=principal, ids=rows.json_column(sorted(named))) if named else []
    repos = {**{row["id"]: row["repo_id"] for row in own}, **{row["id"]: row["repo_id"] for row in _flat(runs)}}
    mine = {row["id"] for row in own}
    found = []
    for row in waiting:
        run_id = row["named_run"] if row["named_run"] in mine else _run_of(runs.get(row["session"], []), row)
        if run_id:
            found.append((_Whose(run_id=run_id, repo_id=repos[run_id]), row))
    return found


def _run_of(runs: Sequence[Row], row: Row) -> str:
    using = [
        UsingRun(
            id=run["id"],
            agent=run["agent"],
            is_asked=run["origin"] == "asked",
            started_at_ms=run["started_at_ms"],
            ended_at_ms=run["ended_at_ms"],
            seq=run["seq"],
        )
        for run in runs
    ]
    return run_of_usage(using, agent=row["agent"], named_run="", at_ms=row["at_ms"])


def _runs(tx: Tx, principal: str, sessions: Sequence[str]) -> Mapping[str, list[Row]]:
    """The runs of each session; of Codex's sub-agents, whose threads alone are told, as of sessions of their own."""
    found: dict[str, list[Row]] = defaultdict(list)
    asked = {"principal": principal, "limit": _RUNS_MAX}
    for row in tx.all(USAGE["runs_of_sessions"], sessions=rows.json_column(list(sessions)), **asked):
        found[row["session"]].append(row)
    threads = [one.removeprefix(_CODEX) for one in sessions if one.startswith(_CODEX) and one not in found]
    if threads:
        for row in tx.all(USAGE["runs_of_agents"], agents=rows.json_column(threads), **asked):
            found[f"{_CODEX}{row['session']}"].append(row)
    return found


def _flat(runs: Mapping[str, list[Row]]) -> Iterable[Row]:
    return (row for each in runs.values() for row in each)


def _count(tx: Tx, found: Sequence[tuple[str, Row]]) -> None:
    """Add entries to their runs, but for those that another has counted meanwhile."""
    by_run: dict[str, list[Row]] = defaultdict(list)
    for run_id, row in found:
        by_run[run_id].append(row)
    for run_id, entries in sorted(by_run.items()):
        keys = rows.json_column([row["key"] for row in entries])
        bound = {row["key"] for row in tx.all(USAGE["bind"], run_id=run_id, keys=keys)}
        fresh = [row for row in entries if row["key"] in bound]
        for columns in _totals(fresh, "request", "model"):
            tx.later(USAGE["add"], run_id=run_id, **columns)
        for columns in _totals(fresh, "permission", "source"):
            tx.later(USAGE["add_permissions"], run_id=run_id, **columns)


def _totals(entries: Sequence[Row], kind: str, by: str) -> list[dict[str, Any]]:
    """The sums of entries of a kind, by what tells them apart."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in entries:
        if row["kind"] == kind:
            groups[row[by]].append(row)
    summed = _requests if kind == "request" else _permissions
    return [{by: name, **summed(group)} for name, group in sorted(groups.items())]


def _requests(group: Sequence[Row]) -> dict[str, int]:
    tokens = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    return {
        **{name: sum(row[name] for row in group) for name in tokens},
        "requests": len(group),
        "cost_micro_usd": sum(row["cost_micro_usd"] or 0 for row in group),
        "unpriced": sum(row["cost_micro_usd"] is None for row in group),
        "last_at_ms": max(row["at_ms"] for row in group),
    }


def _permissions(group: Sequence[Row]) -> dict[str, int]:
    accepted = sum(row["accepted"] for row in group)
    return {"accepted": accepted, "rejected": len(group) - accepted}


_CODEX = "codex:"
