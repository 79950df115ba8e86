"""Conflicts: what a run's change would take back of what has landed; found, told, and settled."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from loomstack_mcp.core.changes.conflicts import Conflict, Proposal, strictest_verdict
from loomstack_mcp.core.changes.verdicts import Verdict
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.events import Alert
from loomstack_mcp.core.limits import SECOND_MS
from loomstack_mcp.core.policy.situation import LostIntent
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run
from loomstack_mcp.services import events, repos
from loomstack_mcp.services.acting import RUNS, acting_run, allowed_run, named_run
from loomstack_mcp.services.proposals import conflicts_of, undoings_of
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

CONFLICTS = queries.statements("conflicts")

_NOTES_MAX = 200


@dataclass(frozen=True, kw_only=True)
class ConflictResult:
    """What stands between a change and landing."""

    verdict: Verdict
    conflicts: tuple[Conflict, ...]
    target: str
    changes: int
    """How many landed changes it was compared with."""
    ms: int
    unchecked: tuple[str, ...] = ()
    now_ms: int
    alerts: tuple[Alert, ...] = ()


class ConflictService:
    """A proposed change against the ledger. It compares hashes, and needs no declaration of anybody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, checkout: Checkout, proposal: Proposal) -> ConflictResult:
        """What a person's change would take back, or touch in its intent. Nothing is recorded."""
        began = time.monotonic()
        with self._store.read() as tx:
            found = conflicts_of(tx, repos.repo_id_of(tx, checkout), proposal, run=None)
            return _result(found, proposal, began, tx.now_ms)

    def check_run(self, caller: Caller, run_id: str, proposal: Proposal) -> ConflictResult:
        """The same for the caller's run. What is new is recorded, and the other side told; what is gone is settled.

        Raises what `acting_run` raises.
        """
        began = time.monotonic()
        with self._store.read() as tx:
            run = allowed_run(caller, named_run(tx, caller, run_id), now_ms=tx.now_ms)
            found = conflicts_of(tx, run.repo_id, proposal, run=run)
        with acting_run(self._store, caller, run.id) as (tx, run):
            result = _result(_recorded(tx, run, found), proposal, began, tx.now_ms)
            return replace(result, alerts=events.delivered(tx, run.id))

    def undoing(self, checkout: Checkout, proposal: Proposal) -> tuple[LostIntent, ...]:
        """Which changes made on purpose it would take back or replace, as the policy asks."""
        with self._store.read() as tx:
            return undoings_of(tx, repos.repo_id_of(tx, checkout), proposal)

    def open(self, repo_id: str, *, limit: int) -> tuple[tuple[Conflict, ...], int]:
        """The conflicts of a repo that are neither settled nor void, newest first. And the time."""
        with self._store.read() as tx:
            return open_conflicts(tx, repo_id, limit=limit), tx.now_ms


def open_conflicts(tx: Tx, repo_id: str, *, limit: int) -> tuple[Conflict, ...]:
    """Those neither settled nor void, newest first."""
    return rows.records(Conflict, tx.all(CONFLICTS["open"], repo_id=repo_id, limit=limit))


def void_conflicts(tx: Tx, run: Run, how: str) -> None:
    """The run is over: what it would have changed is nobody's any more."""
    for conflict in rows.records(Conflict, tx.all(CONFLICTS["of_run"], run_id=run.id)):
        _end(tx, conflict, "void", how)


def _result(found: Sequence[Conflict], proposal: Proposal, began: float, now_ms: int) -> ConflictResult:
    return ConflictResult(
        verdict=strictest_verdict(found, unchecked=proposal.unchecked),
        conflicts=tuple(found),
        target=proposal.target,
        changes=len(proposal.history),
        ms=round((time.monotonic() - began) * SECOND_MS),
        unchecked=proposal.unchecked,
        now_ms=now_ms,
    )


def _recorded(tx: Tx, run: Run, found: Sequence[Conflict]) -> list[Conflict]:
    """Those found, with their ids: new ones are told to the other side, and open ones that are gone are settled."""
    known = {(old.sha, old.kind): old for old in rows.records(Conflict, tx.all(CONFLICTS["of_run"], run_id=run.id))}
    told = []
    for conflict in found:
        old = known.pop((conflict.sha, conflict.kind), None)
        if old is None:
            told.append(_opened(tx, run, conflict))
            continue
        now = replace(
            conflict, id=old.id, repo_id=old.repo_id, run_id=old.run_id, seq=old.seq, found_at_ms=old.found_at_ms
        )
        columns = rows.row(now)
        tx.run(CONFLICTS["update"], **{name: columns[name] for name in _CHANGING})
        told.append(now)
    for gone in known.values():
        _end(tx, gone, "settled", "no longer in the change")
    return told


def _opened(tx: Tx, run: Run, found: Conflict) -> Conflict:
    seq = events.next_seq(tx, run.repo_id)
    draft = replace(found, repo_id=run.repo_id, run_id=run.id, seq=seq, found_at_ms=tx.now_ms)
    columns = {name: value for name, value in rows.row(draft).items() if name not in ("id", "state", "how")}
    draft = replace(draft, id=events.drawn("conf", lambda id: tx.run(CONFLICTS["insert"], id=id, **columns)))  # noqa: A006
    payload = {"kind": draft.kind, "verdict": draft.verdict, "commit": draft.sha, "paths": draft.paths}
    events.append(tx, run.repo_id, "conflict.found", about=draft.id, run_id=run.id, payload=payload, seq=seq)
    theirs = rows.records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column([draft.with_run])))
    if any(other.state == "live" for other in theirs):
        verb = "would touch" if draft.kind == "intent" else "would take back"
        where = few_listed(draft.paths)
        text = f"{run.who} {verb} your {draft.sha[:10]} in {where}; share_context(to={run.id}) reaches it"
        events.alert(tx, draft.with_run, "conflict", seq=seq, about=draft.id, text=text, who=run.who)
    return draft


def _end(tx: Tx, conflict: Conflict, state: Literal["settled", "void"], how: str) -> None:
    tx.run(CONFLICTS["end"], id=conflict.id, state=state, how=how, now_ms=tx.now_ms)
    payload = {"state": state, "how": how}
    events.append(tx, conflict.repo_id, "conflict.ended", about=conflict.id, run_id=conflict.run_id, payload=payload)


_CHANGING = ("id", "kind", "verdict", "paths", "intent", "evidence")
