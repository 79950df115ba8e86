"""A turn ends: what the session leaves open is told once, and to its model what would take back others' work."""

import json
import os
import time

from loomstack_mcp.adapters.git.repository import Repository
from loomstack_mcp.adapters.git.unfinished import uncommitted, unpushed
from loomstack_mcp.adapters.own_commands import ran_command
from loomstack_mcp.adapters.system import words_of_process
from loomstack_mcp.core.briefing.closing import Foresight, OpenWork, closing_words, kinds_of, reminder_mark
from loomstack_mcp.core.claims import few_listed
from loomstack_mcp.core.clients.payload import Payload, objection, remark
from loomstack_mcp.core.clients.steps import session_step
from loomstack_mcp.core.limits import CALLED_PATHS_MAX, SECOND_MS
from loomstack_mcp.core.runs import Run
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.hooks.standing import SessionStanding, session_standing
from loomstack_mcp.services.session_steps import SessionService

_CHECK_SECONDS_MAX = 3
_ENDS = (0, 4)
"""How `conflicts` ends where it has looked."""
_SDK = "sdk"
"""How Claude Code calls itself to its hooks where nobody sits at its screen (`sdk-cli`, run on 2.1.330)."""


def turn_ended(client: str, payload: Payload) -> Payload | None:
    """What is open of the session's work. Nothing twice, and nothing in a turn that a hook has prolonged."""
    step = session_step(client, payload)
    if step.is_again or step.agent:
        return None
    with session_standing(step) as found:
        if found is None:
            return None
        sessions = found.quick.sessions
        if (known := sessions.run_of(found.caller, found.checkout)) is None:
            return None
        run, age_ms = known
        work = _open(sessions, found, run, since_s=time.time() - age_ms / SECOND_MS)
        if not work or not sessions.remind(run, reminder_mark("exact", work, _times(found, work))):
            return None
        return _reply(sessions, found, run, work)


def _reply(sessions: SessionService, found: SessionStanding, run: Run, work: OpenWork) -> Payload | None:
    foreseen = _foresight(found, run) if work.files or work.commits else None
    is_stopped = foreseen is not None and foreseen.verdict == "stop"
    words = closing_words(work, foreseen, is_read_again=is_stopped and _is_headless(found))
    if is_stopped:
        return objection(words)
    # No turn more for the rest: whatever started a session may mean to go on with its files itself.
    return remark(words) if sessions.remind(run, reminder_mark("kinds", kinds_of(work))) else None


def _open(sessions: SessionService, found: SessionStanding, run: Run, *, since_s: float) -> OpenWork:
    root = found.worktree.root
    with Repository(found.worktree.place) as repo:
        files = uncommitted(repo, root, since_s=since_s)[:CALLED_PATHS_MAX]
        commits = unpushed(repo, since_s=int(since_s))
    return sessions.open_work(found.caller, run, files=tuple(map(encodable, files)), commits=commits)


def _times(found: SessionStanding, work: OpenWork) -> tuple[object, ...]:
    """When the files were written: the same names with another content are another thing."""
    paths = (found.worktree.root / name for name in work.files)
    return tuple(path.lstat().st_mtime_ns if os.path.lexists(path) else 0 for path in paths)


def _foresight(found: SessionStanding, run: Run) -> Foresight:
    """What a check for conflicts says, as the session's run; its deadline is short, and never passes for a clear."""
    asked = ("conflicts", "--run", run.id, "--json")
    done = ran_command(*asked, folder=found.worktree.root, seconds_max=_CHECK_SECONDS_MAX)
    if done is None:
        return Foresight(verdict="warn", unchecked=f"it takes more than {_CHECK_SECONDS_MAX} s: call check_conflicts")
    code, printed, complained = done
    if code not in _ENDS:
        return Foresight(verdict="warn", unchecked=complained.strip() or f"the check ended with {code}")
    told = json.loads(printed)
    return Foresight(
        verdict=told["verdict"],
        conflicts=tuple((one["verdict"], one["commit"], few_listed(one["paths"])) for one in told["conflicts"]),
        unchecked="; ".join(told["unchecked"]),
    )


def _is_headless(found: SessionStanding) -> bool:
    if found.caller.session.startswith("codex:"):
        return bool({"exec", "e"} & set(words_of_process(found.caller.process)[1:]))
    return os.environ.get("CLAUDE_CODE_ENTRYPOINT", "").startswith(_SDK)
