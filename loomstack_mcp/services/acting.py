"""Entering a call: which run is meant, whether the caller may act for it, and its lease renewed by use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from loomstack_mcp.core.errors import Invalid, LeaseLost, NotFound, Unauthorized
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.runs import Caller, Run, acts_for, is_lapsed, is_lost, renewal_due, renewed
from loomstack_mcp.services import events
from loomstack_mcp.store import queries, rows
from loomstack_mcp.store.base import Store, Tx

RUNS = queries.statements("runs")
_OWN_RUNS_MAX = 20


@contextmanager
def acting_run(store: Store, caller: Caller, run_id: str) -> Iterator[tuple[Tx, Run]]:
    """A write transaction in the repo of the caller's run, with that run's lease renewed by this use.

    Raises NotFound, Unauthorized, LeaseLost or Invalid (an ended run), each saying what to do next.
    """
    with store.read() as tx:
        repo_id = named_run(tx, caller, run_id).repo_id
    with store.write(repo_id) as tx:
        yield tx, used_run(tx, caller, allowed_run(caller, named_run(tx, caller, run_id), now_ms=tx.now_ms))


def named_run(tx: Tx, caller: Caller, run_id: str) -> Run:
    """The run of that id, or with "" the caller's newest live run."""
    if run_id:
        found = rows.records(Run, tx.all(RUNS["get"], id=run_id))
        if not found:
            raise NotFound(f"run {run_id} is unknown; start_run returns yours")
        return found[0]
    own = own_runs(tx, caller)
    if not own:
        raise NotFound("you have no live run; call start_run first")
    if len(own) > 1 and not caller.certain:
        listed = ", ".join(f"{run.id} ({run.loop}: {run.goal[:60]})" for run in own)
        raise Invalid(f"several live runs could be yours, so pass run: {listed}")
    return own[0]


def own_runs(tx: Tx, caller: Caller) -> list[Run]:
    """The caller's runs that are neither over nor lost, newest first."""
    session = tx.all(RUNS["of_session"], principal=caller.principal, session=caller.session, limit=_OWN_RUNS_MAX)
    return [run for run in rows.records(Run, session) if acts_for(caller, run) and not is_lost(run, now_ms=tx.now_ms)]


def allowed_run(caller: Caller, run: Run, *, now_ms: int) -> Run:
    """The run, where the caller may act for it and it is not over."""
    if not acts_for(caller, run):
        raise Unauthorized(f"run {run.id} belongs to another session; call start_run and use your own")
    if run.state == "ended":
        since = age(now_ms - (run.ended_at_ms or now_ms))
        raise Invalid(f"run {run.id} ended {since} ago ({run.status}); call start_run for the next one")
    if is_lost(run, now_ms=now_ms):
        silent = age(now_ms - run.seen_at_ms)
        raise LeaseLost(f"run {run.id} was silent for {silent} and is lost; call start_run and claim again")
    return run


def used_run(tx: Tx, caller: Caller, run: Run) -> Run:
    """The run as a call from it leaves it: seen now in the caller's process, renewed with its forebears where due."""
    if run.parent_id:
        forebears = sorted(lineage(tx, run.parent_id))
        for forebear in rows.records(Run, tx.all(RUNS["by_ids"], ids=rows.json_column(forebears))):
            if forebear.state == "live" and not is_lost(forebear, now_ms=tx.now_ms):
                _touched(tx, forebear)
    return _touched(tx, replace(run, process=caller.process or run.process))


def lineage(tx: Tx, run_id: str) -> frozenset[str]:
    """The run and those it descends from: their claims do not block it."""
    return frozenset(row["id"] for row in tx.all(RUNS["lineage"], id=run_id))


def saved_run(tx: Tx, run: Run) -> Run:
    """Write the parts of a run that change."""
    columns = rows.row(run)
    tx.run(RUNS["update"], **{name: columns[name] for name in _CHANGING})
    return run


def _touched(tx: Tx, run: Run) -> Run:
    if not renewal_due(run, now_ms=tx.now_ms):
        return saved_run(tx, replace(run, seen_at_ms=tx.now_ms))
    was_lapsed = is_lapsed(run, now_ms=tx.now_ms)
    events.append(tx, run.repo_id, "run.renewed", about=run.id, run_id=run.id, payload={"lapsed": was_lapsed})
    return saved_run(tx, renewed(run, now_ms=tx.now_ms))


_CHANGING = (
    "id",
    "session",
    "agent",
    "process",
    "state",
    "status",
    "ttl_ms",
    "expires_at_ms",
    "seen_at_ms",
    "ended_at_ms",
)
