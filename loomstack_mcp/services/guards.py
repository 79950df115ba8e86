"""Guards: what hooks remember of an agent's steps, and the run that stands for it where a rule has something to say."""

from collections.abc import Mapping, Sequence

from loomstack_mcp.core.limits import CALL_SEEN_FOR_MS, EDIT_SEEN_FOR_MS
from loomstack_mcp.core.runs import Caller
from loomstack_mcp.core.steps import BegunLine, Judging
from loomstack_mcp.core.texts import encodable
from loomstack_mcp.services.judgings import GUARDS
from loomstack_mcp.store import rows
from loomstack_mcp.store.base import Store, Tx


class GuardService:
    """What a hook keeps for the next one. Nothing of a caller without a session is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def judging(self, caller: Caller, top: str) -> Judging | None:
        """By what the caller's steps in a worktree were judged last."""
        with self._store.read() as tx:
            return _judging(tx, _who(caller, top))

    def allow(self, caller: Caller, by: Judging, steps: Sequence[str]) -> None:
        """These steps in a worktree were found allowed. Nothing is written where that is known."""
        if not (caller.session and by.stamp):
            return
        who = _who(caller, by.folder)
        with self._store.read() as tx:
            known_by = _judging(tx, who)
            is_same = known_by is not None and known_by.stamp == by.stamp
            news = sorted(step for step in steps if not (is_same and tx.all(GUARDS["allowed"], **who, step=step)))
        if is_same and not news:
            return
        with self._store.append() as tx:
            until_ms = _swept(tx)
            if not is_same:
                _judge(tx, who, by, until_ms)
            for step in news:
                tx.later(GUARDS["allow"], **who, step=step, expires_at_ms=until_ms)

    def tell_once(self, caller: Caller, top: str, step: str) -> bool:
        """Whether this is the first time that this is told to this agent; from then on it is not."""
        who = _who(caller, top)
        with self._store.append() as tx:
            if tx.all(GUARDS["allowed"], **who, step=step):
                return False
            tx.later(GUARDS["allow"], **who, step=step, expires_at_ms=_swept(tx))
            return True

    def begin_line(self, caller: Caller, tool_use: str, line: BegunLine) -> None:
        """A shell line of the caller is about to run."""
        if not (caller.session and tool_use):
            return
        with self._store.append() as tx:
            _swept(tx)
            who = {"session": caller.session, "agent": caller.agent, "tool_use": tool_use}
            tx.later(GUARDS["begin"], **who, **rows.row(line), expires_at_ms=tx.now_ms + CALL_SEEN_FOR_MS)

    def end_line(self, caller: Caller, tool_use: str) -> BegunLine | None:
        """The shell line that is over now, as it began; None for one that nobody saw begin."""
        who = {"session": caller.session, "tool_use": tool_use}
        with self._store.read() as tx:
            found = tx.all(GUARDS["line"], **who, agent=caller.agent) if caller.session and tool_use else []
        if not found:
            return None
        with self._store.append() as tx:
            tx.later(GUARDS["end"], **who)
        return rows.as_record(BegunLine, found[0])


def _judge(tx: Tx, who: Mapping[str, str], by: Judging, until_ms: int) -> None:
    """By this the steps of somebody in a worktree are judged from now on; what was allowed before is forgotten."""
    tx.later(GUARDS["forget"], **who)
    patterns = None if by.patterns is None else rows.json_column(by.patterns)
    told = {"stamp": by.stamp, "is_plain": int(by.is_plain), "patterns": patterns}
    tx.later(GUARDS["judge"], **who, **told, expires_at_ms=until_ms)


def _judging(tx: Tx, who: dict[str, str]) -> Judging | None:
    for row in tx.all(GUARDS["judging"], **who):
        patterns = None if row["patterns"] is None else rows.list_column(row["patterns"])
        return Judging(folder=row["folder"], stamp=row["stamp"], is_plain=bool(row["is_plain"]), patterns=patterns)
    return None


def _who(caller: Caller, top: str) -> dict[str, str]:
    return {"session": caller.session, "agent": caller.agent, "folder": encodable(top)}


def _swept(tx: Tx) -> int:
    """When what is kept now is let go of; what is over goes now."""
    for sweep in (GUARDS["sweep_judging"], GUARDS["sweep_judged"], GUARDS["sweep_lines"]):
        tx.later(sweep, now_ms=tx.now_ms)
    return tx.now_ms + EDIT_SEEN_FOR_MS
