"""Sessions: the run that stands for an agent of a session, in which it works where it asked for none."""

from dataclasses import replace

from loomstack_mcp.core.errors import Invalid
from loomstack_mcp.core.limits import NAME_CHARS_MAX
from loomstack_mcp.core.repos import Checkout
from loomstack_mcp.core.runs import PROCESS_SESSION, Caller, Run, is_lost, renewed
from loomstack_mcp.core.sessions import is_resumable, session_goal, session_loop
from loomstack_mcp.core.texts import redacted
from loomstack_mcp.services import events
from loomstack_mcp.services.acting import RUNS, own_runs, saved_run, used_run
from loomstack_mcp.services.starts import drafted_run, recorded_run
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Tx


def session_run(tx: Tx, caller: Caller, repo_id: str, checkout: Checkout) -> Run:
    """The run that exactly this agent works in: the newest that it asked for and that lives, else its session's.

    The session's is started where there is none, and goes on where it was lost or ended with the session. Its lease
    is renewed by this use. Raises Invalid where no client names a session.
    """
    if not caller.session or caller.session.startswith(PROCESS_SESSION):
        raise Invalid("the client names no session, so that no run stands for it; call start_run")
    for run in own_runs(tx, caller):
        if (run.repo_id, run.agent, run.origin) == (repo_id, caller.agent, "asked"):
            return used_run(tx, caller, run)
    return resumed_session(tx, caller, repo_id, checkout)


def resumed_session(tx: Tx, caller: Caller, repo_id: str, checkout: Checkout) -> Run:
    """The session's own run, whatever else the agent asked for; started where there is none."""
    run = run_for_session(tx, caller, repo_id)
    if run is None or not is_resumable(run):
        return _started(tx, caller, repo_id, checkout)
    if run.state == "live" and not is_lost(run, now_ms=tx.now_ms):
        return used_run(tx, caller, run)
    again = replace(run, process=caller.process or run.process, state="live", status="", ended_at_ms=None)
    events.append(tx, repo_id, "run.resumed", about=run.id, run_id=run.id, payload={"session": caller.session})
    return saved_run(tx, renewed(again, now_ms=tx.now_ms))


def run_for_session(tx: Tx, whose: Caller | Run, repo_id: str) -> Run | None:
    """The last run that stood for an agent of a session, whatever became of it."""
    who = {"principal": whose.principal, "session": whose.session, "agent": whose.agent}
    found = rows.as_records(Run, tx.all(RUNS["for_session"], repo_id=repo_id, **who))
    return found[0] if found else None


def _started(tx: Tx, caller: Caller, repo_id: str, checkout: Checkout) -> Run:
    draft = drafted_run(tx, caller, repo_id, checkout, "", origin="session")
    branch = redacted(draft.branch, chars_max=NAME_CHARS_MAX)
    goal = session_goal(caller.session, caller.agent, branch=branch)
    loop = session_loop(caller.session, caller.agent)
    return recorded_run(tx, replace(draft, loop=loop, goal=goal))
