"""Entering a call: which run is meant, whether the caller may act for it, and its lease renewed by use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from loomstack_mcp.core.errors import Invalid, LeaseLost, LoomError, NotFound, Unauthorized
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.runs import (
    Caller,
    Run,
    acts_for,
    is_lapsed,
    is_lost,
    is_stopped,
    renewal_due,
    renewed,
    stopped_words,
)
from loomstack_mcp.services import events
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

RUNS = queries.statements("runs")
_OWN_RUNS_MAX = 200
"""A run for each of so many sub-agents that work at once."""


@contextmanager
def acting_run(store: Store, caller: Caller, run_id: str) -> Iterator[tuple[Tx, Run]]:
    """A write transaction in the repo of the caller's run, with that run's lease renewed by this use.

    Raises NotFound, Unauthorized, LeaseLost or Invalid (an ended run), each saying what to do next.
    """
    with entered_run(store, caller, run_id) as (tx, run):
        yield tx, saved_lease(tx, run)


@contextmanager
def entered_run(
    store: Store, caller: Caller, run_id: str, *, ahead: Callable[[Tx, Run], None] | None = None
) -> Iterator[tuple[Tx, Run]]:
    """The same, where the lease is still to be saved: by whoever may change it once more.

    `ahead` tells what will be asked of that run.
    """
    runs: list[Run] = []

    def repo_id(tx: Tx) -> str:
        runs[:] = [named_run(tx, caller, run_id)]
        if ahead:
            ahead(tx, runs[0])
        return runs[0].repo_id

    with store.write(repo_id) as tx:
        yield tx, _seen(tx, caller, allowed_run(caller, runs[0], now_ms=tx.now_ms))


def named_run(tx: Tx, caller: Caller, run_id: str) -> Run:
    """The run of that id, or with "" the caller's newest live run; its session's own only where it asked for none."""
    if run_id:
        found = rows.as_records(Run, tx.all(RUNS["get"], id=run_id))
        if not found:
            raise NotFound(f"run {run_id} is unknown; start_run returns yours")
        return found[0]
    own = meant_runs(tx, caller)
    if not own:
        raise _no_live_run(tx, caller)
    if len(own) > 1 and not caller.certain:
        listed = ", ".join(f"{run.id} ({run.loop}: {run.goal[:60]})" for run in own)
        raise Invalid(f"several live runs could be yours, so pass run: {listed}")
    return own[0]


def meant_runs(tx: Tx, caller: Caller) -> list[Run]:
    """Those that a call without a run may mean: what the caller asked for, else the run of its session.

    None where there are several of the session's, and nobody knows which agent calls.
    """
    own = own_runs(tx, caller)
    asked = [run for run in own if run.origin == "asked"]
    return asked or (own if caller.certain or len(own) == 1 else [])


def own_runs(tx: Tx, caller: Caller) -> list[Run]:
    """The caller's runs that are neither over nor lost: what it asked for first, each newest first."""
    found = rows.as_records(Run, tx.all(RUNS["of_session"], **_agents(caller), limit=_OWN_RUNS_MAX))
    return [run for run in found if not is_lost(run, now_ms=tx.now_ms)]


def allowed_run(caller: Caller, run: Run, *, now_ms: int) -> Run:
    """The run, where the caller may act for it and it is not over."""
    if not acts_for(caller, run):
        is_ours = (caller.principal, caller.session) == (run.principal, run.session)
        whose = "another agent of this session" if is_ours else "another session"
        raise Unauthorized(f"run {run.id} belongs to {whose}; call start_run and use your own")
    if is_stopped(run):
        raise Invalid(stopped_words(run.id, run.status))
    if run.state == "ended":
        since = age(now_ms - (run.ended_at_ms or now_ms))
        raise Invalid(f"run {run.id} ended {since} ago ({run.status}); call start_run for the next one")
    if is_lost(run, now_ms=now_ms):
        silent = age(now_ms - run.seen_at_ms)
        raise LeaseLost(f"run {run.id} was silent for {silent} and is lost; call start_run and claim again")
    return run


def used_run(tx: Tx, caller: Caller, run: Run) -> Run:
    """The run as a call from it leaves it: seen now in the caller's process, renewed with its forebears where due."""
    return saved_lease(tx, _seen(tx, caller, run))


def family(tx: Tx, run: Run) -> frozenset[str]:
    """The run and those it descends from: their claims do not block it."""
    return lineage(tx, run.id) if run.parent_id else frozenset([run.id])


def lineage(tx: Tx, run_id: str) -> frozenset[str]:
    """The same of a run that is known by its id alone."""
    return frozenset(row["id"] for row in tx.all(RUNS["lineage"], id=run_id))


def saved_run(tx: Tx, run: Run) -> Run:
    """Write the parts of a run that change."""
    tx.later(RUNS["update"], **rows.row(run, only=(*_OF_USE, "session", "agent", "state", "status", "ended_at_ms")))
    return run


def saved_lease(tx: Tx, run: Run) -> Run:
    """Write what a call from a run changes of it, which is little and lies in few indexes."""
    tx.later(RUNS["use"], **rows.row(run, only=_OF_USE))
    return run


def _no_live_run(tx: Tx, caller: Caller) -> LoomError:
    """That it has none; where a person stopped its last one, that."""
    for row in tx.all(RUNS["stopped_of_session"], **_agents(caller)):
        return Invalid(f"{stopped_words(row['id'], row['status'])}; for other work call start_run")
    return NotFound("you have no live run; call start_run first")


def _agents(caller: Caller) -> dict[str, str]:
    """Whoever the caller may be: as `acts_for` tells, as parameters of a statement."""
    agent = caller.agent if caller.certain else "*"
    return {"principal": caller.principal, "session": caller.session, "agent": agent}


def _seen(tx: Tx, caller: Caller, run: Run) -> Run:
    if run.parent_id:
        forebears = sorted(lineage(tx, run.parent_id))
        for forebear in rows.as_records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(forebears))):
            if forebear.state == "live" and not is_lost(forebear, now_ms=tx.now_ms):
                saved_lease(tx, _renewed(tx, forebear))
    return _renewed(tx, replace(run, process=_process(caller, run)))


def _process(caller: Caller, run: Run) -> str:
    """Where a run runs now. The session's own stays with its client, whichever server it is used through."""
    return run.process if run.process and run.origin == "session" else caller.process or run.process


def _renewed(tx: Tx, run: Run) -> Run:
    if not renewal_due(run, now_ms=tx.now_ms):
        return replace(run, seen_at_ms=tx.now_ms)
    was_lapsed = is_lapsed(run, now_ms=tx.now_ms)
    events.append(tx, run.repo_id, "run.renewed", about=run.id, run_id=run.id, payload={"lapsed": was_lapsed})
    return renewed(run, now_ms=tx.now_ms)


_OF_USE = ("id", "process", "ttl_ms", "expires_at_ms", "seen_at_ms")
