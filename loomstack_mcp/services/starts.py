"""How a run comes to be: drafted from who asks and where, recorded, or resumed by its key."""

from dataclasses import replace

from loomstack_mcp.adapters.system import is_left
from loomstack_mcp.core.errors import Invalid, NotFound
from loomstack_mcp.core.limits import LEASE_DEFAULT_MS
from loomstack_mcp.core.phrases import age
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import Caller, Run, RunOrigin, acts_for, is_lost, is_stopped, renewed, stopped_words
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services import events, path_index
from loomstack_mcp.services.acting import RUNS, own_runs, saved_run, used_run
from loomstack_mcp.services.judgings import forget_judgings
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx


def resumed_run(tx: Tx, caller: Caller, repo_id: str, loop: str, key: str) -> Run | None:
    """The run that a key stands for, taken over where it was lost; None where there is none.

    Raises Invalid where another session is running it, or a person stopped it.
    """
    parameters = {"repo_id": repo_id, "principal": caller.principal, "loop": loop, "key": key}
    found = rows.as_records(Run, tx.all(RUNS["by_key"], **parameters))
    if not found:
        return None
    [run] = found
    if is_stopped(run):
        raise Invalid(f"{stopped_words(run.id, run.status)}; key {key} stands for it, and other work has another")
    if run.state == "ended":
        return run
    if acts_for(caller, run) and not is_lost(run, now_ms=tx.now_ms):
        return used_run(tx, caller, run)
    if not is_lost(run, now_ms=tx.now_ms):
        left = age(max(0, run.expires_at_ms - tx.now_ms))
        raise Invalid(
            f"key {key} stands for {run.id}, which another session is running (its lease holds for {left}); "
            "use another key, or wait until that run is lost"
        )
    taken = replace(
        run, session=caller.session, agent=caller.agent, process=caller.process, state="live", ended_at_ms=None
    )
    path_index.index_paths(tx, repo_id, "run", run.id, run.paths)
    events.append(tx, repo_id, "run.resumed", about=run.id, run_id=run.id, payload={"session": caller.session})
    return saved_run(tx, renewed(taken, now_ms=tx.now_ms))


def restarted_run(tx: Tx, caller: Caller, repo_id: str, loop: str, checks_run: str) -> Run | None:
    """The run of the caller's session in this loop, from before its client, or its server, started anew; None without.

    It goes on with what nobody took meanwhile. What somebody did take, it is alerted of.
    """
    for run in own_runs(tx, caller):
        is_same = (run.repo_id, run.loop, run.checks_run or "", run.origin) == (repo_id, loop, checks_run, "asked")
        is_other = caller.process and run.process not in ("", caller.process)
        if is_same and is_other and is_left(run.process, by=caller.process):
            events.append(tx, repo_id, "run.resumed", about=run.id, run_id=run.id, payload={"session": caller.session})
            return used_run(tx, caller, run)
    return None


def drafted_run(
    tx: Tx, caller: Caller, repo_id: str, checkout: Checkout, checks_run: str, *, origin: RunOrigin = "asked"
) -> Run:
    """A run without its words yet: who, where, and under which other run.

    Raises NotFound for a `checks_run` that is unknown, Invalid for one of another repository.
    """
    if checks_run and run_of_id(tx, checks_run).repo_id != repo_id:
        raise Invalid(f"checks_run {checks_run} runs in another repository")
    return Run(
        id="",
        repo_id=repo_id,
        parent_id=_parent(tx, caller, repo_id, origin=origin),
        checks_run=checks_run or None,
        loop="",
        goal="",
        branch=encodable(checkout.branch),
        worktree=encodable(checkout.worktree),
        principal=caller.principal,
        session=caller.session,
        agent=caller.agent,
        process=caller.process,
        seq=0,
        ttl_ms=LEASE_DEFAULT_MS,
        expires_at_ms=tx.now_ms + LEASE_DEFAULT_MS,
        started_at_ms=tx.now_ms,
        seen_at_ms=tx.now_ms,
        origin=origin,
    )


def recorded_run(tx: Tx, draft: Run) -> Run:
    """The run with its id and number, in the store, the index and the log."""
    draft = replace(draft, seq=tx.next_seq(draft.repo_id))
    columns = {name: value for name, value in rows.row(draft).items() if name != "id"}
    run = replace(draft, id=events.drawn("run", lambda id: tx.run(RUNS["insert"], id=id, **columns)))  # noqa: A006
    path_index.index_paths(tx, run.repo_id, "run", run.id, run.paths)
    payload = {"loop": run.loop, "goal": run.goal, "paths": run.paths, "who": run.principal}
    events.append(tx, run.repo_id, "run.started", about=run.id, run_id=run.id, payload=payload, seq=run.seq)
    forget_judgings(tx, run.id)
    return run


def run_of_id(tx: Tx, run_id: str) -> Run:
    """The run of that id, whoever's. Raises NotFound."""
    found = rows.as_records(Run, tx.all(RUNS["get"], id=run_id))
    if not found:
        raise NotFound(f"run {run_id} is unknown; loom://runs, or loomstack-mcp runs, lists those of this repository")
    return found[0]


def _parent(tx: Tx, caller: Caller, repo_id: str, *, origin: RunOrigin) -> str | None:
    """The run in which a run was started: its agent's own of the session, else the newest live one of the agent above.

    What that one holds is not in its way. The session's own is the last resort, as wherever a run is meant.
    """
    own = _live_runs(tx, caller, repo_id)
    if origin == "asked" and (for_session := [run for run in own if run.origin == "session"]):
        return for_session[0].id
    if not caller.agent:
        return None
    for agent in dict.fromkeys((caller.parent_agent, "")):
        above = _live_runs(tx, replace(caller, agent=agent), repo_id)
        if above:
            return above[0].id
    return None


def _live_runs(tx: Tx, caller: Caller, repo_id: str) -> list[Run]:
    """Those of exactly this agent, in the order of `own_runs`."""
    return [run for run in own_runs(tx, caller) if (run.repo_id, run.agent) == (repo_id, caller.agent)]
